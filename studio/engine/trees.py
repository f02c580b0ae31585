"""
Asks tree ensembles for answers, through LightGBM's C library; the standard library is all it needs beside that.

Feature rows are 64-bit floats in the order of training, NaN where a value is missing; a categorical feature holds the
position of its level, NaN for an unknown one.
"""

from __future__ import annotations

import ctypes
import weakref
from collections.abc import Sequence
from itertools import chain
from struct import Struct, pack
from threading import Lock

from studio.engine.lightgbm_library import (
    ALL_ITERATIONS,
    FLOAT64,
    LEAF_PREDICTION,
    NORMAL_PREDICTION,
    check,
    library,
    parameter_text,
)
from studio.engine.tree_ensemble import TreeEnsemble

_ONE_THREAD = b"num_threads=1"


class Trees:
    """An ensemble ready to predict; safe to use from several threads."""

    def __init__(self, ensemble: TreeEnsemble) -> None:
        self._library = library()
        self._handle = ctypes.c_void_p()
        load = self._library.LGBM_BoosterLoadModelFromString
        check(load(ensemble.text.encode("ascii"), ctypes.byref(ctypes.c_int()), ctypes.byref(self._handle)))
        self.n_features = ensemble.shape.n_features
        self.n_outputs = ensemble.n_outputs
        prepared = self._prepare_single_row()
        weakref.finalize(self, _free, self._library, prepared, self._handle)

    def predict(self, rows: Sequence[Sequence[float]]) -> list[float]:
        """Return the answers to a few rows of `n_features` values, `n_rows × n_outputs` in one list, on one thread."""
        answers: list[float] = []
        with self._lock:
            for row in rows:
                self._pack_row(self._row, 0, *row)
                if code := self._predict_row(*self._row_arguments):
                    check(code)
                answers += self._answer[:]
        return answers

    def predict_columns(self, columns: Sequence[Sequence[float]]) -> list[float]:
        """Return the answers to many rows, given as `n_features` columns; else like `predict`."""
        values = list(chain.from_iterable(columns))
        packed = pack(f"{len(values)}d", *values)
        return self._predicted(packed, len(columns[0]), NORMAL_PREDICTION, self.n_outputs, by_rows=False)[:]

    def answers(self, address: int, n_rows: int, *, threads: int = 1) -> ctypes.Array[ctypes.c_double]:
        """
        Return the answers to many rows, `n_rows × n_outputs`, row-major.

        Args:
            address: Where `n_rows × n_features` 64-bit floats lie, row-major; they have to stay there during the call.
        """
        return self._predicted(ctypes.c_void_p(address), n_rows, NORMAL_PREDICTION, self.n_outputs, threads)

    def leaves(self, address: int, n_rows: int, n_trees: int, *, threads: int = 1) -> ctypes.Array[ctypes.c_double]:
        """Return the number of each row's leaf, `n_rows × n_trees`, row-major; else like `answers`."""
        return self._predicted(ctypes.c_void_p(address), n_rows, LEAF_PREDICTION, n_trees, threads)

    def _predicted(
        self,
        values: ctypes.c_void_p | bytes,
        n_rows: int,
        kind: int,
        per_row: int,
        threads: int = 1,
        *,
        by_rows: bool = True,
    ) -> ctypes.Array[ctypes.c_double]:
        answers = (ctypes.c_double * (n_rows * per_row))()
        rows, columns = ctypes.c_int32(n_rows), ctypes.c_int32(self.n_features)
        shape = (FLOAT64, rows, columns, int(by_rows), kind, 0, ALL_ITERATIONS)
        written = ctypes.byref(ctypes.c_int64())
        parameters = parameter_text({"num_threads": threads})
        predict = self._library.LGBM_BoosterPredictForMat
        check(predict(self._handle, values, *shape, parameters, written, answers))
        return answers

    def _prepare_single_row(self) -> ctypes.c_void_p:
        prepared = ctypes.c_void_p()
        shape = (NORMAL_PREDICTION, 0, ALL_ITERATIONS, FLOAT64, ctypes.c_int32(self.n_features))
        prepare = self._library.LGBM_BoosterPredictForMatSingleRowFastInit
        check(prepare(self._handle, *shape, _ONE_THREAD, ctypes.byref(prepared)))
        self._lock = Lock()
        self._row = ctypes.create_string_buffer(self.n_features * ctypes.sizeof(ctypes.c_double))
        self._pack_row = Struct(f"{self.n_features}d").pack_into
        self._answer = (ctypes.c_double * self.n_outputs)()
        written = ctypes.c_int64()
        self._row_arguments = (prepared, self._row, ctypes.byref(written), self._answer)
        self._predict_row = self._library.LGBM_BoosterPredictForMatSingleRowFast
        return prepared


def _free(library: ctypes.CDLL, prepared: ctypes.c_void_p, booster: ctypes.c_void_p) -> None:
    library.LGBM_FastConfigFree(prepared)
    library.LGBM_BoosterFree(booster)
