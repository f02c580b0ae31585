"""Are the rows that came back those that were sent? What a service repeats of its input tells."""

from __future__ import annotations

from math import isclose

from shared.wire import Cell, Table

_MOSTLY = 0.5  # of a column's cells repeated in their place: it is passed through, and its other cells have to be, too


def disorder(sent: Table, answered: Table) -> str:
    """
    Say how the rows of an answer are others than those that were sent, or in another order; else nothing.

    A column that comes back under its name tells where its cells are those that were sent, all or most of them. One
    that was changed on the way, as an experiment may, tells nothing, and neither does a missing cell.
    """
    for name in sent.columns:
        if name not in answered.columns:
            continue
        before, after = sent.column(name), answered.column(name)
        told = [at for at, pair in enumerate(zip(before, after, strict=True)) if all(map(_is_there, pair))]
        wrong = [at for at in told if not _same(before[at], after[at])]
        if not wrong:
            continue
        is_shuffled = sorted(_key(before[at]) for at in told) == sorted(_key(after[at]) for at in told)
        if is_shuffled or len(wrong) < _MOSTLY * len(told):
            how = "in another order" if is_shuffled else "that were not sent"
            return f"rows came back {how}: column '{name}' differs in row {wrong[0] + 1} of {len(before)}"
    return ""


def _is_there(cell: Cell) -> bool:
    return cell is not None and bool(str(cell).strip())


def _same(one: Cell, other: Cell) -> bool:
    left, right = _key(one), _key(other)
    return left == right or (left[0] == right[0] == 0 and isclose(left[1], right[1], rel_tol=1e-6))


def _key(cell: Cell) -> tuple[int, float, str]:
    """Numbers by value, so that `39` and `39.0` are the same."""
    text = str(cell).strip()
    try:
        value = float(text)
    except ValueError:
        return 1, 0.0, text
    return (0, round(value, 9), "") if value == value else (1, 0.0, "NaN")
