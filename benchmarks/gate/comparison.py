"""Lets every rule decide the same histories, and counts what it did."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks.gate.page import write_page
from benchmarks.gate.rules import RULES, Memory, Trial
from benchmarks.gate.world import Candidate, Rows, Week, first_model, read, scores, year
from shared.domain.measuring.measures import auc

REAL_PP = 0.005  # half a percentage point of AUC, by the truth: what counts as better or worse
_FIRST_MARGIN = 0.02
_WEEKS, _HISTORIES = 40, 20
_QUICK_WEEKS, _QUICK_HISTORIES = 6, 2
SCENARIOS = {"steady": False, "drift": True}


@dataclass
class Tally:
    """
    What a rule did in one history.

    Attributes:
        served: True AUC of what served, week by week.
        wrong_promotions: Promotions of a model that is truly worse.
        wrong_rejections: Rejections of a model that is truly better.
        bad_files: Promotions of models from bad files that are truly worse.
    """

    served: list[float] = field(default_factory=list)
    promotions: int = 0
    wrong_promotions: int = 0
    wrong_rejections: int = 0
    bad_files: int = 0


Results = Mapping[str, Mapping[str, Sequence[Tally]]]  # scenario → rule → histories


def run(data: Path, source: str, *, quick: bool, target: Path, say: Callable[[str], None]) -> str:
    """
    Compare the rules and write the page with table and plot into `target`; returns the page's text.

    Histories are played beside each other, one for each core; each has a seed of its own, so the order tells nothing.

    Args:
        data: A file with the columns of UCI Adult.
        source: Where its rows come from, as told to a person.
        quick: See that it works; the figures are not to be quoted.
    """
    weeks, histories = (_QUICK_WEEKS, _QUICK_HISTORIES) if quick else (_WEEKS, _HISTORIES)
    everything = read(data)
    results: dict[str, dict[str, list[Tally]]] = {name: {rule: [] for rule in RULES} for name in SCENARIOS}
    with ProcessPoolExecutor(os.cpu_count()) as cores:
        played = {
            (scenario, history): cores.submit(_history, everything, weeks=weeks, drifts=drifts, seed=1000 * history)
            for scenario, drifts in SCENARIOS.items()
            for history in range(histories)
        }
        for (scenario, history), tallies in played.items():
            for rule, tally in tallies.result().items():
                results[scenario][rule].append(tally)
            say(f"{scenario}: history {history + 1} of {histories}")
    return write_page(results, source, weeks=weeks, quick=quick, target=target)


def _history(rows: Rows, *, weeks: int, drifts: bool, seed: int) -> dict[str, Tally]:
    order = np.random.default_rng(seed).permutation(len(rows.labels))
    shuffled = rows.some(order)
    published = first_model(shuffled, seed)
    champions = dict.fromkeys(RULES, published)
    tallies = {rule: Tally() for rule in RULES}
    memories: dict[str, Memory] = {}
    for week in year(shuffled, weeks=weeks, drifts=drifts, seed=seed):
        known = _Scores(week)
        first = auc(week.holdout.labels, known.holdout(published))(np.ones(len(week.holdout.labels)))
        for rule in RULES:
            memory = memories.setdefault(rule, Memory(first - _FIRST_MARGIN, first, first))
            champions[rule] = _decide(rule, week, champions[rule], published, known, memory, tallies[rule])
    return tallies


class _Scores:
    """Scores of one week's rows, computed once for each model."""

    def __init__(self, week: Week) -> None:
        self._week = week
        self._known: dict[tuple[int, str], np.ndarray] = {}
        self._truths: dict[int, float] = {}
        self.bounds: dict[int, float] = {}

    def holdout(self, candidate: Candidate) -> np.ndarray:
        return self._scores(candidate, "holdout")

    def truth(self, candidate: Candidate) -> float:
        if id(candidate) not in self._truths:
            labels = self._week.test.labels
            self._truths[id(candidate)] = auc(labels, self._scores(candidate, "test"))(np.ones(len(labels)))
        return self._truths[id(candidate)]

    def _scores(self, candidate: Candidate, which: str) -> np.ndarray:
        key = id(candidate), which
        if key not in self._known:
            self._known[key] = scores(candidate, getattr(self._week, which))
        return self._known[key]


def _decide(
    rule: str, week: Week, champion: Candidate, published: Candidate, known: _Scores, memory: Memory, tally: Tally
) -> Candidate:
    """Let one rule decide, count what it did, and return what serves afterwards."""
    challenger = week.candidate
    scores = known.holdout(champion), known.holdout(challenger), known.holdout(published)
    trial = Trial(week.holdout.labels, *scores, bounds=known.bounds)
    promoted = RULES[rule](trial, memory)
    truly = known.truth(challenger) - known.truth(champion)
    if promoted:
        score = trial.value(trial.challenger)
        memory.stored, memory.best = score, max(memory.best, score)
        tally.promotions += 1
        tally.wrong_promotions += truly < -REAL_PP
        tally.bad_files += truly < -REAL_PP and challenger.kind != "good"
    else:
        tally.wrong_rejections += truly > REAL_PP
    serving = challenger if promoted else champion
    tally.served.append(known.truth(serving))
    return serving
