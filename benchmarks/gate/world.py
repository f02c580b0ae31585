"""A year of weekly retrains on the Adult rows: good files, bad files, and a truth that no gate can see."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray

LABEL, POSITIVE = "income", ">50K"
TEST_ROWS, HOLDOUT_ROWS, FILE_ROWS, SMALL_ROWS = 12_000, 2_000, 2_000, 150
_TURNED = 0.4  # the share of older people's labels that a year of drift turns round
_OLD, _YOUNG = 40, 30
_SHARES = {"good": 0.7, "noisy labels": 0.1, "small": 0.1, "one age group": 0.1}
_LEARNER: dict[str, Any] = {
    "num_leaves": 20,
    "min_child_samples": 10,
    "learning_rate": 0.2,
    "n_estimators": 40,
    "n_jobs": 1,
}

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Rows:
    """Encoded rows: n × k features (texts as codes), n labels, n ages."""

    features: Floats
    labels: Flags
    ages: Floats

    def some(self, chosen: NDArray[np.int64]) -> Rows:
        """Return the rows at these positions."""
        return Rows(self.features[chosen], self.labels[chosen], self.ages[chosen])


@dataclass(frozen=True)
class Candidate:
    """One model; `kind` says what sort of file it learnt from."""

    kind: str
    model: lgb.LGBMClassifier


@dataclass(frozen=True)
class Week:
    """What happens in one week: the holdout and the truth as they are then, and the model that was trained."""

    holdout: Rows
    test: Rows
    candidate: Candidate


def read(path: Path) -> Rows:
    """Read a file with the columns of UCI Adult; texts become codes, in the order of their first appearance."""
    with path.open(newline="", encoding="utf-8") as lines:
        table = list(csv.DictReader(lines))
    names = [name for name in table[0] if name not in (LABEL, "education")]
    columns = [_encoded([row[name].strip() for row in table]) for name in names]
    labels = np.array([row[LABEL].strip() == POSITIVE for row in table])
    return Rows(np.column_stack(columns), labels, columns[names.index("age")])


def first_model(rows: Rows, seed: int) -> Candidate:
    """Return the model that serves before the first week."""
    return _trained("good", _pool(rows, np.random.default_rng(seed), FILE_ROWS), seed)


def year(rows: Rows, *, weeks: int, drifts: bool, seed: int) -> Iterator[Week]:
    """
    Yield the weeks of one history.

    Args:
        drifts: Whether labels of older people turn round little by little; the holdout is then fresh each week.
    """
    draw = np.random.default_rng(seed)
    turns = draw.random(len(rows.labels))
    fixed = np.arange(TEST_ROWS, TEST_ROWS + HOLDOUT_ROWS)
    for week in range(1, weeks + 1):
        share = _TURNED * week / weeks if drifts else 0.0
        now = Rows(rows.features, rows.labels ^ ((rows.ages >= _OLD) & (turns < share)), rows.ages)
        fresh = draw.choice(np.arange(TEST_ROWS, 2 * TEST_ROWS), HOLDOUT_ROWS, replace=False)
        kind = str(draw.choice(list(_SHARES), p=list(_SHARES.values())))
        candidate = _trained(kind, _file(now, kind, draw), seed + week)
        yield Week(now.some(fresh if drifts else fixed), now.some(np.arange(TEST_ROWS)), candidate)


def scores(candidate: Candidate, rows: Rows) -> Floats:
    """Return a model's probabilities of the positive class."""
    answers: Floats = np.asarray(candidate.model.booster_.predict(rows.features, num_threads=1), dtype=np.float64)
    return answers


def _file(rows: Rows, kind: str, draw: np.random.Generator) -> Rows:
    if kind == "small":
        return _pool(rows, draw, SMALL_ROWS)
    file = _pool(rows, draw, FILE_ROWS)
    if kind == "noisy labels":
        return Rows(file.features, file.labels ^ (draw.random(FILE_ROWS) < 0.3), file.ages)
    if kind == "one age group":
        return file.some(np.flatnonzero(file.ages < _YOUNG))
    return file


def _pool(rows: Rows, draw: np.random.Generator, count: int) -> Rows:
    """Draw rows that are neither truth nor holdout."""
    return rows.some(draw.choice(np.arange(2 * TEST_ROWS, len(rows.labels)), count, replace=False))


def _trained(kind: str, file: Rows, seed: int) -> Candidate:
    model = lgb.LGBMClassifier(**_LEARNER, random_state=seed, verbose=-1)
    return Candidate(kind, model.fit(file.features, file.labels))


def _encoded(cells: list[str]) -> Floats:
    try:
        return np.array([float(cell) for cell in cells])
    except ValueError:
        codes = {cell: float(at) for at, cell in enumerate(dict.fromkeys(cells))}
        return np.array([codes[cell] for cell in cells])
