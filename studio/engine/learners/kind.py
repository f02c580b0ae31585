"""What every learner is: a name, parameters, and a function that fits it to rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from studio.engine.network import Network
from studio.engine.scored_columns import Answers
from studio.engine.settings import AnyRule, Rule, Setting
from studio.engine.task import Task
from studio.engine.tree_ensemble import TreeEnsemble

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from studio.engine.features import Features

SEED = "Random number seed"
UNKNOWN_LEVELS = "Allow unknown categorical levels"

# Studio drew a new seed where it was left empty; here it is 0, so that a training can be repeated.
COMMON_RULES: Mapping[str, AnyRule] = {SEED: Rule(int, 0), UNKNOWN_LEVELS: Rule(bool, True)}
LEAST = 1e-12  # stands for Studio's "above zero"

Parameters = Mapping[str, Setting]
Model = TreeEnsemble | Network


@dataclass(frozen=True)
class TrainingRows:
    """
    What a learner is fitted to.

    `features` is `n_rows × n_features`; a categorical one holds positions of levels, of which there are `n_levels`
    (None for a number column). `labels` is `n_rows` long and holds positions in the `n_classes` classes, or values
    where `n_classes` is 0.
    """

    features: Features
    labels: NDArray[Any]
    n_classes: int
    n_levels: tuple[int | None, ...]
    threads: int

    @property
    def categorical(self) -> tuple[int, ...]:
        """Positions of the categorical features."""
        return tuple(at for at, n_levels in enumerate(self.n_levels) if n_levels is not None)


@dataclass(frozen=True)
class LearnerKind:
    """
    A learner under its name in Studio.

    `fit` raises ValueError or LibraryError with the reason when it fails. `answers` says what the fitted model gives to
    a row. `inert` parameters are accepted, so that declarations can be taken over, and change nothing.
    """

    name: str
    task: Task
    answers: Answers
    rules: Mapping[str, AnyRule]
    fit: Callable[[TrainingRows, Parameters], Model]
    library: str
    inert: frozenset[str] = frozenset()
    unknown_levels: str = UNKNOWN_LEVELS


@dataclass(frozen=True)
class Learner:
    """A learner with a value for each of its parameters."""

    kind: LearnerKind
    parameters: Parameters

    @property
    def name(self) -> str:
        """Its name in Studio."""
        return self.kind.name

    @property
    def task(self) -> Task:
        """What it predicts."""
        return self.kind.task

    @property
    def allows_unknown_levels(self) -> bool:
        """Whether a level that training did not see counts as missing, or is an error."""
        return self.parameters[self.kind.unknown_levels] is True
