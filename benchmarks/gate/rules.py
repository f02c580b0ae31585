"""The rules that are compared: those that other systems ship, halves of ours, and ours as it runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmarks.gate.world import Floats
from shared.domain.gate import GateRule, Outcome, judge
from shared.domain.measuring.measures import auc
from shared.domain.measuring.paired import PairedScores, Question, compare

OURS = "Relearn: gain ≥ 0 and L95 > −1 pp"
_RULE = GateRule()
_MARGIN = _RULE.primary.margin


@dataclass
class Memory:
    """What a rule may remember of one history: the bound it was set up with, and scores of the past."""

    bound: float
    stored: float
    best: float


@dataclass(frozen=True)
class Trial:
    """One decision to be made: both models on the same holdout rows, and the published model's answers to them."""

    labels: np.ndarray
    champion: Floats
    challenger: Floats
    published: Floats
    bounds: dict[int, float]  # of the week: by champion, since several rules ask for the same

    def value(self, scores: Floats) -> float:
        """Return a model's AUC on the holdout."""
        return auc(self.labels, scores)(np.ones(len(self.labels)))

    @property
    def gain(self) -> float:
        """Challenger minus champion."""
        return self.value(self.challenger) - self.value(self.champion)

    def lower(self) -> float:
        """Return the one-sided 95 % lower bound of the gain."""
        if id(self.champion) not in self.bounds:
            rows = PairedScores(self.labels, self.champion, self.challenger)
            (found,) = compare([Question("AUC", self.champion)], rows, replicates=_RULE.replicates, seed=_RULE.seed)
            self.bounds[id(self.champion)] = found.bounds(_RULE.confidence)[0]
        return self.bounds[id(self.champion)]


Rule = Callable[[Trial, Memory], bool]


def _ours(trial: Trial, memory: Memory) -> bool:
    rows = PairedScores(trial.labels, trial.champion, trial.challenger, anchor=trial.published)
    return judge({}, rows, _RULE).outcome is Outcome.PROMOTE


# Name → rule, and who ships it. None uses the memory but the three that say so.
RULES: dict[str, Rule] = {
    "always promote": lambda trial, memory: True,
    "absolute: AUC ≥ first − 2 pp": lambda trial, memory: trial.value(trial.challenger) >= memory.bound,
    "beat the stored last score": lambda trial, memory: trial.value(trial.challenger) >= memory.stored,
    "beat the stored best score": lambda trial, memory: trial.value(trial.challenger) >= memory.best,
    "same rows, gain ≥ 0": lambda trial, memory: trial.gain >= 0,
    "same rows, L95 > 0": lambda trial, memory: trial.lower() > 0,
    "same rows, L95 > −1 pp": lambda trial, memory: trial.lower() > -_MARGIN,
    OURS: _ours,
}
SHIPPED_BY = {
    "always promote": "Data Factory with the classic service",
    "absolute: AUC ≥ first − 2 pp": "SageMaker's sample pipelines",
    "beat the stored last score": "MLOpsPython, earlier retrainers",
    "beat the stored best score": "the same, with a best-ever tag",
    "same rows, gain ≥ 0": "TFX's template, MLflow thresholds",
    "same rows, L95 > 0": 'half of ours, cautious (`mode = "superiority"`)',
    "same rows, L95 > −1 pp": "half of ours, without the gain",
    OURS: "the default gate",
}
