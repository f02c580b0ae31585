"""What Score Model does with a model's answers in a web service: threshold, and whether input columns go along."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from studio.engine.cells import Row
from studio.engine.scored_columns import THRESHOLD, Answers
from studio.engine.sections import Section
from studio.engine.settings import AnyRule, Rule, Setting

Rows = Sequence[Row]
_Column = TypeVar("_Column")

_APPEND, _THRESHOLD = "Append score columns to output", "Threshold"
SCORE_RULES: Mapping[str, AnyRule] = {_APPEND: Rule(bool, True), _THRESHOLD: Rule(float, THRESHOLD, 0, 1)}


@dataclass(frozen=True)
class ScoreSettings:
    """
    How answers are shown.

    With `keeps_inputs` the scored columns follow the input columns, else they stand alone. A row of two classes has the
    positive label from `threshold` on, which is held against the probability as it is shown.
    """

    keeps_inputs: bool = True
    threshold: float = THRESHOLD

    @property
    def values(self) -> dict[str, Setting]:
        """Name to value, as in a declaration."""
        return {_APPEND: self.keeps_inputs, _THRESHOLD: self.threshold}

    def changed(self, values: Mapping[str, Setting]) -> ScoreSettings:
        """Return the settings with some of them changed, by name."""
        return ScoreSettings.of({**self.values, **values})

    @classmethod
    def of(cls, values: Mapping[str, Setting]) -> ScoreSettings:
        """Take over values that their rules have accepted; those that are not there have their defaults."""
        return cls(bool(values.get(_APPEND, True)), float(values.get(_THRESHOLD, THRESHOLD)))

    def columns(self, columns: Sequence[_Column], n_inputs: int) -> Sequence[_Column]:
        """Choose from a model's output columns, the first `n_inputs` of which are its input's."""
        return columns if self.keeps_inputs else columns[n_inputs:]

    def rows(self, rows: Rows, n_inputs: int, classes: Sequence[str]) -> Rows:
        """Choose from rows the same way, and label them anew where there are two classes."""
        if self.threshold != THRESHOLD and len(classes) == 2:
            rows = [row if row[-1] is None else self._relabelled(row, row[-1], classes) for row in rows]
        return rows if self.keeps_inputs else [row[n_inputs:] for row in rows]

    def _relabelled(self, row: Row, probability: str, classes: Sequence[str]) -> Row:
        return (*row[:-2], classes[float(probability) >= self.threshold], probability)


PLAIN = ScoreSettings()


def read_score_settings(section: Section, answers: Answers) -> ScoreSettings:
    """Read the section; problems are added to it."""
    values = section.settings(score_rules(answers))
    section.close()
    return ScoreSettings.of(values)


def score_rules(answers: Answers) -> Mapping[str, AnyRule]:
    """Name the settings that a learner's answers have: only the probability of one label has a threshold."""
    return SCORE_RULES if answers is Answers.PROBABILITY else {_APPEND: SCORE_RULES[_APPEND]}
