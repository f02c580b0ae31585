"""Rows that come back: told from others, and from the same in another order, by what a service repeats."""

from __future__ import annotations

import pytest

from shared.domain.measuring.echo import disorder
from shared.wire import Cell, Table

COLUMNS = ("age", "sex", "income")
ROWS: list[list[Cell]] = [[str(20 + at), "FM"[at % 2], None] for at in range(10)]
SENT = Table(COLUMNS, ROWS)


def _answered(rows: list[list[Cell]], columns: tuple[str, ...] = COLUMNS) -> Table:
    return Table((*columns, "Scored Labels"), [[*row, "yes"] for row in rows])


@pytest.mark.parametrize(
    "answered",
    [
        _answered(ROWS),
        _answered([[f"{20 + at}.0", "FM"[at % 2] + " ", "?"] for at in range(10)]),
        _answered([[row[0] if at % 3 else None, row[1], None] for at, row in enumerate(ROWS)]),
        _answered([[str((20 + at) / 100), row[1], None] for at, row in enumerate(ROWS)]),
        Table(("Scored Labels",), [["yes"]] * 10),
        _answered([row[::-1] for row in ROWS], COLUMNS[::-1]),
        _answered([["NaN", row[1], None] for row in ROWS]),
    ],
    ids=["the same", "spelled otherwise", "gaps", "a changed column", "nothing", "columns moved", "no numbers"],
)
def test_rows_in_their_order_are_no_disorder(answered: Table) -> None:
    assert disorder(SENT, answered) == ""


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (ROWS[::-1], "rows came back in another order: column 'age' differs in row 1 of 10"),
        ([*ROWS[1:], ROWS[0]], "in another order: column 'age' differs in row 1 of 10"),
        ([ROWS[1], ROWS[0], *ROWS[2:]], "in another order: column 'age' differs in row 1 of 10"),
        ([*ROWS[:9], ROWS[0]], "that were not sent: column 'age' differs in row 10 of 10"),
        ([*ROWS[:9], ["77", "M", None]], "that were not sent: column 'age' differs in row 10 of 10"),
    ],
)
def test_other_rows_or_another_order_are_told(rows: list[list[Cell]], said: str) -> None:
    assert said in disorder(SENT, _answered(rows))


def test_a_small_error_of_rounding_is_none() -> None:
    sent = Table(("x",), [[str(at / 7)] for at in range(10)])
    answered = Table(("x", "Scored Labels"), [[f"{at / 7:.8g}", "yes"] for at in range(10)])

    assert disorder(sent, answered) == ""
