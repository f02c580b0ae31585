"""Pure rules of the host, as tables."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from local.host.functions import RetryPolicy
from local.host.host_id import host_id
from local.host.host_json import time_span_s
from local.host.listeners.path_pattern import PathPattern
from local.host.listeners.polling import Backoff
from local.host.listeners.queue_trigger import merged_with_body
from local.host.listeners.schedule import Schedule
from local.host.listeners.timer_status import TimerStatus, examined
from local.host.messages import Datum, Kind
from local.host.outputs import queue_messages
from local.host.settings import Settings

NEVER = datetime.min.replace(tzinfo=UTC)
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)  # a Monday
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("* * * * * *", NOON + timedelta(seconds=1)),
        ("*/5 * * * * *", NOON + timedelta(seconds=5)),
        ("7/20 * * * * *", NOON + timedelta(seconds=7)),
        ("0 30 9 * * *", NOON + timedelta(hours=21, minutes=30)),
        ("30 9 * * *", NOON + timedelta(hours=21, minutes=30)),
        ("0 0 0 * * 0", NOON + timedelta(days=5, hours=12)),
        ("0 0 0 * * Sunday", NOON + timedelta(days=5, hours=12)),
        ("0 0 0 * * tue-thu", NOON + timedelta(hours=12)),
        ("0 0 0 1 july *", datetime(2026, 7, 1, tzinfo=UTC)),
        ("0 0 0 13 * 5", datetime(2026, 11, 13, tzinfo=UTC)),  # both must match: a Friday the 13th
    ],
)
def test_a_schedule_names_its_next_time(expression: str, expected: datetime) -> None:
    assert Schedule(expression).next_after(NOON) == expected


@pytest.mark.parametrize(
    "expression",
    [
        "", "* * * *", "* * * * * * *", "0 0 0 * * 7", "0 0 0 * * 5-7", "0 0 0 L * *", "0 0 0 15W * *",
        "0 0 0 ? * *", "0 0 0 * * 1#2", "@daily", "0 60 * * * *", "0 0 0 * Juli *", "0 0 0 * * x", "0 0 mon * * *",
        "00:05:00", "0 0 0 31 2 *",
    ],
)  # fmt: skip
def test_what_is_not_ncrontab_is_refused(expression: str) -> None:
    with pytest.raises(ValueError, match="schedule"):
        Schedule(expression)


@pytest.mark.parametrize(
    ("expression", "is_too_frequent"),
    [
        ("* * * * * *", True),
        ("*/30 * * * * *", True),
        ("0,30 * * * * *", True),
        ("0 * * * * *", False),
        ("*/30 0 * * * *", False),
    ],
)
def test_status_is_kept_unless_a_timer_fires_within_every_minute(expression: str, is_too_frequent: bool) -> None:
    assert Schedule(expression).is_too_frequent_to_monitor is is_too_frequent


HOURLY = Schedule("0 0 * * * *")


@pytest.mark.parametrize(
    ("stored", "next_at", "is_past_due"),
    [
        (None, NOON + HOUR, False),
        (TimerStatus(NOON - HOUR, NOON, NOON - HOUR), NOON, False),  # due this very moment: not missed
        (TimerStatus(NOON - 3 * HOUR, NOON - 2 * HOUR, NOON - 3 * HOUR), NOON - 2 * HOUR, True),
        (TimerStatus(NEVER, NOON - HOUR, NOON - 2 * HOUR), NOON - HOUR, True),  # never ran, but should have
        (TimerStatus(NEVER, NOON - HOUR, NEVER), NOON - HOUR, True),
        (TimerStatus(NOON - 3 * HOUR, NOON - 2.5 * HOUR, NOON - 3 * HOUR), NOON + HOUR, False),  # schedule changed
        (TimerStatus(NOON - HOUR / 2, NOON + DAY, NOON - HOUR / 2), NOON, False),  # changed to an earlier time
    ],
)
def test_a_stored_status_tells_a_missed_run_from_a_changed_schedule(
    stored: TimerStatus | None, next_at: datetime, is_past_due: bool
) -> None:
    status, missed = examined(stored, HOURLY, NOON)

    assert (status.next_at, missed) == (next_at, is_past_due)


def test_a_status_survives_its_wire_form() -> None:
    status = TimerStatus(NEVER, NOON, NOON - HOUR)

    assert TimerStatus.from_wire(status.to_wire()) == status


@pytest.mark.parametrize(
    ("pattern", "blob", "tokens"),
    [
        ("box/{name}", "a.csv", {"name": "a.csv"}),
        ("box/{name}", "deep/er/a.csv", {"name": "deep/er/a.csv"}),
        ("box/{model}/{name}", "census/a.csv", {"model": "census", "name": "a.csv"}),
        ("box/{model}/{name}", "a/b/c.csv", {"model": "a/b", "name": "c.csv"}),  # the first token takes most
        ("box/{name}.{ext}", "a.tar.gz", {"name": "a.tar", "ext": "gz"}),
        ("box/{name}.csv", "a.txt", None),
        ("box/{{fixed}}-{n}", "{fixed}-1", {"n": "1"}),
        ("box/fixed.csv", "fixed.csv", {}),
        ("box", "anything/at all", {}),
        ("box/in/{name}", "out/a", None),
    ],
)
def test_a_path_pattern_takes_a_name_apart(pattern: str, blob: str, tokens: dict[str, str] | None) -> None:
    assert PathPattern(pattern).match(blob) == tokens


@pytest.mark.parametrize(
    "pattern", ["", "{c}/x", "UPPER/x", "box/{name", "box/name}", "box/{a}{a}", "box/{}", "box/{a b}"]
)
def test_a_malformed_path_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="blob path"):
        PathPattern(pattern)


@pytest.mark.parametrize(
    ("pattern", "prefix"), [("box/in/{name}", "in/"), ("box/{name}", ""), ("box/a/b.csv", "a/b.csv"), ("box", "")]
)
def test_the_literal_beginning_is_what_a_subscription_filters_by(pattern: str, prefix: str) -> None:
    assert PathPattern(pattern).literal_prefix == prefix


@pytest.mark.parametrize(
    ("value", "messages"),
    [
        (Datum(Kind.STRING, "plain"), ["plain"]),
        (Datum(Kind.STRING, ""), [""]),
        (Datum(Kind.STRING, '{"a":{},"b":[1,"é"]}'), ['{\n  "a": {},\n  "b": [\n    1,\n    "é"\n  ]\n}']),
        (Datum(Kind.STRING, ' ["x", {"y":1}, 2, null, true] '), ["x", '{\n  "y": 1\n}', "2", "", "True"]),
        (Datum(Kind.STRING, "[]"), []),
        (Datum(Kind.STRING, "{a}b"), ["{a}b"]),
        (Datum(Kind.BYTES, b'["kept"]'), [b'["kept"]']),
        (Datum(Kind.JSON, '["{\\"a\\":1}", "[2]"]'), ['{"a":1}', "[2]"]),
    ],
)
def test_a_queue_output_is_split_and_rewritten_as_the_platform_does(value: Datum, messages: list[object]) -> None:
    assert queue_messages(value) == messages


def test_a_text_that_only_looks_like_json_fails_the_output() -> None:
    with pytest.raises(ValueError, match="begins and ends like JSON"):
        queue_messages(Datum(Kind.STRING, "{not json}"))


@pytest.mark.parametrize(
    ("body", "merged"),
    [
        ("plain", {"Id": "1"}),
        ('{"id": "2"}', {"Id": "2"}),
        ('{"ID": 7, "other": true}', {"Id": "7", "other": "True"}),
        ('{"id": null, "list": [1]}', {"Id": "1"}),
        ('{"o": {"a": 1}}', {"Id": "1", "o": '{"a": 1}'}),
        ('[{"id": 3}]', {"Id": "1"}),
        ("{broken}", {"Id": "1"}),
    ],
)
def test_keys_of_a_json_body_replace_metadata_without_regard_to_case(body: str, merged: dict[str, str]) -> None:
    found = merged_with_body({"Id": Datum(Kind.STRING, "1")}, body)

    assert {name: datum.value for name, datum in found.items()} == merged


def test_polls_back_off_to_the_longest_pause_and_start_over_when_something_is_found() -> None:
    backoff = Backoff(0.1, 2.0, draw=random.Random(1))

    pauses = [backoff.pause_s(found=False) for _ in range(10)]

    assert pauses[0] < 0.13
    assert pauses == sorted(pauses)
    assert pauses[-1] == 2.0
    assert backoff.pause_s(found=True) == 0.1
    assert backoff.pause_s(found=False) < 0.13


def test_a_retry_policy_waits_fixed_or_growing_times() -> None:
    fixed, growing = RetryPolicy(3, False, 2.0, 9.0), RetryPolicy(3, True, 1.0, 5.0)

    assert [fixed.delay_s(n) for n in range(3)] == [2.0, 2.0, 2.0]
    assert [growing.delay_s(n) for n in range(4)] == [1.0, 2.0, 4.0, 5.0]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("00:00:02", 2),
        ("01:30", 5400),
        ("1.00:00:00", 86400),
        ("00:00:00.25", 0.25),
        ("2", None),
        ("", None),
        ("-1", None),
    ],
)
def test_time_spans_are_dotnets(text: str, seconds: float | None) -> None:
    assert time_span_s(text) == seconds


def test_a_host_id_is_stable_differs_by_folder_and_can_be_given(tmp_path: Path) -> None:
    one, two = host_id(tmp_path / "one", Settings({})), host_id(tmp_path / "two", Settings({}))

    assert one == host_id(tmp_path / "one", Settings({}))
    assert one != two
    assert len(one) <= 32
    assert host_id(tmp_path, Settings({"AzureFunctionsWebHost__hostid": "Given"})) == "given"
