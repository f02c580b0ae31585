"""Measures against their definitions, and the bootstrap that resamples them."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from shared.domain.measuring.measures import MEASURES, auc
from shared.domain.measuring.paired import PairedScores, Question, compare, resamples
from shared.domain.task import Task

RANDOM = np.random.default_rng(3)
N = 300


def test_auc_counts_ties_as_half() -> None:
    labels = np.array([True, True, False, False])

    assert auc(labels, np.array([0.9, 0.5, 0.5, 0.1]))(np.ones(4)) == 3.5 / 4


def test_auc_agrees_with_the_definition_on_random_scores() -> None:
    labels, given = RANDOM.random(N) < 0.4, np.round(RANDOM.random(N), 2)
    positive, negative = given[labels][:, None], given[~labels][None, :]

    by_pairs = np.mean((positive > negative) + 0.5 * (positive == negative))

    assert auc(labels, given)(np.ones(N)) == pytest.approx(by_pairs, abs=1e-12)


def _answers(task: Task) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if task is Task.TWO_CLASS:
        return (RANDOM.random(N) < 0.4), np.round(RANDOM.random(N), 2)
    if task is Task.REGRESSION:
        truth = RANDOM.normal(10, 3, N)
        return truth, truth + RANDOM.normal(0, 1, N)
    shares = RANDOM.random((N, 4))
    return RANDOM.integers(0, 4, N), shares / shares.sum(axis=1, keepdims=True)


@pytest.mark.parametrize(("task", "name"), [(task, name) for task in Task for name in MEASURES[task]])
def test_a_weight_counts_as_so_many_copies_of_its_row(task: Task, name: str) -> None:
    truth, answers = _answers(task)
    weights = RANDOM.integers(0, 4, N)
    copies = np.repeat(np.arange(N), weights)

    weighted = MEASURES[task][name](truth, answers)(weights.astype(np.float64))
    copied = MEASURES[task][name](truth[copies], answers[copies])(np.ones(len(copies)))

    assert weighted == pytest.approx(copied, rel=1e-12)


def _confusion(truth: NDArray[np.float64], answers: NDArray[np.float64]) -> tuple[int, int, int, int]:
    called = answers >= 0.5
    hits, misses = int((called & truth).sum()), int((~called & truth).sum())
    return hits, misses, int((called & ~truth).sum()), int((~called & ~truth).sum())


def test_two_class_measures_agree_with_the_confusion_matrix() -> None:
    truth, answers = _answers(Task.TWO_CLASS)
    tp, fn, fp, tn = _confusion(truth, answers)
    value = {name: measure(truth, answers)(np.ones(N)) for name, measure in MEASURES[Task.TWO_CLASS].items()}

    assert value["Accuracy"] == pytest.approx((tp + tn) / N)
    assert value["Precision"] == pytest.approx(tp / (tp + fp))
    assert value["Recall"] == pytest.approx(tp / (tp + fn))
    assert value["F-Score"] == pytest.approx(2 * tp / (2 * tp + fp + fn))
    p = truth.mean()
    entropy = -(p * np.log(p) + (1 - p) * np.log(1 - p))
    assert value["Training Log Loss"] == pytest.approx(100 * (1 - value["Average Log Loss"] / entropy))


def test_multiclass_measures_agree_with_their_definitions() -> None:
    truth, answers = _answers(Task.MULTICLASS)
    said = answers.argmax(axis=1)
    value = {name: measure(truth, answers)(np.ones(N)) for name, measure in MEASURES[Task.MULTICLASS].items()}
    of_each = [
        ((said == k) & (truth == k), (said == k) & (truth != k), (said != k) & (truth == k), (said != k) & (truth != k))
        for k in range(4)
    ]
    tp, fp, fn, tn = (np.array(counts) for counts in zip(*[map(np.sum, each) for each in of_each], strict=True))

    assert value["Overall accuracy"] == pytest.approx((said == truth).mean())
    assert value["Average accuracy"] == pytest.approx(((tp + tn) / N).mean())
    assert value["Micro-averaged precision"] == pytest.approx(tp.sum() / (tp + fp).sum())
    assert value["Micro-averaged recall"] == pytest.approx(tp.sum() / (tp + fn).sum())
    assert value["Macro-averaged precision"] == pytest.approx((tp / (tp + fp)).mean())
    assert value["Macro-averaged recall"] == pytest.approx((tp / (tp + fn)).mean())


def test_regression_measures_agree_with_their_definitions() -> None:
    truth, answers = _answers(Task.REGRESSION)
    value = {name: measure(truth, answers)(np.ones(N)) for name, measure in MEASURES[Task.REGRESSION].items()}
    errors = answers - truth

    assert value["Mean Absolute Error"] == pytest.approx(np.abs(errors).mean())
    assert value["Root Mean Squared Error"] == pytest.approx(np.sqrt((errors**2).mean()))
    assert value["Coefficient of Determination"] == pytest.approx(1 - (errors**2).sum() / (N * truth.var()))
    assert value["Relative Squared Error"] == pytest.approx(1 - value["Coefficient of Determination"])
    assert value["Relative Absolute Error"] == pytest.approx(np.abs(errors).sum() / np.abs(truth - truth.mean()).sum())


def test_certainty_about_what_is_false_costs_much_and_not_everything() -> None:
    loss = MEASURES[Task.TWO_CLASS]["Average Log Loss"](np.array([True, False]), np.array([0.0, 1.0]))

    assert 30 < loss(np.ones(2)) < 40


@pytest.mark.parametrize("name", ["Precision", "AUC"])
def test_a_metric_without_a_value_is_no_number(name: str) -> None:
    value = MEASURES[Task.TWO_CLASS][name](np.array([False, False]), np.array([0.1, 0.2]))

    assert np.isnan(value(np.ones(2)))


def test_the_interval_covers_the_true_difference_about_as_often_as_it_says() -> None:
    """Of two hundred one-sided 5 % bounds over equal models, about ten lie above zero."""
    above = 0
    for seed in range(200):
        random = np.random.default_rng(seed)
        labels = random.random(300) < 0.3
        rows = PairedScores(labels, labels + random.standard_normal(300), labels + random.standard_normal(300))
        (contrast,) = compare([Question("AUC", rows.champion)], rows, replicates=200, seed=seed)
        above += contrast.bounds(0.95)[0] > 0
    assert 2 <= above <= 22


def _two(noise: float = 1.0) -> PairedScores:
    random = np.random.default_rng(7)
    labels = random.random(2000) < 0.25
    return PairedScores(labels, labels + random.standard_normal(2000), labels + noise * random.standard_normal(2000))


def test_the_same_seed_gives_the_same_interval_and_another_seed_another() -> None:
    rows = _two()
    ask = [Question("Accuracy", rows.champion)]

    once, again, other = (compare(ask, rows, replicates=100, seed=seed)[0] for seed in (5, 5, 6))

    assert once.bounds(0.9) == again.bounds(0.9) != other.bounds(0.9)


def test_groups_are_drawn_whole() -> None:
    groups = np.repeat(np.arange(5), 4)

    for weights in resamples(20, groups, 50, seed=1):
        by_group = weights.reshape(5, 4)
        assert (by_group == by_group[:, :1]).all()
        assert by_group[:, 0].sum() == 5


def test_rows_of_one_group_make_the_interval_wider() -> None:
    rows = _two(noise=0.9)
    ask = [Question("AUC", rows.champion)]
    many = PairedScores(
        np.tile(rows.labels, 5),
        np.tile(rows.champion, 5),
        np.tile(rows.challenger, 5),
        groups=np.tile(np.arange(2000), 5),
    )

    alone, copied = compare(ask, rows, replicates=300, seed=1)[0], None
    copied = compare([Question("AUC", many.champion)], many, replicates=300, seed=1)[0]
    pretended = compare(
        [Question("AUC", many.champion)],
        PairedScores(many.labels, many.champion, many.challenger),
        replicates=300,
        seed=1,
    )[0]

    def width(contrast: object) -> float:
        low, high = contrast.bounds(0.95)  # type: ignore[attr-defined]
        return float(high - low)

    assert width(copied) == pytest.approx(width(alone), rel=0.15)
    assert width(pretended) < 0.6 * width(alone)


def test_a_bound_beyond_the_resamples_is_read_off_a_normal_curve() -> None:
    rows = _two(noise=0.9)
    (contrast,) = compare([Question("AUC", rows.champion)], rows, replicates=1000, seed=1)

    inner, outer = contrast.bounds(0.95)[0], contrast.bounds(0.9995)[0]

    assert outer < inner
    assert outer == pytest.approx(contrast.difference - 3.29 * contrast.differences.std(), abs=1e-3)
