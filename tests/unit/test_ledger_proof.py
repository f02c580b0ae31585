"""What verifying the ledger shows and what it cannot, as docs/gate.md says under "The ledger"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from shared.domain.deciding.decision import Decision, problems_of

_AT = datetime(2026, 1, 1, tzinfo=UTC)


def made(*outcomes: str) -> list[Decision]:
    """A chain as the app makes it."""
    chain: list[Decision] = []
    for number, outcome in enumerate(outcomes):
        previous = chain[-1].hash if chain else ""
        link = Decision("census", number, f"run-{number}", outcome, _AT, {"reason": outcome}, previous, "")
        chain.append(replace(link, hash=link.expected_hash()))
    return chain


WHOLE = made("PROMOTED", "REJECTED", "PROMOTED", "ROLLBACK")


def test_a_chain_as_it_was_made_is_whole() -> None:
    assert problems_of(WHOLE, WHOLE[-1].head) == []
    assert problems_of(WHOLE, WHOLE[-2].head) == []  # a worker died between row and note
    assert problems_of([], None) == []


@pytest.mark.parametrize("left", [3, 1, 0])
def test_rows_cut_off_at_the_end_show_by_the_note(left: int) -> None:
    (problem,) = problems_of(WHOLE[:left], WHOLE[-1].head)

    assert problem == "decision 3 was made and is not there as it was: the chain was cut or rewritten"


@pytest.mark.parametrize("left", [4, 3, 2])
def test_a_note_that_was_deleted_shows_while_two_rows_are_left(left: int) -> None:
    (problem,) = problems_of(WHOLE[:left], None)

    assert problem == "the note of the newest decision is gone, so a cut at the end would not show"


@pytest.mark.parametrize("left", [1, 0])
def test_a_note_deleted_with_all_rows_but_one_does_not_show(left: int) -> None:
    assert problems_of(WHOLE[:left], None) == []


def test_a_row_changed_with_its_own_hash_breaks_the_next() -> None:
    changed = replace(WHOLE[1], outcome="PROMOTED")
    forged = [WHOLE[0], replace(changed, hash=changed.expected_hash()), *WHOLE[2:]]

    assert problems_of(forged, WHOLE[-1].head) == ["decision 2 does not follow the one before it"]


def test_a_chain_made_anew_with_its_note_shows_by_a_head_kept_elsewhere_alone() -> None:
    kept = WHOLE[-1].hash
    anew = made("PROMOTED", "PROMOTED", "PROMOTED", "ROLLBACK")

    assert problems_of(anew, anew[-1].head) == []
    assert kept not in _hashes(anew)
    assert kept in _hashes(made("PROMOTED", "REJECTED", "PROMOTED", "ROLLBACK", "PROMOTED"))  # one that only grew


def _hashes(chain: Sequence[Decision]) -> set[str]:
    return {link.hash for link in chain}
