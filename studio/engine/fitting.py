"""Train Model: a learner and rows become a model, and a model and rows answers. The training side of `learners`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from studio.engine.dataset import Dataset
from studio.engine.errors import ModuleError
from studio.engine.learners import Learner, Model, TrainingRows
from studio.engine.lightgbm_library import LibraryError
from studio.engine.model_section import predictor
from studio.engine.trees import Trees

_ROWS_AT_ONCE = 65_536
_LIBRARY = 1000  # Studio's module error number


@dataclass(frozen=True)
class Rows:
    """
    Decoded rows of a data set.

    `features` is `n_rows × n_features`, in either order; `labels` is `n_rows` long and as in `Dataset`.
    """

    features: NDArray[np.float64]
    labels: NDArray[Any]

    def __len__(self) -> int:
        return len(self.labels)

    def chosen(self, mask: NDArray[np.bool_]) -> Rows:
        """Copy the rows that a mask of `n_rows` chooses."""
        return Rows(self.features[mask], self.labels[mask])


@dataclass(frozen=True)
class Trainer:
    """Fits one learner to rows of one data set; `levels` are those of the categorical features."""

    learner: Learner
    classes: tuple[str, ...]
    features: tuple[str, ...]
    levels: Mapping[str, tuple[str, ...]]
    threads: int

    def fit(self, rows: Rows) -> Model:
        """
        Train on rows; equal arguments give equal models.

        Raises:
            ModuleError: The learner cannot do with these rows, parameters or labels; gives its reason.
        """
        n_levels = tuple(len(self.levels[name]) if name in self.levels else None for name in self.features)
        given = TrainingRows(rows.features, rows.labels, len(self.classes), n_levels, self.threads)
        try:
            return self.learner.kind.fit(given, self.learner.parameters)
        except (LibraryError, ValueError) as problem:
            raise ModuleError("Train Model", _LIBRARY, f"{self.learner.name}: {problem}") from problem

    def answers(self, model: Model, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """
        Ask a model about rows: `n_rows × n_answers`.

        From the numbers that are stored, not from the learner that made them: what is measured is what will serve.
        """
        ready = predictor(model)
        parts = []
        for start in range(0, len(features), _ROWS_AT_ONCE):
            part = np.ascontiguousarray(features[start : start + _ROWS_AT_ONCE])
            if isinstance(ready, Trees):
                answers = ready.answers(part.ctypes.data, len(part), threads=self.threads)
                parts.append(np.ctypeslib.as_array(answers))
            else:
                parts.append(np.array(ready.predict(part.tolist())))
        return np.concatenate(parts or [np.empty(0)]).reshape(len(features), model.n_outputs)


def decoded(dataset: Dataset, masks: Sequence[NDArray[np.bool_]]) -> tuple[list[Rows], dict[str, tuple[str, ...]]]:
    """
    Decode a data set into the rows of each mask, and the levels of its categorical features.

    It goes column by column, so that at most one column is there twice.

    Raises:
        ModuleError: A categorical column has more levels than a model can hold.
    """
    names = dataset.schema.features
    chosen = [np.flatnonzero(mask) for mask in masks]
    # Column-major: a column is written in one piece, where rows of features would be touched once for each of them.
    sides = [Rows(np.empty((len(rows), len(names)), order="F"), dataset.labels[rows]) for rows in chosen]
    levels = {}
    for at, name in enumerate(names):
        feature = dataset.feature(name)
        for side, rows in zip(sides, chosen, strict=True):
            np.take(feature.values, rows, out=side.features[:, at], mode="clip")  # "raise" would copy once more
        if feature.levels is not None:
            levels[name] = feature.levels
    return sides, levels
