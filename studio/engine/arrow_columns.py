"""Arrow columns as numpy arrays, without the detour through Python objects that pandas would take."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

ABSENT = -1  # stands for a missing cell among positions of levels

Pieces = tuple[NDArray[Any], ...]


def codes_of(column: Any) -> tuple[list[str], Pieces]:
    """Return the distinct texts of a dictionary column, and for each row the position of its text or `ABSENT`."""
    chunks = column.unify_dictionaries().chunks
    return chunks[0].dictionary.to_pylist(), pieces_of([chunk.indices for chunk in chunks], np.int32, ABSENT)


def pieces_of(chunks: list[Any], kind: type[Any], missing: float) -> Pieces:
    """
    Return Arrow arrays as numpy arrays, `missing` where there is no value.

    Those without a gap are not copied; to_numpy() would look for pandas.
    """
    return tuple(_chunk_values(chunk, kind, missing) for chunk in chunks)


def _chunk_values(chunk: Any, kind: type[Any], missing: float) -> NDArray[Any]:
    validity, data = chunk.buffers()
    values = np.frombuffer(data, kind, len(chunk), chunk.offset * np.dtype(kind).itemsize)
    if not chunk.null_count:
        return values
    bits = np.unpackbits(np.frombuffer(validity, np.uint8), bitorder="little")
    return np.where(bits[chunk.offset : chunk.offset + len(chunk)], values, kind(missing))
