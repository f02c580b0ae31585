"""
Features brought into LightGBM's binned form, block by block: the same bins as of a whole matrix, without one.

As the library's own Python package does it for sequences: bounds from a sample of rows that the library draws, then all
rows pushed. Source: `lightgbm.Dataset` and `lightgbm.Sequence`, version 4.
"""

from __future__ import annotations

import ctypes

import numpy as np
from numpy.typing import NDArray

from studio.engine.features import Features
from studio.engine.lightgbm_library import FLOAT64, check, library

_ZERO = 1e-35  # what the library takes for zero, which samples leave out


def binned(features: Features, parameters: bytes) -> ctypes.c_void_p:
    """
    Return a handle of the library's data set, which the caller frees.

    Raises:
        LibraryError: LightGBM refused.
    """
    n_rows, _ = features.shape
    sample = features.chosen(_sampled_rows(n_rows, parameters)).matrix
    handle = _bounded(sample, n_rows, parameters)
    try:
        _push(handle, features)
    except BaseException:
        library().LGBM_DatasetFree(handle)
        raise
    return handle


def _sampled_rows(n_rows: int, parameters: bytes) -> NDArray[np.int32]:
    count = ctypes.c_int32()
    check(library().LGBM_GetSampleCount(ctypes.c_int32(n_rows), parameters, ctypes.byref(count)))
    rows = np.empty(count.value, np.int32)
    address = rows.ctypes.data_as(ctypes.c_void_p)
    check(library().LGBM_SampleIndices(ctypes.c_int32(n_rows), parameters, address, ctypes.byref(count)))
    return rows[: count.value]


def _bounded(sample: NDArray[np.float64], n_rows: int, parameters: bytes) -> ctypes.c_void_p:
    """Make a data set with the sample's bounds and room for `n_rows`."""
    rows = [np.flatnonzero((np.abs(column) > _ZERO) | np.isnan(column)).astype(np.int32) for column in sample.T]
    values = [column[chosen] for column, chosen in zip(sample.T, rows, strict=True)]
    counts = np.array([len(chosen) for chosen in rows], np.int32)
    handle = ctypes.c_void_p()
    check(
        library().LGBM_DatasetCreateFromSampledColumn(
            _addresses(values),
            _addresses(rows),
            ctypes.c_int32(len(rows)),
            counts.ctypes.data_as(ctypes.c_void_p),
            ctypes.c_int32(len(sample)),
            ctypes.c_int32(n_rows),
            ctypes.c_int64(n_rows),
            parameters,
            ctypes.byref(handle),
        )
    )
    return handle


def _push(handle: ctypes.c_void_p, features: Features) -> None:
    start = 0
    for block in features.blocks():
        n_rows, n_features = block.shape
        shape = ctypes.c_int32(n_rows), ctypes.c_int32(n_features), ctypes.c_int32(start)
        check(library().LGBM_DatasetPushRows(handle, block.ctypes.data_as(ctypes.c_void_p), FLOAT64, *shape))
        start += n_rows


def _addresses(arrays: list[NDArray[np.float64]] | list[NDArray[np.int32]]) -> ctypes.Array[ctypes.c_void_p]:
    return (ctypes.c_void_p * len(arrays))(*(array.ctypes.data for array in arrays))
