from __future__ import annotations

import json
from pathlib import Path

from host.world import World, eventually


def test_a_message_runs_its_function_and_is_gone(world: World) -> None:
    world.host("basic")

    world.send("orders", "hello")

    (result,) = world.await_messages("results")
    assert json.loads(result)["body"] == "hello"
    eventually(lambda: world.n_waiting("orders") == 0, what="an empty queue")


def test_a_json_body_overwrites_the_messages_own_id(world: World) -> None:
    world.host("basic")

    world.send("orders", '{"ID": "from the body"}')

    (result,) = world.await_messages("results")
    assert json.loads(result)["id"] == "from the body"


def test_json_outputs_are_written_anew_and_indented_and_bytes_are_not(world: World) -> None:
    world.host("basic")

    world.send("lists", "one")

    assert sorted(world.await_messages("results", 2)) == ["[1]", "one"]
    assert world.await_messages("raw-results") == ['["kept", "whole"]']


def test_an_object_set_as_text_comes_out_indented(world: World) -> None:
    world.host("basic")

    world.send("orders", "hello")

    (result,) = world.await_messages("results")
    assert result.startswith('{\n  "body": "hello",\n')


def test_a_failed_message_is_retried_and_its_outputs_are_not_written(world: World) -> None:
    world.host("failing")

    world.send("work", '{"name": "n", "1": "fail", "2": "exit"}')

    (result,) = world.await_messages("done")
    assert json.loads(result) == {"name": "n", "dequeue_count": 3}


def test_a_message_that_fails_five_times_goes_to_poison_verbatim(world: World) -> None:
    world.host("failing")
    text = '{"name":"n",   "always":"fail"}'

    world.send("work", text)

    assert world.await_messages("work-poison") == [text]
    assert world.peek("done") == []
    eventually(lambda: world.n_waiting("work") == 0, what="an empty queue")


def test_a_message_that_is_not_base64_goes_to_poison(world: World) -> None:
    world.host("failing")
    world.send("work", "{}")
    world.await_messages("done")

    queue = world.queues.get_queue_client(f"{world.namespace}-work")
    queue.send_message("not base64!")

    poison = world.queues.get_queue_client(f"{world.namespace}-work-poison")
    eventually(lambda: world.exists(poison) and poison.peek_messages(), what="a poison message")
    assert poison.peek_messages()[0].content == "not base64!"


def test_messages_run_side_by_side(world: World, tmp_path: Path) -> None:
    world.host("failing")
    gate = tmp_path / "gate"

    world.send("work", json.dumps({"name": "waits", "always": "wait", "until": str(gate)}))
    world.send("work", '{"name": "does not"}')

    (first,) = world.await_messages("done")
    assert json.loads(first)["name"] == "does not"
    gate.touch()
    assert len(world.await_messages("done", 2)) == 2
