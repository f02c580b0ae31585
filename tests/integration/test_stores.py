"""The tables' promises: inserts happen once, stale saves are refused, leases exclude, decisions form a chain."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from azure.data.tables import TableServiceClient

from shared.adapters.decisions import DecisionTable
from shared.adapters.ledger import Ledger
from shared.adapters.models_table import ModelTable
from shared.adapters.runs_table import RunTable, _to_row
from shared.adapters.storage_layout import DATASETS, DECISIONS, MODELS, RUNS
from shared.adapters.tables import TableStore
from shared.domain.data.dataset import Dataset, DatasetState, dataset_key
from shared.domain.deciding.champion import Champion
from shared.domain.deciding.decision import problems_of
from shared.domain.lifecycle.runs import Run, RunState
from shared.errors import Changed
from shared.retraining.training.naming import new_run
from shared.secret import Secret

NOW = datetime(2026, 11, 23, 12, 0, 0, 123456, tzinfo=UTC)


def test_a_text_longer_than_a_property_may_be_comes_back_whole_from_every_way_in(storage: Secret) -> None:
    table = TableStore(storage, DATASETS)
    long = "".join(chr(0x1F600 + at % 50) if at % 3 else "ä" for at in range(35_001))
    row = {"PartitionKey": "long", "RowKey": "1", "text": long, "other": "short", "number": 3}

    version = table.insert(row)
    assert table.get("long", "1") == (row, version)
    version = table.replace({**row, "text": long + "!"}, version)
    version = table.replace_with({**row, "other": long}, version, ("upsert", {**row, "RowKey": "2"}))
    table.insert_together([{**row, "RowKey": "3"}])
    table.put({**row, "RowKey": "4"})
    found = [read for read, _ in table.query("PartitionKey eq @key", key="long")]
    assert found == [{**row, "other": long}, *({**row, "RowKey": key} for key in "234")]

    table.replace({**row, "text": "now short"}, version)
    after = table.get("long", "1")
    assert after
    assert after[0] == {**row, "text": "now short"}


def a_dataset(name: str = "census/ä 'quoted'.csv", etag: str = "0x1") -> Dataset:
    key = dataset_key("training-data", name, etag)
    return Dataset(key, "census", "training-data", name, etag, 3 * 2**31, NOW)


def test_a_file_is_entered_once_and_comes_back_as_it_stands(storage: Secret) -> None:
    ledger = Ledger(TableStore(storage, DATASETS))
    first = ledger.enter(a_dataset())
    saved = ledger.save(replace(first, state=DatasetState.QUARANTINED, reason="x", problems=({"line": 1},)))

    again = ledger.enter(a_dataset())

    assert again == saved
    assert again.version == saved.version
    assert again.size == 3 * 2**31


def test_a_save_of_what_somebody_else_changed_is_refused(storage: Secret) -> None:
    ledger = Ledger(TableStore(storage, DATASETS))
    first = ledger.enter(a_dataset())
    ledger.save(replace(first, reason="theirs"))

    with pytest.raises(Changed):
        ledger.save(replace(first, reason="mine"))
    kept = ledger.find("census", first.key)
    assert kept
    assert kept.reason == "theirs"


def test_content_belongs_to_the_file_that_claimed_it_first(storage: Secret) -> None:
    ledger = Ledger(TableStore(storage, DATASETS))
    first, second = (replace(a_dataset(name), sha256="ab" * 32) for name in ("census/1.csv", "census/2.csv"))

    owners = [ledger.claim_content(dataset) for dataset in (first, second, first)]

    assert owners == [first.key] * 3
    assert ledger.claim_content(replace(second, model="other")) == second.key


def test_only_accepted_files_without_a_run_wait_for_the_schedule(storage: Secret) -> None:
    ledger = Ledger(TableStore(storage, DATASETS))
    for name, state, run in (
        ("a", DatasetState.ACCEPTED, ""),
        ("b", DatasetState.ACCEPTED, "census-1"),
        ("c", DatasetState.QUARANTINED, ""),
    ):
        ledger.save(replace(ledger.enter(a_dataset(name)), state=state, run_id=run))

    assert [dataset.name for dataset in ledger.waiting("census")] == ["a"]
    assert list(ledger.waiting("other")) == []


def test_runs_are_due_once_their_pause_is_over_and_saved_together(storage: Secret) -> None:
    runs = RunTable(TableStore(storage, RUNS))
    made = [
        runs.create(new_run(f"census-{n}", "census", [a_dataset()], "training-data/census/a.csv", "0x1", NOW))
        for n in range(150)
    ]
    moved = runs.save(made[7].advanced(RunState.SUBMITTED, NOW, job_id="j"))  # by another worker

    runs.save_all([run.postponed(NOW + timedelta(minutes=1), "the service: away") for run in made])

    assert [run.id for run in runs.due(NOW)] == [moved.id]
    assert runs.find("census", moved.id) == moved
    later = {run.id: run for run in runs.due(NOW + timedelta(minutes=1))}
    assert len(later) == 150
    assert later["census-149"].waits_for == "the service: away"
    assert later["census-149"].attempts == 1


def test_a_run_is_created_once_and_survives_the_table(storage: Secret) -> None:
    runs = RunTable(TableStore(storage, RUNS))
    run = runs.create(new_run("census-1", "census", [a_dataset()], "training-data/census/a.csv", "0x1", NOW))
    moved = runs.save(run.advanced(RunState.SUBMITTED, NOW, job_id="j", submitted_at=NOW, verdict={"a": [1, None]}))

    again = runs.create(new_run("census-1", "census", [a_dataset()], "training-data/census/a.csv", "0x1", NOW))

    assert again == moved
    assert runs.find_any("census-1") == moved
    assert list(runs.due(NOW)) == [moved]
    runs.save(moved.advanced(RunState.FAILED, NOW, "x"))
    assert list(runs.due(NOW)) == []


def test_what_a_person_asks_is_saved_beside_the_telling_of_news_and_nothing_else(storage: Secret) -> None:
    runs = RunTable(TableStore(storage, RUNS))
    read = runs.create(_ended("census", 1))
    told = runs.save(replace(read, announcement=read.announcement.tried(1, NOW)))

    asked = runs.amend(read, replace(read, cancel_reason="by ada"))
    runs.save(replace(asked, attempts=1))

    assert (asked.cancel_reason, asked.announcement) == ("by ada", told.announcement)
    with pytest.raises(Changed):
        runs.amend(asked, replace(asked, cancel_reason="by bob"))


def test_of_a_thousand_runs_the_newest_are_read_and_then_those_before(storage: Secret) -> None:
    table = TableStore(storage, RUNS)
    runs = RunTable(table)
    with TableServiceClient.from_connection_string(storage.reveal()) as tables:
        rows = [_to_row(replace(_ended("census", n), reason=str(n))) for n in range(1200)]
        for at in range(0, len(rows), 100):
            tables.get_table_client(RUNS).submit_transaction([("upsert", row) for row in rows[at : at + 100]])
    runs.create(_ended("other", 5000))
    held = runs.create(new_run("census-held", "census", [], "c/t", "0x1", NOW - timedelta(days=400)))

    first, after = runs.newest("census", 50)
    second, _ = runs.newest("census", 50, after)
    last, end = runs.newest("census", 1000, runs.newest("census", 1000)[1])
    overview = runs.recent(NOW, 20)

    assert [run.reason for run in first] == [str(n) for n in range(1199, 1149, -1)]
    assert [run.reason for run in second] == [str(n) for n in range(1149, 1099, -1)]
    assert (len(last), last[-1].id, end) == (201, held.id, "")
    assert runs.newest(None, 1)[0][0].model == "other"
    assert [run.id for run in overview][-1] == held.id
    assert len(overview) == 21


def _ended(model: str, n: int) -> Run:
    at = NOW + timedelta(minutes=n // 2)  # two runs at each instant
    return replace(new_run(f"{model}-{n:05}", model, [], "c/t", "0x1", at), state=RunState.REJECTED)


def test_a_lease_excludes_others_until_it_ends_or_is_released(storage: Secret) -> None:
    records = ModelTable(TableStore(storage, MODELS))
    minute = timedelta(minutes=1)

    assert records.lease("census", "me", NOW, minute)
    assert records.lease("census", "you", NOW + minute / 2, minute) is None
    assert records.lease("census", "me", NOW + minute / 2, minute)
    assert records.lease("census", "you", NOW + 2 * minute, minute)
    records.release("census", "me")
    assert records.load("census").lease == "you"
    records.release("census", "you")
    assert records.lease("census", "me", NOW + 2 * minute, minute)


def test_of_many_workers_only_one_takes_the_lease(storage: Secret) -> None:
    records = ModelTable(TableStore(storage, MODELS))
    records.load("census")
    minute = timedelta(minutes=1)

    with ThreadPoolExecutor(8) as workers:
        taken = list(workers.map(lambda n: records.lease("census", f"w{n}", NOW, minute), range(8)))

    assert sum(record is not None for record in taken) == 1


def test_a_champion_survives_the_table(storage: Secret) -> None:
    records = ModelTable(TableStore(storage, MODELS))
    champion = Champion("census-1", "artifacts/census/census-1/model.ilearner", "ab" * 32, NOW, NOW)

    records.save(replace(records.load("census"), champion=champion, last_scheduled_at=NOW))

    assert records.load("census").champion == champion
    assert records.load("census").last_scheduled_at == NOW


def test_decisions_chain_in_order_although_many_write_at_once(storage: Secret) -> None:
    decisions = DecisionTable(TableStore(storage, DECISIONS), ModelTable(TableStore(storage, MODELS)))

    with ThreadPoolExecutor(4) as workers:
        list(workers.map(lambda n: decisions.record("census", f"run-{n}", "PROMOTED", NOW, {"n": n}), range(8)))

    chain = decisions.chain("census")
    assert problems_of(chain, decisions.head("census")) == []
    assert sorted(link.evidence["n"] for link in chain) == list(range(8))


def test_an_outcome_of_a_run_is_decided_once(storage: Secret) -> None:
    decisions = DecisionTable(TableStore(storage, DECISIONS), ModelTable(TableStore(storage, MODELS)))

    first, second = [decisions.record("census", "run-1", "REJECTED", NOW, {"try": attempt}) for attempt in (1, 2)]

    assert first == second
    assert len(decisions.chain("census")) == 1
