"""
Features of rows: held once, in the form and in the pieces in which the file was read, and decoded where they are used.

A matrix of all rows would be larger than what was read, and on most machines memory costs more time than decoding.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

_NONE: NDArray[np.float64] = np.empty(0)


@dataclass(frozen=True)
class FeatureColumn:
    """
    One column, in pieces.

    Attributes:
        pieces: A stored value per row: a 64-bit float, NaN where the cell is missing; or, with `decoded`, a position
            in that, −1 where the cell is missing.
        decoded: The feature for each position; the last one is that of a missing cell.
        fill: The feature for a missing cell among floats; None for NaN.
    """

    pieces: tuple[NDArray[Any], ...]
    decoded: NDArray[np.float64] | None = None
    fill: float | None = None

    def values(self, piece: int, rows: NDArray[np.int32]) -> NDArray[np.float64]:
        """Decode rows of a piece, by their numbers in it."""
        values: NDArray[Any] = self.pieces[piece][rows]
        if self.decoded is not None:
            values = self.decoded[values]
        elif self.fill is not None:
            values[np.isnan(values)] = self.fill
        return values

    def filled(self, value: float) -> FeatureColumn:
        """Return the column with another feature for a missing cell."""
        if self.decoded is None:
            return replace(self, fill=value)
        return replace(self, decoded=np.append(self.decoded[:-1], value))


class Features:
    """
    `n_rows × n_features` 64-bit floats, NaN where a value is missing.

    Args:
        columns: At least one, all of them with pieces of the same lengths.
        rows: Numbers of the rows, rising; None for all.
    """

    def __init__(self, columns: Sequence[FeatureColumn], rows: NDArray[np.int32] | None = None) -> None:
        self._columns = columns
        self._ends = np.cumsum([len(piece) for piece in columns[0].pieces])
        self._rows = np.arange(self._ends[-1], dtype=np.int32) if rows is None else rows

    @classmethod
    def of(cls, matrix: NDArray[np.float64]) -> Features:
        """Take over a matrix."""
        return cls([FeatureColumn((column,)) for column in matrix.T])

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of rows and of features."""
        return len(self._rows), len(self._columns)

    def chosen(self, rows: NDArray[np.bool_] | NDArray[np.integer[Any]]) -> Features:
        """Leave out all rows but those of a mask, or of rising numbers; nothing is decoded or copied."""
        return Features(self._columns, self._rows[rows])

    def filled(self, fills: Mapping[int, float]) -> Features:
        """Put a value where one is missing, by the feature's position; nothing is decoded or copied."""
        if not fills:
            return self
        columns = [column.filled(fills[at]) if at in fills else column for at, column in enumerate(self._columns)]
        return Features(columns, self._rows)

    def column(self, at: int) -> NDArray[np.float64]:
        """Decode one feature of all rows."""
        return np.concatenate([*(block[:, 0] for block in Features([self._columns[at]], self._rows).blocks()), _NONE])

    def blocks(self) -> Iterator[NDArray[np.float64]]:
        """Decode all rows in order, row-major, a piece at a time."""
        cuts = np.searchsorted(self._rows, self._ends)
        starts = (0, *cuts[:-1])
        firsts = (0, *self._ends[:-1])
        for piece, (start, cut, first) in enumerate(zip(starts, cuts, firsts, strict=True)):
            if start < cut:
                yield self._decoded(piece, self._rows[start:cut] - first)

    @cached_property
    def matrix(self) -> NDArray[np.float64]:
        """All rows decoded, column-major; for learners that need them at once, and kept for the next."""
        matrix = np.empty(self.shape, order="F")
        start = 0
        for block in self.blocks():
            matrix[start : start + len(block)] = block
            start += len(block)
        return matrix

    def _decoded(self, piece: int, rows: NDArray[np.int32]) -> NDArray[np.float64]:
        block = np.empty((len(rows), len(self._columns)))
        for at, column in enumerate(self._columns):
            block[:, at] = column.values(piece, rows)
        return block
