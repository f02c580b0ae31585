"""Blobs that callers name: which references are refused, and how those in order are read, written and signed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs

import httpx
import pytest
from azure.storage.blob import ContainerClient, ContainerSasPermissions, generate_container_sas

from shared.secret import Secret
from shared.wire import BlobReference
from studio.blobs.blob_access import BlobAccess, BlobFault
from studio.blobs.connection import StorageAccount, location_of
from studio.settings import Settings
from tests.tools.local_server import LocalServer, QuietHandler

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
OWN = StorageAccount("https://own.example", "own", key=Secret("a2V5"))


def access(*hosts: str) -> BlobAccess:
    return BlobAccess(OWN, frozenset(hosts))


def by_key(endpoint: str, location: str = "box/a.csv") -> BlobReference:
    return BlobReference(location, connection=Secret(f"AccountName=a;AccountKey=a2V5;BlobEndpoint={endpoint}"))


def by_token(base: str, location: str = "box/a.csv") -> BlobReference:
    return BlobReference(location, base_location=base, sas_token=Secret("?sv=1&sig=topsecret"))


@pytest.fixture
def blobs(settings: Settings, account: StorageAccount) -> BlobAccess:
    return BlobAccess(account, settings.blob_hosts)


@pytest.mark.parametrize("named", [by_key, by_token])
@pytest.mark.parametrize(
    ("address", "hosts"),
    [
        ("https://evil.example/", ["a.example"]),
        ("https://a.example:8443/", ["a.example"]),
        ("https://169.254.169.254/", ["a.example"]),
        ("http://a.example/", ["a.example"]),  # allowed, but not by http
        ("http://127.0.0.1:9/", ["127.0.0.1:10000"]),
        ("ftp://a.example/", ["a.example"]),
        ("https://user@a.example/", ["a.example"]),
        ("https://a.example/?x=1", ["a.example"]),
    ],
)
def test_a_reference_to_a_place_that_is_not_allowed_is_refused(named: object, address: str, hosts: list[str]) -> None:
    with pytest.raises(BlobFault) as caught:
        access(*hosts).check(named(address))  # type: ignore[operator]

    assert caught.value.detail in ("InvalidBlobConnectionString", "InvalidBlob")
    assert "topsecret" not in str(caught.value)


@pytest.mark.parametrize(
    ("address", "host"),
    [("https://a.example/", "a.example"), ("http://127.0.0.1:10000/acct/", "127.0.0.1:10000")],
)
@pytest.mark.parametrize("named", [by_key, by_token])
def test_a_reference_to_an_allowed_place_passes(named: object, address: str, host: str) -> None:
    access(host).check(named(address))  # type: ignore[operator]


@pytest.mark.parametrize(
    ("location", "detail"),
    [
        ("box", "ContainerSegmentInvalid"),
        ("box/", "ContainerSegmentInvalid"),
        ("box/" + "a" * 1025, "BlobNameTooLong"),
    ],
)
def test_a_location_must_be_container_and_name(location: str, detail: str) -> None:
    with pytest.raises(BlobFault) as caught:
        access("a.example").check(by_key("https://a.example", location))

    assert caught.value.detail == detail


def test_other_endpoints_of_a_connection_string_are_never_contacted() -> None:
    reference = BlobReference(
        "box/a.csv",
        connection=Secret(
            "AccountName=a;AccountKey=a2V5;BlobEndpoint=https://evil.example;QueueEndpoint=https://a.example"
        ),
    )

    with pytest.raises(BlobFault, match=r"does not connect to 'evil\.example:443'"):
        access("a.example").check(reference)


def test_a_result_named_by_key_gets_a_new_token_for_that_blob_alone() -> None:
    result = access("a.example").result(by_key("https://a.example", "box/m:1.ilearner"), NOW)

    token = parse_qs(result.sas_token.reveal().lstrip("?"))  # type: ignore[union-attr]
    assert result.base_location == "https://a.example/"
    assert result.relative_location == "box/m:1.ilearner"
    assert result.connection is None
    assert (token["sr"], token["sp"]) == (["b"], ["r"])
    assert (token["st"], token["se"]) == (["2026-01-01T11:55:00Z"], ["2026-01-02T12:00:00Z"])


def test_each_result_is_signed_anew() -> None:
    blobs = access("a.example")

    first = blobs.result(by_key("https://a.example"), NOW)
    second = blobs.result(by_key("https://a.example"), NOW + timedelta(seconds=1))

    assert first.sas_token != second.sas_token


def test_a_result_named_by_token_gets_that_token_back() -> None:
    result = access("a.example").result(by_token("https://a.example/"), NOW)

    assert result.sas_token == Secret("?sv=1&sig=topsecret")


def test_a_result_named_by_a_connection_string_with_a_signature_gets_that_signature() -> None:
    connection = Secret("BlobEndpoint=https://a.example/;SharedAccessSignature=sv=1&sig=x")

    result = access("a.example").result(BlobReference("box/a.csv", connection=connection), NOW)

    assert result.sas_token == Secret("?sv=1&sig=x")


def test_a_result_in_the_default_place_is_signed_by_the_services_own_account() -> None:
    result = access().result(BlobReference("experimentoutput/a/b.csv"), NOW)

    assert result.base_location == "https://own.example/"
    assert result.sas_token


def test_a_blob_is_written_and_downloaded_by_key(
    blobs: BlobAccess, box: ContainerClient, storage: Secret, tmp_path: Path
) -> None:
    reference = BlobReference(f"{box.container_name}/a:b/c d.csv", connection=storage)

    blobs.write(reference, b"first")
    blobs.write(reference, b"second")
    size = blobs.download(reference, tmp_path / "copy")

    assert (size, (tmp_path / "copy").read_bytes()) == (6, b"second")


def test_a_signed_result_opens_the_blob_and_no_other(blobs: BlobAccess, box: ContainerClient, storage: Secret) -> None:
    for name in ("a.csv", "b.csv"):
        box.upload_blob(name, b"rows")
    signed = blobs.result(BlobReference(f"{box.container_name}/a.csv", connection=storage), datetime.now(UTC))
    address = signed.signed_url().reveal()

    opened = httpx.get(address, trust_env=False)
    other = httpx.get(address.replace("a.csv", "b.csv"), trust_env=False)

    assert opened.content == b"rows"
    assert other.status_code == 403


def test_a_blob_is_read_by_base_location_and_token(
    blobs: BlobAccess, box: ContainerClient, account: StorageAccount
) -> None:
    box.upload_blob("a.csv", b"rows")
    token = generate_container_sas(
        account.name,
        str(box.container_name),
        account.key.reveal(),  # type: ignore[union-attr]
        permission=ContainerSasPermissions(read=True),
        expiry=datetime.now(UTC) + timedelta(hours=1),
    )
    reference = BlobReference(f"{box.container_name}/a.csv", account.base_location, Secret(f"?{token}"))

    assert blobs.read(reference) == b"rows"


@pytest.mark.parametrize("container", ["there", "absent"])
def test_a_blob_that_does_not_exist_is_named(
    blobs: BlobAccess, box: ContainerClient, storage: Secret, container: str
) -> None:
    name = box.container_name if container == "there" else "no-such-container"

    with pytest.raises(BlobFault, match=f"'{name}/a.csv'") as caught:
        blobs.read(BlobReference(f"{name}/a.csv", connection=storage))

    assert caught.value.detail == "BlobNotFound"


def test_a_token_that_storage_refuses_is_said_without_repeating_it(
    blobs: BlobAccess, box: ContainerClient, account: StorageAccount
) -> None:
    box.upload_blob("a.csv", b"rows")
    token = Secret("?sv=2021-08-06&se=2099-01-01T00%3A00%3A00Z&sr=b&sp=r&sig=topsecret")

    with pytest.raises(BlobFault, match="refused the credential") as caught:
        blobs.read(BlobReference(f"{box.container_name}/a.csv", account.base_location, token))

    assert "topsecret" not in str(caught.value)


def test_a_blob_over_the_limit_is_not_read(blobs: BlobAccess, box: ContainerClient, storage: Secret) -> None:
    box.upload_blob("a.csv", b"12345")
    reference = BlobReference(f"{box.container_name}/a.csv", connection=storage)

    assert blobs.read(reference, limit=5) == b"12345"
    with pytest.raises(BlobFault, match="has 5 bytes; this service reads at most 4"):
        blobs.read(reference, limit=4)


class _Handler(QuietHandler):
    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_response(302)
        self.send_header("Location", f"http://{self.headers['Host']}/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()


class Redirecting(LocalServer):
    """A storage account that sends its caller elsewhere."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        super().__init__(_Handler, asked=self.asked)


@pytest.fixture
def redirecting() -> Iterator[Redirecting]:
    with Redirecting() as server:
        yield server


def test_a_redirect_is_not_followed(redirecting: Redirecting) -> None:
    base = f"{redirecting.url}/acct/"
    place = location_of(base)

    with pytest.raises(BlobFault, match="answered 302"):
        access(f"{place.host}:{place.port}").read(by_token(base))

    assert [path.partition("?")[0] for path in redirecting.asked] == ["/acct/box/a.csv"]
