from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from host.world import World, eventually

HOUR = timedelta(hours=1)
SECONDLY, HOURLY, YEARLY = "* * * * * *", "0 0 * * * *", "0 0 0 1 1 *"


def _status_blob(world: World) -> str:
    return f"timers/{world.namespace}/Host.Functions.tick/status"


def _stored(world: World) -> dict[str, str]:
    content = world.blobs.get_blob_client("azure-webjobs-hosts", _status_blob(world)).download_blob().readall()
    return dict(json.loads(content))


def _store(world: World, **moments: datetime) -> None:
    status = {name: moment.isoformat() for name, moment in moments.items()}
    world.host_container().upload_blob(_status_blob(world), json.dumps(status), overwrite=True)


def test_a_timer_fires_by_its_schedule(world: World) -> None:
    world.host("basic", SCHEDULE=SECONDLY)

    ticks = world.await_messages("ticks", 2)

    assert [json.loads(tick)["past_due"] for tick in ticks[:2]] == [False, False]


def test_a_timer_that_fires_each_second_keeps_no_status(world: World) -> None:
    world.host("basic", SCHEDULE=SECONDLY)

    (tick, *_) = world.await_messages("ticks")

    assert json.loads(tick)["status"] == {}
    assert world.host_blobs(f"timers/{world.namespace}/") == []


def test_the_first_start_records_the_next_run_and_runs_nothing(world: World) -> None:
    world.host("basic", SCHEDULE=HOURLY)

    eventually(lambda: world.host_blobs(_status_blob(world)), what="a status")

    assert datetime.fromisoformat(_stored(world)["Next"]) > datetime.now(UTC)
    assert world.peek("ticks") == []


def test_missed_runs_become_one_run_that_is_past_due(world: World) -> None:
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    missed = now - 5 * HOUR
    _store(world, Last=missed - HOUR, Next=missed, LastUpdated=missed - HOUR)

    world.host("basic", SCHEDULE=HOURLY)

    (tick,) = world.await_messages("ticks")
    assert json.loads(tick)["past_due"] is True
    assert datetime.fromisoformat(json.loads(tick)["status"]["Next"]) == missed
    eventually(lambda: datetime.fromisoformat(_stored(world)["Next"]) > datetime.now(UTC), what="a new status")
    assert len(world.peek("ticks")) == 1


def test_a_changed_schedule_is_not_past_due(world: World) -> None:
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    _store(world, Last=now - 6 * HOUR, Next=now - 5 * HOUR, LastUpdated=now - 6 * HOUR)

    world.host("basic", SCHEDULE=YEARLY)

    eventually(lambda: datetime.fromisoformat(_stored(world)["Next"]) > now, what="a new status")
    assert world.peek("ticks") == []


def test_two_hosts_with_one_id_run_a_timer_once(world: World) -> None:
    first = world.host("basic", SCHEDULE=SECONDLY)
    second = world.host("basic", SCHEDULE=SECONDLY, NS=f"{world.namespace}x")

    world.await_messages("ticks", 2)

    assert world.queues.get_queue_client(f"{world.namespace}x-ticks").queue_name not in _queue_names(world)
    first.stop()  # hands its lease over
    eventually(lambda: f"{world.namespace}x-ticks" in _queue_names(world), what="the second host's tick")
    second.stop()


def _queue_names(world: World) -> set[str]:
    return {queue.name for queue in world.queues.list_queues(name_starts_with=world.namespace)}


def test_a_retry_policy_repeats_a_failed_run(world: World) -> None:
    host = world.host("failing")

    world.run_by_hand(host, "retried")

    (result,) = world.await_messages("done")
    assert json.loads(result) == {"attempt": 2, "of": 2}
