"""
Drift: how far the rows of a file are from those that the champion was trained on, column by column.

An effect size, not a test: with many rows a test calls any difference significant, with few it calls none. The
distance is the total variation between two distributions, 0 (alike) to 1 (nothing in common), over the champion's
deciles or its values, "missing" being one more. A file has drifted when any column is further away than the threshold.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any

import numpy as np

from shared.domain.data.contract import Contract, Kind
from shared.domain.task import Task

SAMPLE_ROWS = 5000  # at that many, chance alone moves a column of ten bins by about 0.02
_QUANTILES = 101
_BINS = 10
_VALUES = 200  # of a column of texts; rarer ones count together
SPREAD = ("least", "lower quartile", "median", "upper quartile", "greatest")
_MISSING, _OTHER = "(missing)", "(other)"


@dataclass(frozen=True)
class DriftRule:
    """
    When drift is reason enough to retrain.

    Attributes:
        threshold: The distance from which a column has drifted.
        columns: Which columns count; none means all but the label.
        files: Of so many newest files…
        drifted: …so many must have drifted, the newest among them.
        min_rows: A smaller file is not judged.
        cooldown: After a retraining for this reason, the next one waits.
    """

    threshold: float = 0.2
    columns: tuple[str, ...] = ()
    files: int = 3
    drifted: int = 2
    min_rows: int = 500
    cooldown: timedelta = timedelta(days=1)

    def is_called_for(self, newest_first: Sequence[bool]) -> bool:
        """Whether so many of the newest files have drifted, the newest among them."""
        looked_at = newest_first[: self.files]
        return bool(looked_at) and looked_at[0] and sum(looked_at) >= self.drifted


@dataclass(frozen=True)
class Profile:
    """
    What a file's rows look like.

    Attributes:
        rows: How many there are.
        numbers: Column → 101 quantiles of its numbers, from the least to the greatest; none where it has no number.
        texts: Column → value → share of the rows.
        missing: Column of numbers → share of the rows without one.
        label: Class → share of the rows; of a number to predict, each of `SPREAD` → its value.
    """

    rows: int
    numbers: Mapping[str, Sequence[float]]
    texts: Mapping[str, Mapping[str, float]]
    missing: Mapping[str, float]
    label: Mapping[str, float] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return the profile as plain JSON values."""
        return {
            "rows": self.rows,
            "numbers": self.numbers,
            "texts": self.texts,
            "missing": self.missing,
            "label": self.label,
        }


def sampled(rows: Iterable[list[str]], seed: str) -> tuple[int, list[list[str]]]:
    """Return how many rows there are, and at most `SAMPLE_ROWS` of them, each as likely as any other."""
    kept: list[list[str]] = []
    draw, count = Random(seed), 0
    for count, row in enumerate(rows, start=1):
        if len(kept) < SAMPLE_ROWS:
            kept.append(row)
        elif (place := int(draw.random() * count)) < SAMPLE_ROWS:
            kept[place] = row
    return count, kept


def profile(header: Sequence[str], rows: Sequence[list[str]], count: int, contract: Contract) -> Profile:
    """
    Describe a file by a sample of its rows.

    Args:
        count: How many rows the file has.
        contract: Says which columns hold numbers, and which cells mean "no value".
    """
    numbers: dict[str, list[float]] = {}
    texts: dict[str, dict[str, float]] = {}
    missing: dict[str, float] = {}
    kinds = {column.name: column.kind for column in contract.columns if column.name != contract.label}
    for at, name in enumerate(header):
        if name not in kinds:
            continue
        cells = [row[at].strip() for row in rows if at < len(row)]
        if kinds[name] is Kind.CATEGORY:
            texts[name] = _shares(cells, contract)
            continue
        values = [value for cell in cells if (value := _number(cell, contract)) is not None]
        missing[name] = 1 - len(values) / len(cells) if cells else 0.0
        numbers[name] = np.quantile(values, np.linspace(0, 1, _QUANTILES)).tolist() if values else []
    return Profile(count, numbers, texts, missing, _label(header, rows, contract))


def spread(values: Sequence[float]) -> dict[str, float]:
    """Return the values of `SPREAD`; nothing where there is no number."""
    return dict(zip(SPREAD, np.quantile(values, [0, 0.25, 0.5, 0.75, 1]).tolist(), strict=True)) if len(values) else {}


def _label(header: Sequence[str], rows: Sequence[list[str]], contract: Contract) -> dict[str, float]:
    if contract.label not in header:
        return {}
    at = header.index(contract.label)
    cells = [row[at].strip() for row in rows if at < len(row)]
    if contract.task is Task.REGRESSION:
        return spread([value for cell in cells if (value := _number(cell, contract)) is not None])
    return _shares(cells, contract)


def changed_columns(reference: Profile, other: Profile) -> dict[str, tuple[str | None, str | None]]:
    """Return the columns that only one of both has, or as another kind: the kind in the reference, and in the other."""
    before, after = _kinds(reference), _kinds(other)
    changed = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    return {name: (before.get(name), after.get(name)) for name in changed}


def _kinds(found: Profile) -> dict[str, str]:
    return {**dict.fromkeys(found.numbers, "number"), **dict.fromkeys(found.texts, Kind.CATEGORY.value)}


def distances(reference: Profile, other: Profile) -> dict[str, float]:
    """Return how far each column that both have is from the reference, from 0 to 1."""
    found = {}
    for name in reference.numbers.keys() & other.numbers.keys():
        found[name] = _numbers_apart(
            reference.numbers[name], reference.missing[name], other.numbers[name], other.missing[name]
        )
    for name in reference.texts.keys() & other.texts.keys():
        found[name] = _apart(reference.texts[name], other.texts[name])
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def drifted_columns(reference: Profile, other: Profile, rule: DriftRule) -> dict[str, float]:
    """Return the columns that have drifted, the furthest first; none of a file that is too small to judge."""
    if other.rows < rule.min_rows:
        return {}
    far = distances(reference, other)
    return {
        name: distance
        for name, distance in far.items()
        if distance > rule.threshold and (not rule.columns or name in rule.columns)
    }


def _numbers_apart(
    reference: Sequence[float], reference_missing: float, other: Sequence[float], other_missing: float
) -> float:
    if not reference or not other:
        return abs(reference_missing - other_missing) if bool(reference) == bool(other) else 1.0
    edges = np.unique(np.asarray(reference)[:: (_QUANTILES - 1) // _BINS][1:-1])
    shares = [
        {_MISSING: gone} | {str(at): float(share) * (1 - gone) for at, share in enumerate(_binned(quantiles, edges))}
        for quantiles, gone in ((reference, reference_missing), (other, other_missing))
    ]
    return _apart(*shares)


def _binned(quantiles: Sequence[float], edges: Any) -> Any:
    """Return the shares of a column's numbers up to the first edge, between edges, and beyond the last."""
    below = np.searchsorted(np.asarray(quantiles), edges, side="right") / len(quantiles)
    return np.diff(np.concatenate(([0.0], below, [1.0])))


def _apart(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    names = one.keys() | other.keys()
    return min(1.0, sum(abs(one.get(name, 0.0) - other.get(name, 0.0)) for name in names) / 2)


def _shares(cells: Sequence[str], contract: Contract) -> dict[str, float]:
    counts = Counter(_MISSING if cell in contract.missing else cell for cell in cells)
    kept = dict(counts.most_common(_VALUES))
    rest = len(cells) - sum(kept.values())
    shares = {name: times / len(cells) for name, times in kept.items()}
    return shares | ({_OTHER: rest / len(cells)} if rest else {})


def _number(cell: str, contract: Contract) -> float | None:
    if cell in contract.missing:
        return None
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if np.isfinite(value) else None
