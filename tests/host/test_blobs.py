from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from host.world import APPS, World, eventually
from local.host.host import FunctionsHost
from local.host.listeners.blob_queue import BlobMessage

KEY = "x-functions-key"


def _results(world: World, n: int) -> list[dict[str, object]]:
    return [json.loads(text) for text in world.await_messages("results", n)]


def test_a_new_blob_runs_the_function_with_its_bytes(world: World) -> None:
    world.host("basic")

    world.upload("files", "census/early.csv", b"\xff\x00a")

    name = f"{world.namespace}-files/census/early.csv"
    assert _results(world, 1) == [{"name": name, "length": 3, "content": "ff0061"}]


def test_an_sdk_type_binding_streams_the_blob(world: World) -> None:
    """Larger than the first chunk that the client fetches, so that it is read in several."""
    world.host("basic")

    world.upload("streams", "folder/large.bin", bytes(40 * 1024 * 1024))

    assert _results(world, 1) == [{"name": "folder/large.bin", "size": 40 * 1024 * 1024}]


def test_a_blob_that_does_not_match_the_path_runs_nothing(world: World) -> None:
    world.host("basic")

    world.upload("files", "census/notes.txt", b"no")
    world.upload("files", "census/data.csv", b"yes")

    (result,) = _results(world, 1)
    assert str(result["name"]).endswith("data.csv")
    assert len(_receipts(world, "file_arrived")) == 1


def test_the_same_version_runs_once_however_often_the_host_starts(world: World) -> None:
    first = world.host("basic")
    world.upload("files", "m/a.csv", b"1")
    _results(world, 1)
    first.stop()

    world.host("basic")
    world.upload("files", "m/b.csv", b"2")  # found by the same sweep as a.csv, or a later one

    assert [str(result["content"]) for result in _results(world, 2)] == ["31", "32"]
    assert len(_receipts(world, "file_arrived")) == 2


def test_a_changed_blob_runs_again(world: World) -> None:
    world.host("basic")
    world.upload("files", "m/a.csv", b"1")
    _results(world, 1)

    world.upload("files", "m/a.csv", b"2")

    assert [result["content"] for result in _results(world, 2)] == ["31", "32"]


def test_a_receipt_is_kept_where_the_platform_keeps_it(world: World) -> None:
    world.host("basic")

    etag = world.upload("files", "m/a.csv", b"1")

    _results(world, 1)
    name = f"{world.namespace}-files/m/a.csv"
    assert _receipts(world, "file_arrived") == [
        f"blobreceipts/{world.namespace}/Host.Functions.file_arrived/{etag}/{name}"
    ]


def test_a_deleted_receipt_replays_after_a_restart(world: World) -> None:
    first = world.host("basic")
    world.upload("files", "m/a.csv", b"1")
    _results(world, 1)
    first.stop()
    (receipt,) = _receipts(world, "file_arrived")
    world.blobs.get_blob_client("azure-webjobs-hosts", receipt).delete_blob()

    world.host("basic")

    assert len(_results(world, 2)) == 2


def test_a_blob_that_fails_five_times_goes_to_the_blob_poison_queue(world: World) -> None:
    world.host("failing")

    etag = world.upload("bad", "a.csv", b"1")

    expected = BlobMessage("Host.Functions.bad_blob", f"{world.namespace}-bad", "a.csv", etag)
    poison = eventually(
        lambda: [text for text in world.peek("webjobs-blobtrigger-poison", is_own=False) if world.namespace in text],
        what="a poison message",
    )
    assert [BlobMessage.from_json(text) for text in poison] == [expected]


def test_a_message_for_an_older_version_is_dropped(world: World) -> None:
    world.host("basic")
    etag = world.upload("files", "m/a.csv", b"1")
    _results(world, 1)
    stale = BlobMessage("Host.Functions.file_arrived", f"{world.namespace}-files", "m/a.csv", '"0xOLD"')
    current = BlobMessage("Host.Functions.file_arrived", f"{world.namespace}-files", "m/a.csv", etag)

    for message in (stale, current):
        world.send_raw(f"azure-webjobs-blobtrigger-{world.namespace}", message.to_json())

    assert len(_results(world, 2)) == 2
    queue = f"azure-webjobs-blobtrigger-{world.namespace}"
    eventually(lambda: world.n_waiting(queue, is_own=False) == 0, what="an empty queue")
    assert len(_results(world, 2)) == 2


TEXT_APP = """
import json
import azure.functions as func

app = func.FunctionApp()


@app.blob_trigger(arg_name="blob", path="%NS%-texts/{name}", connection="DATA"SOURCE)
@app.queue_output(arg_name="out", queue_name="%NS%-results", connection="DATA")
def text_arrived(blob: func.InputStream, out: func.Out[str]) -> None:
    out.set(json.dumps({"name": blob.name, "content": blob.read().hex()}))
"""


def _text_app(world: World, tmp_path: Path, source: str = "") -> FunctionsHost:
    (tmp_path / "function_app.py").write_text(TEXT_APP.replace("SOURCE", source))
    (tmp_path / "host.json").write_text((APPS / "basic" / "host.json").read_text())
    return world.host(tmp_path)


def test_without_binary_data_type_other_bytes_than_utf8_are_damaged(world: World, tmp_path: Path) -> None:
    _text_app(world, tmp_path)

    world.upload("texts", "a", b"a\xffb")

    (result,) = _results(world, 1)
    assert bytes.fromhex(str(result["content"])).decode() == "a\ufffdb"


def test_event_grid_functions_see_new_blobs_without_event_grid(world: World, tmp_path: Path) -> None:
    _text_app(world, tmp_path, ', source="EventGrid"')

    world.upload("texts", "a", b"1")

    (result,) = _results(world, 1)
    assert result["name"] == f"{world.namespace}-texts/a"


@pytest.fixture
def event_host(world: World, tmp_path: Path) -> FunctionsHost:
    return _text_app(world, tmp_path, ', source="EventGrid"')


def _hook(host: FunctionsHost, key: str, function: str = "Host.Functions.text_arrived") -> str:
    return f"{host.url}/runtime/webhooks/blobs?functionName={function}&code={key}"


def test_the_webhook_answers_the_handshake(event_host: FunctionsHost) -> None:
    event = [{"eventType": "Microsoft.EventGrid.SubscriptionValidationEvent", "data": {"validationCode": "512d"}}]

    answer = httpx.post(
        _hook(event_host, event_host.blobs_key), json=event, headers={"aeg-event-type": "SubscriptionValidation"}
    )

    assert (answer.status_code, answer.json()) == (200, {"validationResponse": "512d"})


def test_each_event_runs_the_function_on_the_current_content(world: World, event_host: FunctionsHost) -> None:
    world.upload("texts", "a", b"1")
    _results(world, 1)
    url = world.blobs.get_blob_client(f"{world.namespace}-texts", "a").url
    event = {
        "eventType": "Microsoft.Storage.BlobCreated",
        "data": {"url": url, "eTag": "0xANY", "blobType": "BlockBlob"},
    }

    answer = httpx.post(
        _hook(event_host, event_host.blobs_key), json=[event, event], headers={"aeg-event-type": "Notification"}
    )

    assert answer.status_code == 202
    assert [result["content"] for result in _results(world, 3)] == ["31", "31", "31"]


@pytest.mark.parametrize(
    ("key", "function", "kind", "status"),
    [
        ("wrong", "Host.Functions.text_arrived", "Notification", 401),
        ("", "Host.Functions.nothing", "Notification", 404),
        ("", "Host.Functions.text_arrived", "Unsubscribe", 202),
        ("", "Host.Functions.text_arrived", "Other", 400),
        ("", "Host.Functions.text_arrived", "Notification", 400),
    ],
)
def test_the_webhook_refuses_what_it_cannot_take(
    event_host: FunctionsHost, key: str, function: str, kind: str, status: int
) -> None:
    answer = httpx.post(
        _hook(event_host, key or event_host.blobs_key, function), json=[{}], headers={"aeg-event-type": kind}
    )

    assert answer.status_code == status


def _receipts(world: World, function: str) -> list[str]:
    return world.host_blobs(f"blobreceipts/{world.namespace}/Host.Functions.{function}/")
