"""Arrow columns as numpy arrays, without the detour through Python objects that pandas would take."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

ABSENT = -1  # stands for a missing cell among positions of levels

Pieces = tuple[NDArray[Any], ...]


def codes_of(column: Any, kept: NDArray[np.bool_] | None = None) -> tuple[list[str], Pieces]:
    """
    Return the distinct texts of a dictionary column, and for each row the position of its text or `ABSENT`.

    Args:
        kept: The rows whose texts count; None for all.
    """
    chunks = column.unify_dictionaries().chunks
    texts, pieces = chunks[0].dictionary.to_pylist(), pieces_of([chunk.indices for chunk in chunks], np.int32, ABSENT)
    return (texts, pieces) if kept is None else _used(texts, pieces, kept)


def _used(texts: list[str], pieces: Pieces, kept: NDArray[np.bool_]) -> tuple[list[str], Pieces]:
    codes = np.unique(np.concatenate(pieces)[kept])
    codes = codes[codes != ABSENT]
    places = np.full(len(texts) + 1, ABSENT, np.int32)  # one more, where `ABSENT` finds itself as an index
    places[codes] = np.arange(len(codes))
    return [texts[code] for code in codes], tuple(places[piece] for piece in pieces)


def numbers_of(column: Any) -> Pieces:
    """Return the values of a column of 64-bit floats, NaN where there is none."""
    return pieces_of(column.chunks, np.float64, np.nan)


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
