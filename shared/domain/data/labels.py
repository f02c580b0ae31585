"""The label of a training file: whether it varies as its task needs."""

from __future__ import annotations

import math
from collections.abc import Iterable

from shared.domain.data.contract import Contract
from shared.domain.data.findings import Problem, shown
from shared.domain.task import Task

_CLASSES_KEPT = 1000  # a label with more values is no class


class LabelTally:
    """Sees the labels of all good rows; remembers the classes, or of numbers the extremes."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._classes: set[str] = set()
        self._low, self._high = math.inf, -math.inf

    def see(self, cells: Iterable[str]) -> None:
        """Take in the labels of some rows."""
        if self._contract.task is Task.REGRESSION:
            numbers = [float(cell) for cell in cells]
            self._low, self._high = min([self._low, *numbers]), max([self._high, *numbers])
        elif len(self._classes) <= _CLASSES_KEPT:
            self._classes.update(map(str.strip, cells))

    def problem(self) -> Problem | None:
        """Say what is wrong with the labels seen, if anything."""
        if self._contract.task is Task.REGRESSION:
            found, expected = self._spread(), "numbers that vary"
        else:
            found, expected = self._variety(), _EXPECTED[self._contract.task]
        return Problem(None, self._contract.label, found, expected, "label") if found else None

    def _spread(self) -> str:
        if self._low == self._high:
            return f"{self._low:g} in every row"
        return "no value at all" if self._low > self._high else ""

    def _variety(self) -> str:
        classes, positive = sorted(self._classes), self._contract.positive
        if not classes:
            return "no value at all"
        if len(classes) == 1:
            return f"only the value {shown(classes[0])}"
        if len(classes) > _CLASSES_KEPT:
            return f"more than {_CLASSES_KEPT} values"
        if self._contract.task is Task.TWO_CLASS:
            if len(classes) > 2:
                more = f" and {len(classes) - 3} more" if len(classes) > 3 else ""
                return f"the values {', '.join(map(shown, classes[:3]))}{more}"
            if positive and positive not in classes:
                return f"the values {', '.join(map(shown, classes))}, without the positive class {shown(positive)}"
        return ""


_EXPECTED = {Task.TWO_CLASS: "exactly two classes", Task.MULTICLASS: "at least two classes"}
