"""Rows that two models answered, better or worse, and rules to judge them by."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from shared.domain.gate import GateRule
from shared.domain.measuring.paired import PairedScores
from shared.domain.task import Task

RULE = GateRule(floors={"AUC": 0.8}, ceilings={"Average Log Loss": 0.5}, replicates=200)
GOOD = {"AUC": 0.9, "Average Log Loss": 0.3}
NAN, INFINITY = float("nan"), float("inf")


def scores(champion_noise: float, challenger_noise: float, n_rows: int = 4000) -> PairedScores:
    random = np.random.default_rng(7)
    labels = random.random(n_rows) < 0.25
    return PairedScores(
        labels,
        labels + champion_noise * random.standard_normal(n_rows),
        labels + challenger_noise * random.standard_normal(n_rows),
    )


def with_metric(**changes: Any) -> GateRule:
    return replace(RULE, metrics=(replace(RULE.primary, **changes),))


def one_positive(rows: PairedScores) -> PairedScores:
    labels = np.zeros_like(rows.labels)
    labels[0] = True
    return replace(rows, labels=labels)


def numbers(champion_noise: float, challenger_noise: float, n_rows: int = 2000) -> PairedScores:
    random = np.random.default_rng(7)
    truth = random.normal(100, 10, n_rows)
    answers = [truth + noise * random.standard_normal(n_rows) for noise in (champion_noise, challenger_noise)]
    return PairedScores(truth, answers[0], answers[1], Task.REGRESSION)


def classes(champion_noise: float, challenger_noise: float, n_rows: int = 2000) -> PairedScores:
    random = np.random.default_rng(7)
    truth = random.integers(0, 3, n_rows)
    raw = [np.eye(3)[truth] + noise * random.random((n_rows, 3)) for noise in (champion_noise, challenger_noise)]
    shares = [share / share.sum(axis=1, keepdims=True) for share in raw]
    return PairedScores(truth, shares[0], shares[1], Task.MULTICLASS)


def sliced(bad: int, n_rows: int = 4000) -> PairedScores:
    """A challenger that is better, save in the last `bad` rows, where it guesses."""
    rows = scores(1.0, 0.7, n_rows)
    here = np.arange(n_rows) >= n_rows - bad
    guesses = np.random.default_rng(1).random(n_rows)
    challenger = np.where(here, guesses, rows.challenger)
    return replace(rows, challenger=challenger, slices={"sex=F": here, "sex=M": ~here})
