"""Blobs and rows read by the account's key, against the storage emulator, which checks every signature."""

from __future__ import annotations

import http.server
import threading
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from azure.data.tables import TableClient, TableServiceClient
from azure.storage.blob import ContainerClient

from shared.secret import Secret
from studio.blobs.connection import StorageAccount
from studio.errors import Unavailable
from studio.store import signed_reading
from studio.store.signed_reading import SignedReader
from studio.store.table_rows import LibraryRows, SignedRows

OTHER_KEY = Secret("b3RoZXI=")


def reader(account: StorageAccount, endpoint: str, key: Secret | None = None) -> SignedReader:
    used = key or account.key
    assert used is not None
    return SignedReader(endpoint, account.name, used, 10)


@pytest.fixture
def blobs(account: StorageAccount) -> SignedReader:
    return reader(account, account.blob_endpoint)


@pytest.fixture
def table(account: StorageAccount) -> Iterator[TableClient]:
    assert account.key is not None
    text = f"AccountName={account.name};AccountKey={account.key.reveal()};TableEndpoint={account.table_endpoint}"
    client = TableServiceClient.from_connection_string(text).get_table_client(f"t{uuid.uuid4().hex}")
    client.create_table()
    yield client
    client.delete_table()


@pytest.fixture
def rows(account: StorageAccount, table: TableClient) -> SignedRows:
    return SignedRows(reader(account, account.table_endpoint), table.table_name)


@pytest.mark.parametrize("size", [0, 1, 5_000_000])
def test_a_blob_is_read_whole(box: ContainerClient, blobs: SignedReader, size: int) -> None:
    data = bytes(range(256)) * (size // 256 + 1)
    box.upload_blob("models/one.ilearner", data[:size])

    answer = blobs.blob(f"{box.container_name}/models/one.ilearner")

    assert (answer.status, answer.body) == (200, data[:size])


def test_a_blob_that_is_not_there_is_told_apart(box: ContainerClient, blobs: SignedReader) -> None:
    assert blobs.blob(f"{box.container_name}/models/none.ilearner").status == 404
    assert blobs.blob("no-such-container/models/none.ilearner").status == 404


def test_rows_are_those_that_the_library_reads(table: TableClient, rows: SignedRows) -> None:
    columns = {
        "text": "Größe 'x'",
        "empty": "",
        "yes": True,
        "small": 7,
        "large": 1.5,
        "bytes": bytes(range(256)),
        "at": datetime(2026, 11, 26, 1, 2, 3, 456789, UTC),
    }
    for key in ("a", "it's odd", "c d+%"):
        table.create_entity({"PartitionKey": "p'1", "RowKey": key, **columns})
    table.create_entity({"PartitionKey": "other", "RowKey": "a"})

    found, expected = rows.partition("p'1"), LibraryRows(table).partition("p'1")

    assert found == expected
    assert [(row.etag, row.saved_at) for row in found] == [(row.etag, row.saved_at) for row in expected]
    assert len(found) == 3
    assert {**found[0], **columns} == found[0]


@pytest.mark.parametrize("key", ["a", "it's", "c d+%"])
def test_one_row_is_read_by_its_keys(table: TableClient, rows: SignedRows, key: str) -> None:
    table.create_entity({"PartitionKey": "p'1", "RowKey": key, "n": 5})

    for reading in (rows, LibraryRows(table)):
        row = reading.get("p'1", key)
        assert row is not None
        assert (row["RowKey"], row["n"]) == (key, 5)
        assert reading.get("p'1", "none") is None


def test_more_rows_than_one_answer_holds_are_read(table: TableClient, rows: SignedRows) -> None:
    for start in range(0, 1100, 100):
        table.submit_transaction(
            [("create", {"PartitionKey": "p", "RowKey": f"{start + at:04d}"}) for at in range(100)]
        )

    assert [row["RowKey"] for row in rows.partition("p")] == [f"{number:04d}" for number in range(1100)]


def test_another_key_is_refused_and_not_shown(box: ContainerClient, account: StorageAccount) -> None:
    box.upload_blob("a", b"text")

    with pytest.raises(Unavailable, match="403") as refused:
        reader(account, account.blob_endpoint, OTHER_KEY).blob(f"{box.container_name}/a")
    with pytest.raises(Unavailable, match="403"):
        SignedRows(reader(account, account.table_endpoint, OTHER_KEY), "table").get("a", "b")

    assert OTHER_KEY.reveal() not in str(refused.value)


def test_an_account_that_does_not_answer_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signed_reading, "_PAUSE_S", 0)

    with pytest.raises(Unavailable, match="storage does not answer"):
        SignedReader("http://127.0.0.1:9/a", "a", OTHER_KEY, 1).blob("a/b")


@pytest.fixture
def moody(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[SignedReader, list[int | None]]]:
    """A service that answers with each status in turn, None hanging up, then 200."""
    monkeypatch.setattr(signed_reading, "_PAUSE_S", 0)
    moods: list[int | None] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            mood = moods.pop(0) if moods else 200
            if mood is None:
                self.close_connection = True
                return
            self.send_response(mood)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever).start()
    yield SignedReader(f"http://127.0.0.1:{server.server_port}/a", "a", OTHER_KEY, 5), moods
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("passing", [[None], [503], [500, 429], [None, 503]])
def test_a_trouble_that_passes_is_waited_out(
    moody: tuple[SignedReader, list[int | None]], passing: list[int | None]
) -> None:
    reading, moods = moody
    assert reading.blob("box/a").status == 200
    moods += passing

    assert reading.blob("box/a").status == 200
    assert moods == []


def test_a_trouble_that_stays_is_told(moody: tuple[SignedReader, list[int | None]]) -> None:
    reading, moods = moody
    moods += [503, 503, 503]

    with pytest.raises(Unavailable, match="503"):
        reading.blob("box/a")


def test_a_connection_that_the_other_end_has_closed_is_replaced_without_a_pause(
    moody: tuple[SignedReader, list[int | None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    reading, moods = moody
    assert reading.blob("box/a").status == 200
    moods += [None]
    monkeypatch.setattr(signed_reading, "_PAUSE_S", 1000)

    assert reading.blob("box/a").status == 200
