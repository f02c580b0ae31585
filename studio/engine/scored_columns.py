"""Score Model's columns: what a model's answers to a row become, by the kind of its answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from math import sqrt
from typing import Protocol

from studio.engine.number_text import number_text, number_texts
from studio.engine.schema import ColumnType

THRESHOLD = 0.5  # of a positive label's probability
FOLDS = "Fold Assignments"
SCORED_LABELS = "Scored Labels"

_PROBABILITIES = "Scored Probabilities"
_MEAN, _DEVIATION = "Scored Label Mean", "Scored Label Standard Deviation"
_QUANTILE = "Quantile"

Columns = tuple[tuple[str, ColumnType], ...]


class Answers(Enum):
    """What a model gives to a row."""

    PROBABILITY = "the positive label's probability"
    PROBABILITIES = "each class's probability"
    SHARES = "each class's share, which may not add up to one"
    VALUE = "a value"
    MOMENTS = "mean, mean of squares and their origin"
    QUANTILES = "quantiles of the value, rising"


class ScoredColumns(Protocol):
    """Makes cells of answers; `n_answers` of them belong to a row."""

    @property
    def columns(self) -> Columns:
        """Names and types of the cells."""

    @property
    def n_answers(self) -> int:
        """Answers to a row."""

    def cells(self, answers: Sequence[float]) -> Iterator[tuple[str, ...]]:
        """Yield the cells of each row; `answers` is `n_rows × n_answers` in one sequence."""


def reserved(name: str) -> bool:
    """Tell whether a name may not be an input column's, because a scored column has it."""
    return name == FOLDS or name.startswith(("Scored Label", _PROBABILITIES, f"{_QUANTILE}:"))


@dataclass(frozen=True)
class ScoredProbability:
    """For two classes: the likelier label, and the probability of the second, which is the positive one."""

    classes: tuple[str, ...]
    label_type: ColumnType
    n_answers: int = 1

    @property
    def columns(self) -> Columns:
        """Names and types of the cells."""
        return (SCORED_LABELS, self.label_type), (_PROBABILITIES, ColumnType.NUMERIC)

    def cells(self, answers: Sequence[float]) -> Iterator[tuple[str, ...]]:
        """Yield label and probability."""
        classes = self.classes
        return zip([classes[answer >= THRESHOLD] for answer in answers], number_texts(answers), strict=True)


@dataclass(frozen=True)
class ScoredProbabilities:
    """For several classes: the probability of each, and the likeliest; of equally likely ones the first."""

    classes: tuple[str, ...]
    label_type: ColumnType
    are_shares: bool = False

    @property
    def n_answers(self) -> int:
        """Answers to a row."""
        return len(self.classes)

    @property
    def columns(self) -> Columns:
        """Names and types of the cells."""
        each = tuple((f'{_PROBABILITIES} for Class "{name}"', ColumnType.NUMERIC) for name in self.classes)
        return *each, (SCORED_LABELS, self.label_type)

    def cells(self, answers: Sequence[float]) -> Iterator[tuple[str, ...]]:
        """Yield probabilities and label."""
        for row in _rows(answers, self.n_answers):
            probabilities = _normalized(row) if self.are_shares else row
            yield *map(number_text, probabilities), self.classes[row.index(max(row))]


@dataclass(frozen=True)
class ScoredValue:
    """For a number: the value."""

    n_answers: int = 1
    columns: Columns = ((SCORED_LABELS, ColumnType.NUMERIC),)

    def cells(self, answers: Sequence[float]) -> Iterator[tuple[str, ...]]:
        """Yield the value."""
        return zip(number_texts(answers), strict=True)


@dataclass(frozen=True)
class ScoredMoments:
    """For a number with its spread: mean and standard deviation."""

    n_answers: int = 3
    columns: Columns = ((_MEAN, ColumnType.NUMERIC), (_DEVIATION, ColumnType.NUMERIC))

    def cells(self, answers: Sequence[float]) -> Iterator[tuple[str, ...]]:
        """Yield mean and standard deviation."""
        for mean, squares, origin in _rows(answers, self.n_answers):
            yield number_text(mean), number_text(deviation(mean, squares, origin))


@dataclass(frozen=True)
class ScoredQuantiles:
    """For quantiles of a number: the middle one as the label, then each."""

    quantiles: tuple[float, ...]

    @property
    def n_answers(self) -> int:
        """Answers to a row."""
        return len(self.quantiles)

    @property
    def columns(self) -> Columns:
        """Names and types of the cells."""
        names = (SCORED_LABELS, *(f"{_QUANTILE}:{quantile_text(quantile)}" for quantile in self.quantiles))
        return tuple((name, ColumnType.NUMERIC) for name in names)

    def cells(self, answers: Sequence[float]) -> Iterator[tuple[str, ...]]:
        """Yield the quantiles, each at least as large as the one before."""
        middle = min(range(self.n_answers), key=lambda at: abs(self.quantiles[at] - 0.5))
        for row in _rows(answers, self.n_answers):
            texts = [number_text(answer) for answer in sorted(row)]
            yield texts[middle], *texts


def deviation(mean: float, squares: float, origin: float) -> float:
    """Return the standard deviation: `squares` is the mean of the squared distances from `origin`."""
    return sqrt(max(0.0, squares - (mean - origin) ** 2))


def quantile_text(quantile: float) -> str:
    """Write a quantile as Studio's columns do: `0.250`, and in full where that is not exact."""
    text = f"{quantile:.3f}"
    return text if float(text) == quantile else number_text(quantile)


def scored_columns(
    answers: Answers, classes: tuple[str, ...], label_type: ColumnType, quantiles: tuple[float, ...]
) -> ScoredColumns:
    """Choose the columns; what the kind of answers does not call for is ignored."""
    match answers:
        case Answers.PROBABILITY:
            return ScoredProbability(classes, label_type)
        case Answers.PROBABILITIES | Answers.SHARES:
            return ScoredProbabilities(classes, label_type, answers is Answers.SHARES)
        case Answers.VALUE:
            return ScoredValue()
        case Answers.MOMENTS:
            return ScoredMoments()
        case Answers.QUANTILES:
            return ScoredQuantiles(quantiles)


def _normalized(shares: tuple[float, ...]) -> Sequence[float]:
    total = sum(shares)
    return [share / total for share in shares] if total > 0 else [1 / len(shares)] * len(shares)


def _rows(answers: Sequence[float], size: int) -> Iterator[tuple[float, ...]]:
    return zip(*[iter(answers)] * size, strict=True)
