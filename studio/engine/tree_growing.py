"""Grows trees through LightGBM's C library; feature rows are as in `trees`."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from contextlib import closing
from math import prod
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from studio.engine.binning import binned
from studio.engine.features import Features
from studio.engine.lightgbm_library import ALL_ITERATIONS, FLOAT32, check, library, parameter_text

# Threads that wait for each other save a small fit little and may cost it much: 22,793 rows of 14 features take 0.12 s
# with two and 0.18 s with one on a machine at rest, 0.54 s and 0.18 s beside one busy program.
_WORTH_THREADS = 2_000_000  # cells


class TreeGrower:
    """
    Features in the library's form, on which one or several ensembles are grown; a context manager.

    `settings` are LightGBM's own names and values. Equal numbers of threads give equal trees;
    with another number the last digit of a leaf may differ, since its rows are added up in another order.
    """

    def __init__(
        self,
        features: Features,
        *,
        categorical: Sequence[int],
        settings: Mapping[str, object],
        threads: int,
    ) -> None:
        """
        Bin the features.

        Args:
            features: `n_rows × n_features`.
            threads: At most; few rows get one.
            categorical: Positions of the categorical features.

        Raises:
            LibraryError: LightGBM refused.
        """
        self._settings = {
            **settings,
            "num_threads": threads if prod(features.shape) >= _WORTH_THREADS else 1,
            "verbosity": -1,
            # Column-wise histograms add up in one order, whatever the number of threads; row-wise ones do not.
            "deterministic": "true",
            "force_col_wise": "true",
            "categorical_feature": ",".join(map(str, categorical)),
        }
        self._handle = binned(features, parameter_text(self._settings))

    def grow(self, labels: NDArray[np.float32], n_trees: int, **settings: object) -> str:
        """
        Grow an ensemble.

        Args:
            labels: `n_rows`; 0 and 1, class numbers, or values, as the objective in the settings wants them.
            n_trees: How many rounds to grow; fewer grow when no leaf can be split any more.
            settings: Added to those of the features.

        Returns:
            The ensemble in LightGBM's text form.

        Raises:
            LibraryError: LightGBM refused.
        """
        address = labels.ctypes.data_as(ctypes.c_void_p)
        check(library().LGBM_DatasetSetField(self._handle, b"label", address, ctypes.c_int(len(labels)), FLOAT32))
        with closing(_Booster(self._handle, parameter_text(self._settings | settings))) as booster:
            for _ in range(n_trees):
                if not booster.grow():
                    break
            return booster.text()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        check(library().LGBM_DatasetFree(self._handle))


class _Booster:
    def __init__(self, data: ctypes.c_void_p, parameters: bytes) -> None:
        self._handle = ctypes.c_void_p()
        check(library().LGBM_BoosterCreate(data, parameters, ctypes.byref(self._handle)))

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
