"""Train Model: a learner and rows become a model, and a model and rows answers. The training side of `learners`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from studio.engine.errors import ModuleError
from studio.engine.features import Features
from studio.engine.filling import found_fills
from studio.engine.learners import Learner, Model, TrainingRows
from studio.engine.lightgbm_library import LibraryError
from studio.engine.model_section import predictor
from studio.engine.schema import Schema
from studio.engine.trees import Trees

_LIBRARY = 1000  # Studio's module error number


@dataclass(frozen=True)
class Rows:
    """
    Rows of a data set.

    `features` is `n_rows × n_features`; `labels` is `n_rows` long and as in `Dataset`.
    """

    features: Features
    labels: NDArray[Any]

    def __len__(self) -> int:
        return len(self.labels)

    def chosen(self, mask: NDArray[np.bool_]) -> Rows:
        """Return the rows that a mask of `n_rows` chooses."""
        return Rows(self.features.chosen(mask), self.labels[mask])

    def filled(self, fills: Mapping[int, float]) -> Rows:
        """Put a value where one is missing, by the feature's position."""
        return replace(self, features=self.features.filled(fills)) if fills else self


@dataclass(frozen=True)
class Trainer:
    """Fits one learner to rows of one data set; `levels` are those of the categorical features."""

    learner: Learner
    classes: tuple[str, ...]
    schema: Schema
    levels: Mapping[str, tuple[str, ...]]
    threads: int

    def fills(self, rows: Rows) -> dict[int, float]:
        """Find in rows that train what stands in for a missing value, by rule; raises like `found_fills`."""
        return found_fills(self.schema, rows.features)

    def fit(self, rows: Rows) -> Model:
        """
        Train on rows; equal arguments give equal models.

        Raises:
            ModuleError: The learner cannot do with these rows, parameters or labels; gives its reason.
        """
        n_levels = tuple(len(self.levels[name]) if name in self.levels else None for name in self.schema.features)
        given = TrainingRows(rows.features, rows.labels, len(self.classes), n_levels, self.threads)
        try:
            return self.learner.kind.fit(given, self.learner.parameters)
        except (LibraryError, ValueError) as problem:
            raise ModuleError("Train Model", _LIBRARY, f"{self.learner.name}: {problem}") from problem

    def answers(self, model: Model, features: Features) -> NDArray[np.float64]:
        """
        Ask a model about rows: `n_rows × n_answers`.

        From the numbers that are stored, not from the learner that made them: what is measured is what will serve.
        """
        ready = predictor(model)
        parts = []
        for block in features.blocks():
            if isinstance(ready, Trees):
                answers = ready.answers(block.ctypes.data, len(block), threads=self.threads)
                parts.append(np.ctypeslib.as_array(answers))
            else:
                parts.append(np.array(ready.predict(block.tolist())))
        return np.concatenate(parts or [np.empty(0)]).reshape(features.shape[0], model.n_outputs)
