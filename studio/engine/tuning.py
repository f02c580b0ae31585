"""Tune Model Hyperparameters: a random sweep over parameters, ranked on rows that did not train."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import exp, log

import numpy as np

from studio.engine.design import Split
from studio.engine.evaluation import Evaluation, evaluate
from studio.engine.fitting import Rows, Trainer
from studio.engine.learners import Learner
from studio.engine.number_text import number_text
from studio.engine.options import Range, Tuning
from studio.engine.ranking import rank
from studio.engine.schema import ColumnType
from studio.engine.settings import Setting, setting_text
from studio.engine.split import training_rows
from studio.engine.table_file import ResultTable

_DIGITS = 6  # significant, of a drawn number


@dataclass(frozen=True)
class Run:
    """One draw: what was drawn, and what a model trained so is worth."""

    drawn: Mapping[str, Setting]
    evaluation: Evaluation


@dataclass(frozen=True)
class Sweep:
    """All runs, the best first."""

    learner: Learner
    runs: tuple[Run, ...]

    @property
    def best(self) -> Learner:
        """The learner with the parameters of the best run."""
        return replace(self.learner, parameters={**self.learner.parameters, **self.runs[0].drawn})

    def table(self) -> ResultTable:
        """Return a row per run: the parameters that were drawn, then the metrics."""
        first = self.runs[0]
        columns = (
            *((name, ColumnType.CATEGORICAL) for name in first.drawn),
            *((name, ColumnType.NUMERIC) for name in first.evaluation.metrics),
        )
        rows = (
            [*map(setting_text, run.drawn.values()), *map(number_text, run.evaluation.metrics.values())]
            for run in self.runs
        )
        return ResultTable.of(columns, rows)


def sweep(trainer: Trainer, rows: Rows, options: Tuning, *, stratified: bool) -> Sweep:
    """
    Draw, train and rank; of equally good runs the earlier is better. Equal arguments give an equal sweep.

    Raises:
        ModuleError: There are too few rows to train on some and rank on the others, or the learner fails.
    """
    split = Split(options.fraction, options.seed, stratified)
    chosen = training_rows(rows.labels, len(trainer.classes), split)
    training, validation = rows.chosen(chosen), rows.chosen(~chosen)
    fills = trainer.fills(training)
    training, validation = training.filled(fills), validation.filled(fills)
    random = np.random.default_rng(options.seed)
    runs = []
    for _ in range(options.runs):
        drawn = {name: _drawn(random, wanted) for name, wanted in options.ranges.items()}
        parameters = {**trainer.learner.parameters, **drawn}
        tried = replace(trainer, learner=replace(trainer.learner, parameters=parameters))
        answers = tried.answers(tried.fit(training), validation.features)
        runs.append(Run(drawn, evaluate(tried.learner, validation.labels, answers)))
    ranked = sorted(runs, key=lambda run: -rank(options.metric, run.evaluation.metrics[options.metric]))
    return Sweep(trainer.learner, tuple(ranked))


def _drawn(random: np.random.Generator, wanted: Range) -> Setting:
    if wanted.choices:
        return wanted.choices[int(random.integers(len(wanted.choices)))]
    if wanted.logarithmic:
        value = exp(random.uniform(log(wanted.low), log(wanted.high)))
    else:
        value = random.uniform(wanted.low, wanted.high)
    if wanted.whole:
        return round(value)
    return min(max(float(f"{value:.{_DIGITS}g}"), wanted.low), wanted.high)
