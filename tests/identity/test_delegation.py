"""Storage without keys: an identity reads and writes, and hands over single blobs by keys delegated to it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from azure.storage.blob import BlobSasPermissions

from local.azurite import Azurite
from shared.adapters.blobs import BlobStore
from shared.adapters.tables import TableStore
from shared.errors import AlreadyExists
from shared.secret import Secret
from shared.storage_account import BlobSigner, blob_service, is_keyless
from shared.wire import BlobReference
from studio.blobs.blob_access import BlobAccess, BlobFault
from studio.blobs.connection import ConnectionStringError, StorageAccount, location_of
from studio.store.account import OwnStorage
from tests.identity.keyless import addresses

HOUR = timedelta(hours=1)


def get(reference: BlobReference, *, token: str | None = None) -> requests.Response:
    url = reference.signed_url().reveal()
    return requests.get(url if token is None else url.partition("?")[0] + token, timeout=10)


def put(reference: BlobReference) -> requests.Response:
    headers = {"x-ms-blob-type": "BlockBlob"}
    return requests.put(reference.signed_url().reveal(), data=b"written", headers=headers, timeout=10)


def test_an_identity_reads_and_writes_blobs_and_tables(
    connection: Secret, identity: list[dict[str, list[str]]]
) -> None:
    blobs, table = BlobStore(connection), TableStore(connection, "decisions")

    blobs.write("artifacts/a/b.txt", b"bytes")
    table.insert({"PartitionKey": "m", "RowKey": "delegation"})

    assert blobs.read("artifacts/a/b.txt") == b"bytes"
    with pytest.raises(AlreadyExists):
        table.insert({"PartitionKey": "m", "RowKey": "delegation"})
    assert {question["resource"][0] for question in identity} == {"https://storage.azure.com"}


def test_a_token_opens_one_blob_for_reading_alone(connection: Secret) -> None:
    blobs = BlobStore(connection)
    blobs.write("artifacts/one.txt", b"one")
    blobs.write("artifacts/two.txt", b"two")

    reference = blobs.reference("artifacts/one.txt", write=False, lifetime=HOUR)
    other = BlobReference("artifacts/two.txt", reference.base_location, reference.sas_token)

    assert get(reference).content == b"one"
    assert put(reference).status_code == 403
    assert get(other).status_code == 403
    assert blobs.read("artifacts/one.txt") == b"one"


def test_a_token_for_an_output_writes_it(connection: Secret) -> None:
    reference = BlobStore(connection).reference("artifacts/out.csv", write=True, lifetime=HOUR)

    assert put(reference).status_code == 201
    assert get(reference).content == b"written"


def test_a_token_is_signed_by_a_delegated_key_and_ends_in_time(connection: Secret) -> None:
    reference = BlobStore(connection).reference("artifacts/x.txt", write=False, lifetime=HOUR)
    fields = parse_qs(urlsplit(reference.signed_url().reveal()).query)

    assert {"skoid", "sktid", "ske", "skv"} <= fields.keys()
    assert fields["sr"] == ["b"]
    until = datetime.fromisoformat(fields["se"][0])
    assert timedelta(minutes=59) < until - datetime.now(UTC) <= HOUR


def test_a_tampered_token_is_refused(connection: Secret) -> None:
    blobs = BlobStore(connection)
    blobs.write("artifacts/one.txt", b"one")
    reference = blobs.reference("artifacts/one.txt", write=False, lifetime=HOUR)
    token = reference.sas_token.reveal() if reference.sas_token else ""

    assert get(reference, token=token.replace("sp=r", "sp=rw")).status_code == 403
    assert get(reference, token="").status_code in (403, 404)


def test_one_key_signs_many_tokens_and_none_outlives_it(connection: Secret, monkeypatch: pytest.MonkeyPatch) -> None:
    service = blob_service(connection)
    asked = []
    fetch = service.get_user_delegation_key
    monkeypatch.setattr(service, "get_user_delegation_key", lambda *at: asked.append(at) or fetch(*at))
    signer, now = BlobSigner(service), datetime.now(UTC)

    for lifetime in (HOUR, timedelta(hours=5), timedelta(days=30)):
        signer.token("artifacts", "x", BlobSasPermissions(read=True), lifetime, now)
    last = signer.token("artifacts", "x", BlobSasPermissions(read=True), timedelta(days=30), now).reveal()

    assert len(asked) == 2  # one for a day, one for the week that storage grants at most
    assert datetime.fromisoformat(parse_qs(last)["se"][0]) - now <= timedelta(days=7)


def test_the_studio_reads_and_writes_what_it_was_handed(connection: Secret, https_azurite: Azurite) -> None:
    blobs = BlobStore(connection)
    blobs.write("training-data/census/new.csv", b"rows")
    place = location_of(addresses(https_azurite).partition("=")[2].partition(";")[0])
    studio = BlobAccess(
        StorageAccount.parse(Secret("AccountName=x;AccountKey=eA==;BlobEndpoint=https://x.example.com")),
        frozenset({f"{place.host}:{place.port}"}),
    )

    read = blobs.reference("training-data/census/new.csv", write=False, lifetime=HOUR)
    write = blobs.reference("artifacts/census/model.ilearner", write=True, lifetime=HOUR)

    assert studio.read(read) == b"rows"
    studio.write(write, b"model")
    assert blobs.read("artifacts/census/model.ilearner") == b"model"
    with pytest.raises(BlobFault, match="refused the credential"):
        studio.write(read, b"overwritten")


def test_the_studio_opens_its_own_account_by_identity_and_signs_results(connection: Secret) -> None:
    own = OwnStorage(connection)
    own.prepare()
    own.prepare()
    own.queue.send_message("one")
    account = StorageAccount.own(connection)
    access = BlobAccess(account, frozenset())
    reference = BlobReference("studio-artifacts/models/m.ilearner")

    access.write(reference, b"model")
    result = access.result(reference, datetime.now(UTC))

    assert own.queue.get_queue_properties().approximate_message_count == 1
    assert access.read(reference) == b"model"
    assert get(result).content == b"model"
    assert put(result).status_code == 403


def test_no_caller_can_make_the_studio_use_its_identity(connection: Secret) -> None:
    with pytest.raises(ConnectionStringError, match="AccountKey"):
        StorageAccount.parse(connection)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("AccountName=a;AccountKey=k;BlobEndpoint=https://a", False),
        ("BlobEndpoint=https://a;SharedAccessSignature=sig", False),
        ("UseDevelopmentStorage=true", False),
        ("BlobEndpoint=https://a;QueueEndpoint=https://q;TableEndpoint=https://t", True),
    ],
)
def test_a_connection_without_secret_is_keyless(text: str, expected: bool) -> None:
    assert is_keyless(Secret(text)) is expected


def test_an_identitys_token_goes_to_https_alone() -> None:
    text = "BlobEndpoint=http://a;QueueEndpoint=https://q;TableEndpoint=https://t"

    with pytest.raises(ConnectionStringError, match="https"):
        StorageAccount.own(Secret(text))
