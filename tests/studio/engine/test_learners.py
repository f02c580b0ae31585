"""Every learner: trained, stored, loaded and scored; it repeats itself, and says what its library says."""

from __future__ import annotations

import csv
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from learner_samples import HEADER, LABELS, declaration, lines
from library_answers import EXACT, NEAR, Answer, poisson_without_l1

from studio.engine.encoding import Encoding, Normalizer
from studio.engine.errors import ModuleError
from studio.engine.experiment import parse_experiment
from studio.engine.learners import LEARNERS
from studio.engine.link import Link
from studio.engine.model_file import ModelFile
from studio.engine.scorer import Scorer
from studio.engine.settings import Setting
from studio.engine.split import training_rows
from studio.engine.task import Task
from studio.engine.training import Trained, train

_EVERY = sorted(LEARNERS)
_COLUMNS = HEADER.split(",")
_WORST = {"AUC": 0.85, "Overall accuracy": 0.7, "Coefficient of Determination": 0.6, "Average Quantile Loss": -3.0}


@pytest.fixture(scope="module")
def trained(parts: Path) -> Callable[[str], Trained]:
    """Each learner trained once, on one thread."""
    return cache(lambda name: _train(name, parts))


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("parts") / "parts.csv"
    path.write_text("\n".join([HEADER, *lines()]) + "\n", encoding="utf-8")
    return path


def _train(name: str, path: Path, threads: int = 1, **parameters: Setting) -> Trained:
    return train(parse_experiment(declaration(name, **parameters), "parts.toml"), path, ".csv", threads=threads)


@pytest.mark.parametrize("name", _EVERY)
def test_a_learner_learns(name: str, trained: Callable[[str], Trained]) -> None:
    metrics = trained(name).summary.metrics

    judged = next(metric for metric in _WORST if metric in metrics)
    sign = -1 if judged == "Average Quantile Loss" else 1
    assert sign * metrics[judged] > _WORST[judged]


@pytest.mark.parametrize("name", _EVERY)
def test_equal_data_gives_an_equal_model_whatever_the_threads(
    name: str, parts: Path, trained: Callable[[str], Trained]
) -> None:
    one, two = trained(name), _train(name, parts, threads=2)

    assert one.model_file == two.model_file
    assert one.metrics_csv == two.metrics_csv


@pytest.mark.parametrize("name", _EVERY)
def test_a_model_reads_back_as_it_was_written(name: str, trained: Callable[[str], Trained]) -> None:
    data = trained(name).model_file

    model = ModelFile.read(data)

    assert model.write() == data
    assert model.learner.name == name
    assert model.learner.kind.library in model.libraries


@pytest.mark.parametrize("name", _EVERY)
def test_one_row_and_many_rows_are_scored_alike(name: str, trained: Callable[[str], Trained]) -> None:
    scorer = Scorer.load(trained(name).model_file)
    rows = [line.split(",") for line in lines(100, seed=8)]

    together = scorer.score(_COLUMNS, rows)

    assert together == [scorer.score(_COLUMNS, [row])[0] for row in rows]
    assert [name for name, _ in scorer.output_columns[:6]] == _COLUMNS
    assert {len(row) for row in together} == {len(scorer.output_columns)}


@pytest.mark.parametrize("name", _EVERY)
def test_rows_full_of_gaps_and_unknown_levels_are_scored(name: str, trained: Callable[[str], Trained]) -> None:
    scorer = Scorer.load(trained(name).model_file)

    [empty, unknown] = scorer.score(_COLUMNS, [[None] * 6, ["20", "500", "mauve", None, None, None]])

    assert all(row[-1] not in (None, "NaN", "Infinity") for row in (empty, unknown))


@pytest.mark.parametrize("name", sorted(EXACT))
def test_scores_are_the_librarys_own(name: str, parts: Path, trained: Callable[[str], Trained]) -> None:
    scored, expected = _both(trained(name).model_file, parts, EXACT[name])

    np.testing.assert_allclose(scored, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", sorted(NEAR))
def test_the_penalized_minimum_is_the_one_that_another_solver_finds(name: str, parts: Path) -> None:
    trained = _train(name, parts, **{"Optimization tolerance": 1e-12})

    scored, expected = _both(trained.model_file, parts, NEAR[name])

    np.testing.assert_allclose(scored, expected, atol=2e-5)


def test_poisson_regression_finds_the_minimum_that_another_solver_finds(parts: Path) -> None:
    parameters: dict[str, Setting] = {"Optimization tolerance": 1e-12, "L1 regularization weight": 0}

    trained = _train("Poisson Regression", parts, **parameters)
    scored, expected = _both(trained.model_file, parts, poisson_without_l1)

    np.testing.assert_allclose(scored, expected, rtol=1e-4)


@pytest.mark.parametrize("name", ["Two-Class Logistic Regression", "Poisson Regression"])
def test_an_l1_weight_makes_weights_exactly_zero(name: str, parts: Path) -> None:
    def n_zeros(weight: float) -> int:
        data = _train(name, parts, **{"L1 regularization weight": weight, "L2 regularization weight": 0.001})
        return np.frombuffer(ModelFile.read(data.model_file).model.numbers)[6:11].tolist().count(0.0)  # type: ignore[union-attr]

    assert n_zeros(0) < n_zeros(50_000) == 5


def test_every_learner_is_held_against_a_library() -> None:
    assert {*EXACT, *NEAR, "Poisson Regression"} == set(LEARNERS)


def test_a_count_below_zero_is_refused_by_poisson_regression(tmp_path: Path) -> None:
    path = tmp_path / "negative.csv"
    path.write_text("\n".join([HEADER, *lines(50), "1,1,red,no,A,-4"]), encoding="utf-8")

    with pytest.raises(ModuleError, match=r"Error 1000: Poisson Regression: the label has to be a count"):
        train(
            parse_experiment(declaration("Poisson Regression") + "[split]\nfraction = 0.99", ""),
            path,
            ".csv",
            threads=1,
        )


def test_weights_that_ran_away_are_no_model() -> None:
    encoding = Encoding.fitted(np.ones((3, 1)), (None,), Normalizer.GAUSSIAN)

    with pytest.raises(ValueError, match="it diverged; choose a smaller learning rate"):
        encoding.network([(np.array([[np.nan]]), np.zeros(1))], Link.IDENTITY)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("Two-Class Decision Forest", {"Resampling method": "Replicate"}),
        ("Two-Class Support Vector Machine", {"Project to the unit-sphere": True, "Normalize features": False}),
        ("Linear Regression", {"Solution method": "Online Gradient Descent"}),
        ("Linear Regression", {"Include intercept term": False}),
        ("Two-Class Neural Network", {"The type of normalizer": "Gaussian normalizer"}),
        ("Fast Forest Quantile Regression", {"Quantiles to be estimated": "0.9, 0.1"}),
    ],
)
def test_other_parameters_train_another_model(
    name: str, parameters: dict[str, Setting], parts: Path, trained: Callable[[str], Trained]
) -> None:
    one, other = trained(name), _train(name, parts, **parameters)

    assert ModelFile.read(one.model_file).model != ModelFile.read(other.model_file).model


def _both(model_file: bytes, path: Path, library: Answer) -> tuple[np.ndarray, np.ndarray]:
    """Score the held-out rows by the stored model, and by the library."""
    model = ModelFile.read(model_file)
    with path.open(newline="", encoding="utf-8") as file:
        _, *rows = csv.reader(file)
    task = model.learner.task
    cells = [row[_COLUMNS.index(LABELS[task.value])] for row in rows]
    classes = sorted(set(cells)) if task is not Task.REGRESSION else []
    labels = np.array([classes.index(cell) if classes else float(cell) for cell in cells])
    chosen = training_rows(labels, len(classes), model.split)
    features = np.array([[_number(row[0]), _number(row[1]), _colour(row[2])] for row in rows])

    scorer = Scorer.load(model_file)
    scored = scorer.score(_COLUMNS, [row for row, trains in zip(rows, chosen, strict=True) if not trains])
    expected = library(features[chosen], labels[chosen], features[~chosen])
    numbers = [at for at, (column, kind) in enumerate(scorer.output_columns) if at >= 6 and kind == "Double"]
    return np.array([[float(row[at] or "nan") for at in numbers] for row in scored]), expected


def _number(cell: str) -> float:
    return float(cell) if cell else np.nan


def _colour(cell: str) -> float:
    return np.nan if cell == "?" else float(["blue", "green", "red"].index(cell))
