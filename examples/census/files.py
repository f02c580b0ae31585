"""
The files of the demonstration, derived from synthetic rows or from a real file with the columns of UCI Adult.

Derived alike from either source: an early file, a larger one, a holdout that shares no row with them, the larger file
with its labels shuffled, and two broken ones.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from examples.census import generate

N_EARLY = 600
N_HOLDOUT = 4_000
N_BROKEN = 500
N_LEAST = 10_000
N_SYNTHETIC = 32_561 + N_HOLDOUT  # so that the larger file has as many rows as the published one

_LABEL = generate.COLUMNS.index("income")
_NUMBER = generate.COLUMNS.index("hours-per-week")
_BROKEN_ROW = 41
_SEED = 1994

Rows = Sequence[tuple[str, ...]]


class SourceError(Exception):
    """The file given as a source cannot be used; the text says what, where and what to do."""


@dataclass(frozen=True)
class Broken:
    """A file that the data contract must refuse, and where it must say the fault is (the header is line 1)."""

    path: Path
    line: int
    column: str


@dataclass(frozen=True)
class CensusFiles:
    """
    What the demonstration publishes and drops.

    Attributes:
        source: Where the rows come from, as said to a person.
        early: The rows that the first champion learns from, a part of `larger`.
        holdout: Labelled rows, none of which is in any other file.
        shuffled: The rows of `larger`, each with the label of some other row.
    """

    source: str
    early: Path
    larger: Path
    holdout: Path
    shuffled: Path
    no_label: Broken
    text_in_number: Broken


def derive(folder: Path, data: Path | None = None) -> CensusFiles:
    """
    Write the files into a folder.

    Args:
        data: A CSV file with the columns of UCI Adult; synthetic rows are drawn when None.

    Raises:
        SourceError: `data` cannot be read, has other columns, or is too short.
    """
    source = f"rows of {data.name}" if data else "synthetic rows (no row describes a person)"
    rows = _read(data) if data else list(generate.rows(N_SYNTHETIC, _SEED))
    training, holdout = split(rows, N_HOLDOUT)
    folder.mkdir(parents=True, exist_ok=True)
    return CensusFiles(
        source=source,
        early=_write(folder / "early.csv", training[:N_EARLY]),
        larger=_write(folder / "larger.csv", training),
        holdout=_write(folder / "holdout.csv", holdout),
        shuffled=_write(folder / "shuffled-labels.csv", shuffle_labels(training)),
        no_label=_without_label(folder / "no-label-column.csv", training[:N_BROKEN]),
        text_in_number=_text_in_number(folder / "text-in-number.csv", training[:N_BROKEN]),
    )


def split(rows: Rows, n_holdout: int, seed: int = _SEED) -> tuple[Rows, Rows]:
    """
    Draw a holdout by chance.

    Returns:
        The rows to train on and the `n_holdout` rows held out; a row equal to one held out is in neither.
    """
    order = list(rows)
    Random(seed).shuffle(order)
    holdout = order[:n_holdout]
    held = set(holdout)
    return [row for row in order[n_holdout:] if row not in held], holdout


def shuffle_labels(rows: Rows, seed: int = _SEED) -> Rows:
    """Deal the labels to the rows anew, by chance; their proportions stay."""
    dealt = Random(seed).sample([row[_LABEL] for row in rows], len(rows))
    return [(*row[:_LABEL], label, *row[_LABEL + 1 :]) for row, label in zip(rows, dealt, strict=True)]


def _without_label(path: Path, rows: Rows) -> Broken:
    header = generate.COLUMNS[:_LABEL] + generate.COLUMNS[_LABEL + 1 :]
    _write(path, [row[:_LABEL] + row[_LABEL + 1 :] for row in rows], header)
    return Broken(path, line=1, column=generate.COLUMNS[_LABEL])


def _text_in_number(path: Path, rows: Rows) -> Broken:
    wrong = list(rows)
    row = wrong[_BROKEN_ROW]
    wrong[_BROKEN_ROW] = (*row[:_NUMBER], "forty", *row[_NUMBER + 1 :])
    return Broken(_write(path, wrong), line=_BROKEN_ROW + 2, column=generate.COLUMNS[_NUMBER])


def _write(path: Path, rows: Rows, header: Sequence[str] = generate.COLUMNS) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
    return path


def _read(path: Path) -> Rows:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header, *rows = [tuple(cells) for cells in csv.reader(file) if cells] or [()]
    except OSError as error:
        raise SourceError(f"cannot read {path}: {error.strerror}; name a CSV file with DATA=FILE") from error
    except (ValueError, csv.Error) as error:
        raise SourceError(f"{path} is not a CSV file in UTF-8: {error}") from error
    _check(path, header, rows)
    return rows


def _check(path: Path, header: Sequence[str], rows: Rows) -> None:
    if header != generate.COLUMNS:
        raise SourceError(
            f"{path}, line 1: expected the columns {','.join(generate.COLUMNS)}; found {','.join(header)}"
        )
    if len(rows) < N_LEAST:
        raise SourceError(f"{path} has {len(rows):,} rows; the demonstration needs at least {N_LEAST:,}")
    ragged = next((n for n, row in enumerate(rows, start=2) if len(row) != len(header)), None)
    if ragged:
        raise SourceError(f"{path}, row {ragged}: expected {len(header)} cells, found {len(rows[ragged - 2])}")
