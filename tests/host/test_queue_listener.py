"""The listener alone, over a real queue."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
from azure.storage.queue import QueueClient, QueueMessage

from host.world import World, eventually
from local.host.functions import QueueOutput
from local.host.invocation import Heartbeat
from local.host.listeners.queue import Process, QueueListener, QueueRules
from local.host.messages import Datum, Kind
from local.host.outputs import QueueWriter

Start = Callable[..., QueueListener]


@pytest.fixture
def queue(world: World) -> QueueClient:
    return world.queues.create_queue(f"{world.namespace}-q")


@pytest.fixture
def start(queue: QueueClient) -> Iterator[Start]:
    listeners: list[QueueListener] = []

    def begin(process: Process, *, poison: QueueClient | None = None, **rules: float) -> QueueListener:
        values = {"batch_size": 2, "new_batch_threshold": 1, "max_dequeue_count": 5, "visibility_timeout_s": 0}
        rules = {**values, "max_polling_interval_s": 0.1, **rules}
        listeners.append(QueueListener(queue, QueueRules(**rules), process, lambda _: poison))  # type: ignore[arg-type]
        listeners[-1].start()
        return listeners[-1]

    yield begin
    for listener in listeners:
        listener.stop()
        listener.drain()


def test_a_message_stays_hidden_while_its_function_runs(queue: QueueClient, start: Start) -> None:
    runs, beats, release = [], threading.Semaphore(0), threading.Event()

    def process(message: QueueMessage, heartbeat: Heartbeat) -> bool:
        runs.append(message.id)
        while not release.wait(heartbeat.interval_s):
            heartbeat.beat()
            beats.release()
        return True

    start(process, hidden_s=2.0)
    queue.send_message("long")

    for _ in range(3):  # a second apart, so that two seconds of hiding have passed
        assert beats.acquire(timeout=20)
    release.set()
    eventually(lambda: queue.get_queue_properties().approximate_message_count == 0, what="the message deleted")
    assert len(runs) == 1


def test_at_most_batch_size_plus_threshold_messages_are_in_work(queue: QueueClient, start: Start) -> None:
    running, release = threading.Semaphore(0), threading.Event()

    def process(message: QueueMessage, heartbeat: Heartbeat) -> bool:
        running.release()
        return release.wait(20)

    for at in range(6):
        queue.send_message(str(at))
    start(process, batch_size=2, new_batch_threshold=1)

    # A batch of two leaves more than the threshold in work, so no other batch is taken.
    assert all(running.acquire(timeout=10) for _ in range(2))
    assert not running.acquire(timeout=0.5)
    release.set()
    assert all(running.acquire(timeout=10) for _ in range(4))


def test_a_failed_message_waits_for_the_visibility_timeout(queue: QueueClient, start: Start) -> None:
    seen: list[int] = []

    def process(message: QueueMessage, heartbeat: Heartbeat) -> bool:
        seen.append(message.dequeue_count or 0)
        return False

    start(process, visibility_timeout_s=300)
    queue.send_message("fails")

    eventually(lambda: seen, what="a first run")
    eventually(lambda: queue.get_queue_properties().approximate_message_count == 1, what="the message kept")
    assert queue.peek_messages() == []
    assert seen == [1]


def test_a_message_dequeued_too_often_is_put_aside_without_running(
    world: World, queue: QueueClient, start: Start
) -> None:
    runs: list[str] = []
    queue.send_message("worn")
    for _ in range(2):
        (message,) = queue.receive_messages(max_messages=1, visibility_timeout=1)
        queue.update_message(message.id, message.pop_receipt, visibility_timeout=0)
    poison = world.queues.get_queue_client(f"{world.namespace}-q-poison")

    start(lambda message, _: runs.append(message.id) is None, poison=poison, max_dequeue_count=2)

    eventually(lambda: world.exists(poison) and poison.peek_messages(), what="a poison message")
    assert runs == []


def test_without_a_poison_queue_a_message_stays_hidden(queue: QueueClient, start: Start) -> None:
    seen: list[str] = []
    start(lambda message, _: bool(seen.append(message.id)), poison=None, max_dequeue_count=1)

    queue.send_message("fails")

    eventually(lambda: seen, what="a run")
    assert queue.peek_messages() == []
    assert queue.get_queue_properties().approximate_message_count == 1


def test_a_writer_wakes_the_listener_long_before_its_next_poll(world: World, queue: QueueClient, start: Start) -> None:
    seen: list[str] = []
    listener = start(
        lambda message, _: seen.append(message.content) is None,
        min_polling_interval_s=3600,
        max_polling_interval_s=3600,
    )
    writer = QueueWriter(is_base64=False, on_written=lambda output: listener.wake())

    writer.write({"out": QueueOutput(queue.queue_name, world.connection)}, {"out": Datum(Kind.STRING, "now")})

    assert eventually(lambda: seen, what="the message run") == ["now"]


def test_a_listener_waits_for_a_queue_that_nobody_has_made(world: World) -> None:
    seen: list[str] = []
    queue = world.queues.get_queue_client(f"{world.namespace}-later")
    rules = QueueRules(1, 0, 5, 0, 0.1)
    listener = QueueListener(queue, rules, lambda message, _: seen.append(message.content) is None, lambda _: None)
    listener.start()

    queue.create_queue()
    queue.send_message("here")

    assert eventually(lambda: seen, what="the message run") == ["here"]
    listener.stop()
    listener.drain()
