"""Why a file did or did not trigger, in words."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.data.dataset import Ask, Dataset, DatasetState
from shared.domain.data.explanation import Present, Version, Waiting, explain
from shared.domain.data.waiting import Batching

AT = datetime(2026, 11, 25, 10, 0, tzinfo=UTC)
PATIENCE = timedelta(minutes=2)


def after(**length: float) -> datetime:
    return AT + timedelta(**length)


NAME = "census/a.csv"
HERE = Present("0x1", 900, AT)
SEEN = Dataset("k", "census", "training-data", NAME, "0x1", 900, after(seconds=3))
ACCEPTED = replace(SEEN, state=DatasetState.ACCEPTED, reason="600 rows meet the contract", settled_at=after(seconds=5))
TRAINED = replace(ACCEPTED, run_id="census-1")
FIRST = "Version 0x1 (900 bytes), which is there now, was seen at 2026-11-25 10:00:03 UTC, 3 s after it was written"
ASKED = Ask("retrain", "ann", "the service was updated", after(hours=1), run_id="census-2", run_before="census-1")

CASES = [
    ("a name nobody knows", None, [], Waiting(), after(), [
        "There is no file 'census/a.csv' in training-data.",
        "The ledger has never seen one; GET /api/datasets lists what came. Check the name, and its model's folder.",
    ]),
    ("written just now", HERE, [], Waiting(), after(seconds=30), [
        "The version of 'census/a.csv' that is there now (900 bytes, written at 2026-11-25 10:00:00 UTC) is not in the ledger "
        "yet, 30 s after it was written: its event may still come; the sweep takes it up when it is older than 2 min.",
    ]),
    ("announced by nothing", HERE, [], Waiting(), after(hours=3), [
        "The version of 'census/a.csv' that is there now (900 bytes, written at 2026-11-25 10:00:00 UTC) is not in the ledger "
        "yet, 3 h after it was written: no event has announced it; the next sweep takes it up.",
    ]),
    ("being read", HERE, [Version(SEEN)], Waiting(), after(seconds=4), [
        f"{FIRST}, by its event.",
        "It has not triggered yet: it is being read, or its bytes are under another name; the sweep looks at it again.",
    ]),
    ("still growing", HERE, [Version(replace(SEEN, reason="more may be appended to it"))], Waiting(), after(), [
        f"{FIRST}, by its event.",
        "It has not triggered yet: more may be appended to it.",
    ]),
    ("trained", HERE, [Version(replace(TRAINED, seen_by="sweep"), "PROMOTED", "proven on 20 golden rows")], Waiting(), after(), [
        f"{FIRST}, by the sweep.",
        "It triggered run 'census-1' at 2026-11-25 10:00:05 UTC: 600 rows meet the contract. "
        "That run is PROMOTED: proven on 20 golden rows.",
    ]),
    ("its run was removed", HERE, [Version(TRAINED)], Waiting(), after(), [
        f"{FIRST}, by its event.",
        "It triggered run 'census-1' at 2026-11-25 10:00:05 UTC: 600 rows meet the contract. "
        "That run is not in the table `runs`.",
    ]),
    ("waits for its schedule", HERE, [Version(ACCEPTED)], Waiting(schedule="0 0 3 * * *", opened_at=AT), after(), [
        f"{FIRST}, by its event.",
        "It was accepted at 2026-11-25 10:00:05 UTC and has not triggered yet: 600 rows meet the contract. "
        "The schedule is due next at 2026-11-26 03:00:00 UTC.",
    ]),
    ("waits for its window", HERE, [Version(ACCEPTED)],
     Waiting(batching=Batching(timedelta(hours=1), 1000, "_SUCCESS"), rows=600, opened_at=AT), after(), [
        f"{FIRST}, by its event.",
        "It was accepted at 2026-11-25 10:00:05 UTC and has not triggered yet: 600 rows meet the contract. "
        "The window closes at 2026-11-25 11:00:00 UTC at the latest, or with 1000 rows, of which 600 are there, "
        "or when a file '_SUCCESS' comes.",
    ]),
    ("waits for what is gone", HERE, [Version(ACCEPTED)], Waiting(), after(), [
        f"{FIRST}, by its event.",
        "It was accepted at 2026-11-25 10:00:05 UTC and has not triggered yet: 600 rows meet the contract. "
        "Its model has no schedule or window any more; the next tick of the timer trains on it.",
    ]),
    ("a duplicate", HERE,
     [Version(replace(ACCEPTED, state=DatasetState.DUPLICATE, reason="the same bytes arrived before as 'b.csv'"))],
     Waiting(), after(), [
        f"{FIRST}, by its event.",
        "It did not trigger; it is DUPLICATE since 2026-11-25 10:00:05 UTC: the same bytes arrived before as 'b.csv'. "
        "To train on these bytes again, ask for it with `force` and a reason.",
    ]),
    ("in quarantine", HERE,
     [Version(replace(ACCEPTED, state=DatasetState.QUARANTINED, reason="line 2: found 'x', expected a number"))],
     Waiting(), after(), [
        f"{FIRST}, by its event.",
        "It did not trigger; it is QUARANTINED since 2026-11-25 10:00:05 UTC: line 2: found 'x', expected a number. "
        "Fix the file and drop it again, or fix the contract and release it.",
    ]),
    ("two versions, of which the older is gone", HERE,
     [Version(SEEN), Version(replace(TRAINED, etag="0x0", size=800), "REJECTED")], Waiting(), after(), [
        "The ledger knows 2 versions of it; the newest comes first.",
        f"{FIRST}, by its event.",
        "It has not triggered yet: it is being read, or its bytes are under another name; the sweep looks at it again.",
        "Version 0x0 (800 bytes), which is not there any more, was seen at 2026-11-25 10:00:03 UTC, by its event.",
        "It triggered run 'census-1' at 2026-11-25 10:00:05 UTC: 600 rows meet the contract. That run is REJECTED.",
    ]),
    ("asked for by a person", HERE, [Version(replace(TRAINED, run_id="census-2", asks=(ASKED,)), "TRAINING")], Waiting(), after(), [
        f"{FIRST}, by its event.",
        "It triggered run 'census-2' at 2026-11-25 10:00:05 UTC: 600 rows meet the contract. That run is TRAINING.",
        "ann asked at 2026-11-25 11:00:00 UTC to retrain it: the service was updated. Run 'census-2' came of it. "
        "Before, it had triggered run 'census-1'.",
    ]),
    ("removed", None, [Version(TRAINED, "PROMOTED")], Waiting(), after(), [
        "There is no file 'census/a.csv' in training-data any more.",
        "Version 0x1 (900 bytes), which is not there any more, was seen at 2026-11-25 10:00:03 UTC, by its event.",
        "It triggered run 'census-1' at 2026-11-25 10:00:05 UTC: 600 rows meet the contract. That run is PROMOTED.",
    ]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("case", "present", "versions", "waiting", "now", "sentences"), CASES, ids=[case[0] for case in CASES]
)
def test_an_explanation(
    case: str,
    present: Present | None,
    versions: list[Version],
    waiting: Waiting,
    now: datetime,
    sentences: list[str],
) -> None:
    assert explain(NAME, present, versions, waiting, PATIENCE, now) == sentences
