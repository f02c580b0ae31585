"""The gate's paired bootstrap: the interval of a difference in AUC, all scores distinct, by the processor's clock."""

from __future__ import annotations

import time

import numpy as np

from benchmarks.bench import Bench
from benchmarks.figures import Better, Comparison, Figure, Goal, Samples
from shared.domain.measuring.paired import PairedScores, Question, compare

_ROUNDS = 3
_ROWS, _QUICK_ROWS = 50_000, 5_000
_REPLICATES = 1_000
_LIMIT_S = 2.0


def run(bench: Bench) -> list[Figure]:
    """Measure it at 50,000 rows and 1,000 resamples beside the two seconds that a decision may wait for it."""
    scores = _scores(_QUICK_ROWS if bench.quick else _ROWS)
    seconds = [_seconds(scores) for _ in range(bench.n_rounds(_ROUNDS))]
    bench.say(", ".join(f"{one:.2f} s" for one in seconds))
    measure = f"interval of a difference in AUC, {len(scores.labels):,} rows, {_REPLICATES:,} resamples"
    limit = Samples([_LIMIT_S])
    return [Comparison(measure, "s", Better.LESS, Samples(seconds), limit, against="the limit", goal=Goal(1, 2))]


def _scores(n_rows: int) -> PairedScores:
    random = np.random.default_rng(0)
    labels = random.random(n_rows) < 0.25
    champion, challenger = (1 / (1 + np.exp(-3 * labels - random.standard_normal(n_rows))) for _ in range(2))
    return PairedScores(labels, champion, challenger)


def _seconds(scores: PairedScores) -> float:
    began = time.process_time()
    compare([Question("AUC", scores.champion)], scores, replicates=_REPLICATES, seed=0)
    return time.process_time() - began
