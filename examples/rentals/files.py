"""The files that the local environment publishes and drops for both rental models, drawn from one generator."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from examples.rentals import generate

N_EARLY = 300
N_LARGER = 4_000
N_HOLDOUT = 2_000

_SEED = 1973
_N_LABELS = 2  # rentals and demand stand last in a row
_Rows = Sequence[tuple[object, ...]]


@dataclass(frozen=True)
class RentalFiles:
    """
    What both models share.

    Attributes:
        early: The rows that the first champion learns from, a part of `larger`.
        holdout: Labelled rows, none of which is in any other file.
        shuffled: The rows of `larger`, each with the labels of some other row.
    """

    early: Path
    larger: Path
    holdout: Path
    shuffled: Path


def derive(folder: Path) -> RentalFiles:
    """Write the files into a folder."""
    rows = list(generate.rows(N_HOLDOUT + N_LARGER, _SEED))
    training, holdout = rows[N_HOLDOUT:], rows[:N_HOLDOUT]
    held = set(holdout)
    training = [row for row in training if row not in held]
    folder.mkdir(parents=True, exist_ok=True)
    return RentalFiles(
        early=_write(folder / "early.csv", training[:N_EARLY]),
        larger=_write(folder / "larger.csv", training),
        holdout=_write(folder / "holdout.csv", holdout),
        shuffled=_write(folder / "shuffled-labels.csv", _shuffled(training)),
    )


def _shuffled(rows: _Rows) -> _Rows:
    dealt = Random(_SEED).sample([row[-_N_LABELS:] for row in rows], len(rows))
    return [(*row[:-_N_LABELS], *labels) for row, labels in zip(rows, dealt, strict=True)]


def _write(path: Path, rows: _Rows) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(generate.COLUMNS)
        writer.writerows(rows)
    return path
