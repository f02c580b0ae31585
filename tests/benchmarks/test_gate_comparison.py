"""The comparison of gates: each rule's decision, what is counted of it, the made-up year, and the page."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from benchmarks.gate.comparison import REAL_PP, SCENARIOS, Tally, _decide, _history, _Scores
from benchmarks.gate.page import write_page
from benchmarks.gate.rules import OURS, RULES, SHIPPED_BY, Memory, Trial
from benchmarks.gate.world import (
    FILE_ROWS,
    HOLDOUT_ROWS,
    SMALL_ROWS,
    TEST_ROWS,
    Candidate,
    Rows,
    Week,
    _file,
    year,
)

DOCS = Path(__file__).parents[2] / "docs"
ALWAYS, ABSOLUTE, LAST, BEST, GAIN, CAUTIOUS, MARGIN = list(RULES)[:-1]
_LABELS = np.arange(4000) % 2 == 0
_NOISE = np.random.default_rng(4).normal(0, 1, 4000)


def _answers(skill: float, noise: np.ndarray = _NOISE) -> np.ndarray:
    """Scores that tell the classes apart the better the greater the skill."""
    return 1 / (1 + np.exp(-(skill * (_LABELS - 0.5) + noise)))


def _trial(champion: np.ndarray, challenger: np.ndarray) -> Trial:
    return Trial(_LABELS, champion, challenger, champion, bounds={})


_MUCH_BETTER, _A_LITTLE_WORSE, _MUCH_WORSE = _answers(2.2), _answers(1.985), _answers(1.0)


@pytest.mark.parametrize(
    ("challenger", "promoting"),
    [
        (_MUCH_BETTER, {ALWAYS, ABSOLUTE, LAST, BEST, GAIN, CAUTIOUS, MARGIN, OURS}),
        (_A_LITTLE_WORSE, {ALWAYS, ABSOLUTE, MARGIN}),
        (_MUCH_WORSE, {ALWAYS}),
    ],
    ids=["much better", "a little worse", "much worse"],
)
def test_each_rule_decides_as_it_is_named(challenger: np.ndarray, promoting: set[str]) -> None:
    trial = _trial(_answers(2.0), challenger)
    now = trial.value(trial.champion)

    assert {name for name, rule in RULES.items() if rule(trial, Memory(now - 0.02, now, now))} == promoting


def test_an_equal_model_passes_what_asks_for_no_loss_and_ours_calls_it_no_change() -> None:
    trial = _trial(_answers(2.0), _answers(2.0).copy())
    now = trial.value(trial.champion)

    promoting = {name for name, rule in RULES.items() if rule(trial, Memory(now - 0.02, now, now))}

    assert promoting == {ALWAYS, ABSOLUTE, LAST, BEST, GAIN, MARGIN}


def test_a_stored_score_freezes_the_endpoint_once_it_was_lucky() -> None:
    """A better challenger, on rows that are harder than those of the lucky week."""
    trial = _trial(_answers(1.8), _answers(2.0))
    lucky = trial.value(trial.challenger) + 0.05

    assert not RULES[LAST](trial, Memory(0.5, lucky, lucky))
    assert RULES[LAST](trial, Memory(0.5, 0.5, lucky))
    assert not RULES[BEST](trial, Memory(0.5, 0.5, lucky))
    assert RULES[GAIN](trial, Memory(0.5, lucky, lucky))


def test_values_are_the_auc_of_the_scores() -> None:
    trial = _trial(_answers(2.0), _MUCH_WORSE)

    assert trial.value(trial.challenger) == pytest.approx(roc_auc_score(_LABELS, _MUCH_WORSE))
    assert trial.gain == pytest.approx(roc_auc_score(_LABELS, _MUCH_WORSE) - roc_auc_score(_LABELS, _answers(2.0)))
    assert trial.lower() < trial.gain < 0


class _Column:
    """Answers with one of the features, so that a test says what a model answers to which rows."""

    def __init__(self, at: int) -> None:
        self.booster_, self._at = self, at

    def predict(self, features: np.ndarray, num_threads: int) -> np.ndarray:
        return features[:, self._at]


def _model(at: int, kind: str = "good") -> Candidate:
    model: Any = _Column(at)
    return Candidate(kind, model)


def _week(kind: str, *, holdout: tuple[float, float], truth: tuple[float, float]) -> Week:
    """A champion, column 0, and a challenger, column 1, of the given skill on the holdout and in truth."""
    parts = [
        Rows(np.column_stack([_answers(skill) for skill in skills]), _LABELS, np.zeros(4000))
        for skills in (holdout, truth)
    ]
    return Week(*parts, _model(1, kind))


@pytest.mark.parametrize(
    ("rule", "kind", "holdout", "truth", "counted"),
    [
        (GAIN, "good", (1.0, 2.0), (1.0, 2.0), Tally(promotions=1)),
        (GAIN, "good", (1.0, 2.0), (2.0, 1.0), Tally(promotions=1, wrong_promotions=1)),
        (GAIN, "small", (1.0, 2.0), (2.0, 1.0), Tally(promotions=1, wrong_promotions=1, bad_files=1)),
        (GAIN, "small", (1.0, 2.0), (1.0, 2.0), Tally(promotions=1)),
        (GAIN, "good", (2.0, 1.0), (1.0, 2.0), Tally(wrong_rejections=1)),
        (GAIN, "good", (2.0, 1.0), (2.0, 1.0), Tally()),
        (GAIN, "good", (2.0, 1.0), (2.0, 2.01), Tally()),
        (ALWAYS, "good", (2.0, 1.0), (2.0, 1.99), Tally(promotions=1)),
    ],
)
def test_what_a_rule_did_is_counted_by_the_truth(
    rule: str, kind: str, holdout: tuple[float, float], truth: tuple[float, float], counted: Tally
) -> None:
    week, champion, tally = _week(kind, holdout=holdout, truth=truth), _model(0), Tally()
    memory = Memory(0.0, 0.9, 0.9)

    serving = _decide(rule, week, champion, champion, _Scores(week), memory, tally)

    promoted = bool(counted.promotions)
    assert serving is (week.candidate if promoted else champion)
    assert tally.served == [pytest.approx(roc_auc_score(_LABELS, _answers(truth[promoted])))]
    tally.served = []
    assert tally == counted
    seen = float(roc_auc_score(_LABELS, _answers(holdout[1])))
    remembered = (seen, max(0.9, seen)) if promoted else (0.9, 0.9)
    assert (memory.stored, memory.best) == pytest.approx(remembered)


def test_what_counts_as_wrong_is_half_a_percentage_point() -> None:
    apart = abs(roc_auc_score(_LABELS, _answers(2.0)) - roc_auc_score(_LABELS, _answers(2.01)))

    assert apart < REAL_PP == 0.005


@pytest.fixture(scope="module")
def people() -> Rows:
    """As many rows as the real file has, of two features; the label follows from both."""
    draw = np.random.default_rng(2)
    ages = draw.integers(17, 90, 32_000).astype(float)
    hours = draw.normal(40, 10, 32_000)
    return Rows(np.column_stack([ages, hours]), ages / 20 + hours / 10 + draw.normal(0, 1, 32_000) > 7, ages)


@pytest.mark.parametrize("drifts", [False, True])
def test_a_history_is_the_same_each_time_and_every_rule_lives_through_it(people: Rows, drifts: bool) -> None:
    tallies = _history(people, weeks=3, drifts=drifts, seed=1)

    assert tallies == _history(people, weeks=3, drifts=drifts, seed=1)
    assert tallies.keys() == RULES.keys()
    assert {len(tally.served) for tally in tallies.values()} == {3}
    assert (tallies[ALWAYS].promotions, tallies[ALWAYS].wrong_rejections) == (3, 0)
    assert all(tally.promotions <= 3 for tally in tallies.values())


def test_files_are_as_bad_as_the_page_says(people: Rows) -> None:
    draw = np.random.default_rng(1)
    files = {kind: _file(people, kind, draw) for kind in ("good", "noisy labels", "small", "one age group")}

    assert (len(files["good"].labels), len(files["small"].labels)) == (FILE_ROWS, SMALL_ROWS)
    assert files["one age group"].ages.max() < 30
    seen_by_others = set(map(tuple, people.features[: 2 * TEST_ROWS].tolist()))
    assert all(seen_by_others.isdisjoint(map(tuple, file.features.tolist())) for file in files.values())
    labels = {tuple(row): label for row, label in zip(people.features.tolist(), people.labels.tolist(), strict=True)}
    turned = [labels[tuple(row)] != label for row, label in zip(*_lists(files["noisy labels"]), strict=True)]
    assert np.mean(turned) == pytest.approx(0.3, abs=0.04)
    assert all(labels[tuple(row)] == label for row, label in zip(*_lists(files["good"]), strict=True))


def _lists(rows: Rows) -> tuple[list[list[float]], list[bool]]:
    return rows.features.tolist(), rows.labels.tolist()


def test_the_holdout_stays_where_nothing_drifts_and_no_rule_sees_the_truth(people: Rows) -> None:
    steady = list(year(people, weeks=2, drifts=False, seed=3))
    drifting = list(year(people, weeks=2, drifts=True, seed=3))

    assert (steady[0].holdout.features == steady[1].holdout.features).all()
    assert (drifting[0].holdout.features != drifting[1].holdout.features).any()
    assert {len(week.holdout.labels) for week in steady + drifting} == {HOLDOUT_ROWS}
    last = drifting[-1].test
    turned = last.labels != people.labels[:TEST_ROWS]
    assert turned[last.ages < 40].sum() == 0
    assert turned[last.ages >= 40].mean() == pytest.approx(0.4, abs=0.02)
    truth = set(map(tuple, steady[0].test.features.tolist()))
    assert truth.isdisjoint(map(tuple, steady[0].holdout.features.tolist()))


def test_the_page_says_what_was_counted(tmp_path: Path) -> None:
    histories = [
        Tally([0.8, 0.9], promotions=2, wrong_promotions=1, wrong_rejections=0, bad_files=1),
        Tally([0.6, 0.7], promotions=3, wrong_promotions=0, wrong_rejections=1, bad_files=0),
    ]
    results = {scenario: dict.fromkeys(RULES, histories) for scenario in SCENARIOS}

    text = write_page(results, "rows made up", weeks=2, quick=True, target=tmp_path)

    assert (tmp_path / "gate-comparison.md").read_text(encoding="utf-8") == text
    assert text.count("| 2.5 | 0.5 | 0.5 | 0.5 | 0.7500 ± 0.1000 | 0.7000 |") == len(RULES) * len(SCENARIOS)
    assert f"| **{OURS}** | 2.5 |" in text
    assert "not to be quoted" in text
    assert "Rows made up; 2 histories of\n2 weekly retrains" in text
    for rule in RULES:
        assert f"| {rule} | {SHIPPED_BY[rule]} |" in text
    for scenario in SCENARIOS:
        plot = (tmp_path / f"gate-comparison-{scenario}.svg").read_text(encoding="utf-8")
        assert "<script" not in plot
        assert all(escape(rule) in plot for rule in RULES)


def _published() -> dict[str, dict[str, list[float]]]:
    """The published page's tables: scenario → rule → the row's figures."""
    tables: dict[str, dict[str, list[float]]] = {}
    for part in (DOCS / "gate-comparison.md").read_text(encoding="utf-8").split("\n## "):
        rows = [line.strip("| ").split(" | ") for line in part.splitlines() if line.count("|") == 8 and "±" in line]
        figures = {rule.strip("*"): [float(cell.split(" ± ")[0]) for cell in cells] for rule, *cells in rows[1:]}
        tables |= {part.partition("\n")[0].lower(): figures} if rows else {}
    return tables


def test_the_published_page_has_every_rule_and_the_gates_page_quotes_it() -> None:
    published = _published()
    quoted = " ".join((DOCS / "gate.md").read_text(encoding="utf-8").split())

    assert list(published) == list(SCENARIOS)
    assert all(list(figures) == list(RULES) for figures in published.values())
    steady, drift = published["steady"], published["drift"]
    served = {rule: 100 * (drift[OURS][4] - figures[4]) for rule, figures in drift.items()}
    least = min(figures[4] for rule, figures in drift.items() if rule != ALWAYS)
    for said in (
        f"promoting always serves {100 * (steady[OURS][4] - steady[ALWAYS][4]):.0f} points of AUC less",
        f"({100 * (least - drift[ALWAYS][4]):.1f} where the world drifts)",
        f"an absolute bound lets through truly worse models {steady[ABSOLUTE][1]:.0f} times a history",
        f"({drift[ABSOLUTE][3]:.0f} and {drift[LAST][3]:.0f} wrong rejections, "
        f"{served[ABSOLUTE]:.1f} and {served[LAST]:.1f} points less served)",
        f"a few more worse models through ({drift[GAIN][1]} against {drift[OURS][1]})",
        f"a few fewer wrong rejections ({drift[GAIN][3]} against {drift[OURS][3]})",
    ):
        assert said in quoted
    assert abs(served[GAIN]) < 0.05  # "serve as much as ours"
    assert steady[LAST] == steady[GAIN] == steady[OURS]
