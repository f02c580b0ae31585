"""The learners that an experiment may name, and their parameters, under the names they had in Studio."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from studio.engine.errors import shown
from studio.engine.sections import Section
from studio.engine.settings import Rule, Setting

UNKNOWN_LEVELS = "Allow unknown categorical levels"
TREES = "Number of trees constructed"


@dataclass(frozen=True)
class LearnerKind:
    """
    A learner: the rules of its parameters, and how the library underneath calls them.

    `library_names` maps Studio's parameter names to LightGBM's.
    """

    name: str
    rules: Mapping[str, Rule]
    library_names: Mapping[str, str]

    def library_settings(self, parameters: Mapping[str, Setting]) -> dict[str, Setting]:
        """Translate parameters; those that do not steer the library are left out."""
        return {library: parameters[name] for name, library in self.library_names.items()}


# Defaults are Studio's. A seed left empty drew a new one there; here it is 0, so that a training can be repeated.
_BOOSTED_TREES = LearnerKind(
    name="Two-Class Boosted Decision Tree",
    rules={
        "Maximum number of leaves per tree": Rule(int, 20, 2, 131072),
        "Minimum number of samples per leaf node": Rule(int, 10, 1),
        "Learning rate": Rule(float, 0.2, 1e-6, 1),
        TREES: Rule(int, 100, 1, 100_000),
        "Random number seed": Rule(int, 0),
        UNKNOWN_LEVELS: Rule(bool, True),
    },
    library_names={
        "Maximum number of leaves per tree": "num_leaves",
        "Minimum number of samples per leaf node": "min_data_in_leaf",
        "Learning rate": "learning_rate",
        "Random number seed": "seed",
    },
)

LEARNERS: Mapping[str, LearnerKind] = {kind.name: kind for kind in (_BOOSTED_TREES,)}


@dataclass(frozen=True)
class Learner:
    """A learner by its name in Studio, with a value for each of its parameters."""

    name: str
    parameters: Mapping[str, Setting]

    @property
    def kind(self) -> LearnerKind:
        """The rules of this learner."""
        return LEARNERS[self.name]


def read_learner(section: Section) -> Learner | None:
    """Read the section `learner`; None, with a problem reported, when it names no known one."""
    if not section.values:
        return None
    name = section.text("name")
    parameters = section.section("parameters")
    section.close()
    if name not in LEARNERS:
        section.report("name", f"unknown learner {shown(name)}; known are {list(LEARNERS)}")
        return None
    settings = parameters.settings(LEARNERS[name].rules)
    parameters.close()
    return Learner(name, settings)
