"""A model's lease: one worker holds it, keeps the model's record, and finds out when it has lost it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.adapters.models_table import ModelTable
from shared.adapters.storage_layout import MODELS
from shared.adapters.tables import TableStore
from shared.domain.deciding.champion import Champion
from shared.domain.deciding.model_record import ModelRecord
from shared.errors import Changed
from shared.retraining.promoting.lease import Lease
from shared.secret import Secret

NOW = datetime(2026, 5, 1, tzinfo=UTC)
CHAMPION = Champion("census-1", "artifacts/census/census-1/model.ilearner", "ab", NOW)


class _Clock:
    now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def records(storage: Secret) -> ModelTable:
    return ModelTable(TableStore(storage, MODELS))


@pytest.fixture
def clock() -> _Clock:
    return _Clock()


@pytest.fixture
def lease(records: ModelTable, clock: _Clock) -> Lease:
    held = Lease(records, "census", clock)
    held.take()
    return held


def _staged(run_id: str) -> Callable[[ModelRecord], ModelRecord]:
    return lambda record: replace(record, staged_run=run_id)


def test_it_is_renewed_when_the_last_save_is_a_while_ago(records: ModelTable, lease: Lease, clock: _Clock) -> None:
    version = records.load("census").version

    lease.hold()
    assert records.load("census").version == version

    clock.now += timedelta(minutes=2)
    lease.hold()
    assert records.load("census").lease_until == clock.now + timedelta(minutes=10)


def test_what_was_noted_is_saved_with_the_next_change(records: ModelTable, lease: Lease) -> None:
    lease.note(_staged("census-1"))
    assert lease.record.staged_run == "census-1"
    assert records.load("census").staged_run == ""

    lease.save(lambda record: replace(record, champion=CHAMPION))

    assert (records.load("census").staged_run, records.load("census").champion) == ("census-1", CHAMPION)


def test_what_was_noted_is_saved_when_it_is_given_back(records: ModelTable, lease: Lease) -> None:
    lease.note(_staged("census-1"))

    lease.release()

    assert (records.load("census").staged_run, records.load("census").lease) == ("census-1", "")


def test_a_schedule_that_writes_on_the_same_row_neither_loses_nor_costs_anything(
    records: ModelTable, lease: Lease
) -> None:
    records.save(replace(records.load("census"), last_scheduled_at=NOW))

    lease.note(_staged("census-1"))
    lease.save(lambda record: replace(record, champion=CHAMPION))
    records.save(replace(records.load("census"), drifted_at=NOW))
    lease.release()

    kept = records.load("census")
    assert (kept.last_scheduled_at, kept.drifted_at) == (NOW, NOW)
    assert (kept.champion, kept.staged_run, kept.lease) == (CHAMPION, "census-1", "")


def test_who_lost_it_changes_nothing_and_takes_nothing_back(records: ModelTable, lease: Lease, clock: _Clock) -> None:
    clock.now += timedelta(minutes=11)
    other = Lease(records, "census", clock)
    other.take()
    other.save(_staged("census-2"))

    with pytest.raises(Changed):
        lease.hold()
    with pytest.raises(Changed):
        lease.save(lambda record: replace(record, champion=CHAMPION))
    lease.release()

    other.save()
    assert (records.load("census").champion, records.load("census").staged_run) == (None, "census-2")


def test_who_lost_it_learns_what_serves_now(records: ModelTable, lease: Lease, clock: _Clock) -> None:
    clock.now += timedelta(minutes=11)
    other = Lease(records, "census", clock)
    other.take()
    other.save(lambda record: replace(record, champion=CHAMPION))
    other.release()

    with pytest.raises(Changed):
        lease.save(lambda record: replace(record, champion=replace(CHAMPION, run_id="census-late")))

    assert lease.record.champion == CHAMPION
    with pytest.raises(Changed):
        lease.save(_staged("census-late"))


def test_an_ended_lease_that_nobody_took_goes_on(records: ModelTable, lease: Lease, clock: _Clock) -> None:
    clock.now += timedelta(minutes=30)

    lease.save(_staged("census-1"))

    assert records.load("census").staged_run == "census-1"
