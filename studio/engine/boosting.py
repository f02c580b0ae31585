"""
Boosted trees through LightGBM's C library: growing them, and asking them for probabilities.

Growing takes numpy arrays; prediction needs the standard library alone. Feature rows are 64-bit floats in the order of
training, NaN where a value is missing; a categorical feature holds the position of its level, NaN for an unknown one.
"""

from __future__ import annotations

import ctypes
import weakref
from array import array
from collections.abc import Mapping, Sequence
from contextlib import closing
from itertools import chain
from struct import Struct
from threading import Lock
from typing import TYPE_CHECKING

from studio.engine.lightgbm_library import (
    ALL_ITERATIONS,
    FLOAT32,
    FLOAT64,
    NORMAL_PREDICTION,
    check,
    library,
    parameter_text,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_ONE_THREAD = b"num_threads=1"
_FEW_ROWS = 32  # up to about here the prepared single-row call is quicker than the general one
_ROWS_AT_ONCE = 4096


def grow_trees(
    features: NDArray[np.float64],
    labels: NDArray[np.float32],
    *,
    categorical: Sequence[int],
    n_trees: int,
    settings: Mapping[str, object],
    threads: int,
) -> str:
    """
    Grow two-class boosted trees.

    Args:
        features: `n_rows × n_features`, row-major.
        labels: `n_rows`, 1 for the positive class and 0 for the other.
        categorical: Positions of the categorical features.
        n_trees: How many trees to grow; fewer grow when no leaf can be split any more.
        settings: LightGBM's own names and values (`num_leaves`, …).
        threads: OpenMP threads; the trees do not depend on their number.

    Returns:
        The ensemble in LightGBM's text form.

    Raises:
        LibraryError: LightGBM refused.
    """
    parameters = parameter_text(
        {
            "objective": "binary",
            **settings,
            "num_threads": threads,
            "verbosity": -1,
            # Column-wise histograms add up in one order, whatever the number of threads; row-wise ones do not.
            "deterministic": "true",
            "force_col_wise": "true",
            "categorical_feature": ",".join(map(str, categorical)),
        }
    )
    with closing(_TrainingSet(features, labels, parameters)) as data, closing(_Booster(data, parameters)) as booster:
        for _ in range(n_trees):
            if not booster.grow():
                break
        return booster.text()


class _TrainingSet:
    def __init__(self, features: NDArray[np.float64], labels: NDArray[np.float32], parameters: bytes) -> None:
        n_rows, n_features = features.shape
        self.handle = ctypes.c_void_p()
        address = features.ctypes.data_as(ctypes.c_void_p)
        rows, columns, row_major = ctypes.c_int32(n_rows), ctypes.c_int32(n_features), 1
        create = library().LGBM_DatasetCreateFromMat
        check(create(address, FLOAT64, rows, columns, row_major, parameters, None, ctypes.byref(self.handle)))
        label_address = labels.ctypes.data_as(ctypes.c_void_p)
        check(library().LGBM_DatasetSetField(self.handle, b"label", label_address, ctypes.c_int(n_rows), FLOAT32))

    def close(self) -> None:
        check(library().LGBM_DatasetFree(self.handle))


class _Booster:
    def __init__(self, data: _TrainingSet, parameters: bytes) -> None:
        self._handle = ctypes.c_void_p()
        check(library().LGBM_BoosterCreate(data.handle, parameters, ctypes.byref(self._handle)))

    def grow(self) -> bool:
        finished = ctypes.c_int()
        check(library().LGBM_BoosterUpdateOneIter(self._handle, ctypes.byref(finished)))
        return not finished.value

    def text(self) -> str:
        needed = self._save(ctypes.create_string_buffer(1), 1)
        buffer = ctypes.create_string_buffer(needed)
        self._save(buffer, needed)
        return buffer.value.decode("ascii")

    def _save(self, buffer: ctypes.Array[ctypes.c_char], size: int) -> int:
        needed = ctypes.c_int64()
        save = library().LGBM_BoosterSaveModelToString
        check(save(self._handle, 0, ALL_ITERATIONS, 0, ctypes.c_int64(size), ctypes.byref(needed), buffer))
        return needed.value

    def close(self) -> None:
        check(library().LGBM_BoosterFree(self._handle))


class Trees:
    """
    An ensemble ready to predict; safe to use from several threads.

    The text must have passed `tree_text.checked_trees`: the library trusts every index in it.
    """

    def __init__(self, text: str, n_features: int) -> None:
        self._library = library()
        self._handle = ctypes.c_void_p()
        load = self._library.LGBM_BoosterLoadModelFromString
        check(load(text.encode("ascii"), ctypes.byref(ctypes.c_int()), ctypes.byref(self._handle)))
        self.n_features = n_features
        prepared = self._prepare_single_row()
        weakref.finalize(self, _free, self._library, prepared, self._handle)

    def predict(self, rows: Sequence[Sequence[float]]) -> list[float]:
        """Return the probability of the positive class for each row of `n_features` values, on one thread."""
        if len(rows) <= _FEW_ROWS:
            return [self._probability(row) for row in rows]
        answers: list[float] = []
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            part = rows[start : start + _ROWS_AT_ONCE]
            values = array("d", chain.from_iterable(part))
            answers += self.probabilities(values.buffer_info()[0], len(part))
        return answers

    def _probability(self, row: Sequence[float]) -> float:
        with self._lock:
            self._pack_row(self._row, 0, *row)
            check(self._predict_row(*self._row_arguments))
            return self._answer.value

    def probabilities(self, address: int, n_rows: int, *, threads: int = 1) -> ctypes.Array[ctypes.c_double]:
        """
        Return the probability of the positive class for many rows.

        Args:
            address: Where `n_rows × n_features` 64-bit floats lie, row-major; they have to stay there during the call.
        """
        answers = (ctypes.c_double * n_rows)()
        predict = self._library.LGBM_BoosterPredictForMat
        rows, columns, row_major = ctypes.c_int32(n_rows), ctypes.c_int32(self.n_features), 1
        shape = (FLOAT64, rows, columns, row_major, NORMAL_PREDICTION, 0, ALL_ITERATIONS)
        written = ctypes.byref(ctypes.c_int64())
        parameters = parameter_text({"num_threads": threads})
        check(predict(self._handle, ctypes.c_void_p(address), *shape, parameters, written, answers))
        return answers

    def _prepare_single_row(self) -> ctypes.c_void_p:
        prepared = ctypes.c_void_p()
        shape = (NORMAL_PREDICTION, 0, ALL_ITERATIONS, FLOAT64, ctypes.c_int32(self.n_features))
        prepare = self._library.LGBM_BoosterPredictForMatSingleRowFastInit
        check(prepare(self._handle, *shape, _ONE_THREAD, ctypes.byref(prepared)))
        self._lock = Lock()
        self._row = ctypes.create_string_buffer(self.n_features * ctypes.sizeof(ctypes.c_double))
        self._pack_row = Struct(f"{self.n_features}d").pack_into
        self._answer = ctypes.c_double()
        written = ctypes.c_int64()
        self._row_arguments = (prepared, self._row, ctypes.byref(written), ctypes.byref(self._answer))
        self._predict_row = self._library.LGBM_BoosterPredictForMatSingleRowFast
        return prepared


def _free(library: ctypes.CDLL, prepared: ctypes.c_void_p, booster: ctypes.c_void_p) -> None:
    library.LGBM_FastConfigFree(prepared)
    library.LGBM_BoosterFree(booster)
