"""What an experiment does beside training: comparing, cross-validating, tuning, and putting scored rows out."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pytest
from learner_samples import HEADER, LABELS, declaration, lines

from studio.engine.cross_validation import fold_numbers
from studio.engine.errors import ExperimentError, ModuleError
from studio.engine.evaluation import evaluate
from studio.engine.experiment import parse_experiment
from studio.engine.learners import LEARNERS, Learner
from studio.engine.model_file import ModelFile
from studio.engine.options import CrossValidation
from studio.engine.ports import Output
from studio.engine.ranking import METRICS, rank
from studio.engine.scorer import Scorer
from studio.engine.training import Trained, train

_TREES, _FOREST, _LOGISTIC = (
    "Two-Class Boosted Decision Tree",
    "Two-Class Decision Forest",
    "Two-Class Logistic Regression",
)
_FOLDS = """
[cross_validate]
folds = 4
[web_service]
folds_output = "folds"
fold_scores_output = "rows"
"""


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("parts") / "parts.csv"
    path.write_text("\n".join([HEADER, *lines(300)]) + "\n", encoding="utf-8")
    return path


def _train(path: Path, name: str, more: str) -> Trained:
    return train(parse_experiment(declaration(name, more), "parts.toml"), path, ".csv", threads=1)


def _table(trained: Trained, port: str) -> tuple[list[str], list[list[str]]]:
    header, *rows = csv.reader(io.StringIO(trained.tables[port].csv.decode(), newline=""))
    return header, rows


def test_a_compared_learner_gives_a_second_row_of_metrics(parts: Path) -> None:
    both = _train(parts, _TREES, f'[compare]\nname = "{_LOGISTIC}"')
    left, right = (_train(parts, name, "") for name in (_TREES, _LOGISTIC))

    header, one, other = both.metrics_csv.splitlines()
    assert [header, one] == left.metrics_csv.splitlines()
    assert [header, other] == right.metrics_csv.splitlines()
    assert both.model_file == left.model_file
    assert both.summary.metrics == left.summary.metrics


def test_the_rows_that_measured_the_model_are_put_out_as_it_scores_them(parts: Path) -> None:
    trained = _train(parts, _TREES, '[web_service]\nscored_output = "scored"')

    header, rows = _table(trained, "scored")

    columns = HEADER.split(",")
    scorer = Scorer.load(trained.model_file)
    scored = scorer.score(columns, [row[: len(columns)] for row in rows])
    assert header == [name for name, _ in scorer.output_columns]
    assert rows == [[cell or "" for cell in row] for row in scored]
    assert len(rows) == trained.summary.data.n_test_rows
    assert {",".join(row[: len(columns)]).replace("?", "") for row in rows} <= {
        line.replace("?", "") for line in lines(300)
    }


def test_cross_validation_has_a_row_per_fold_and_two_that_sum_up(parts: Path) -> None:
    trained = _train(parts, _TREES, _FOLDS)

    header, rows = _table(trained, "folds")

    assert header == [
        "Fold Number", "Number of examples in fold", "Model", "Accuracy", "Precision", "Recall", "F-Score", "AUC",
        "Average Log Loss", "Training Log Loss",
    ]  # fmt: skip
    assert [row[0] for row in rows] == ["0", "1", "2", "3", "Mean", "Standard Deviation"]
    assert [row[1] for row in rows] == ["75"] * 4 + ["300"] * 2
    assert {row[2] for row in rows} == {_TREES}
    figures = np.array([row[3:] for row in rows], float)
    np.testing.assert_allclose(figures[4], figures[:4].mean(axis=0))
    np.testing.assert_allclose(figures[5], figures[:4].std(axis=0, ddof=1), rtol=1e-9)


@pytest.mark.parametrize("name", [_TREES, "Multiclass Decision Forest", "Decision Forest Regression", _LOGISTIC])
def test_every_row_is_scored_by_a_model_that_was_trained_without_it(parts: Path, name: str) -> None:
    trained = _train(parts, name, _FOLDS)
    label = HEADER.split(",").index(LABELS[LEARNERS[name].task.value])

    header, rows = _table(trained, "rows")
    folds, figures = _table(trained, "folds")

    scored = [column for column, _ in Scorer.load(trained.model_file).output_columns]
    assert header == ["Fold Assignments", *scored]
    assert len(rows) == 300
    if "Overall accuracy" in folds:
        for fold, figure in enumerate(figures[:4]):
            own = [row for row in rows if row[0] == str(fold)]
            right = sum(row[-1] == row[1 + label] for row in own) / len(own)
            assert float(figure[folds.index("Overall accuracy")]) == pytest.approx(right)


@pytest.mark.parametrize(
    ("name", "has_likelihood"), [("Linear Regression", False), ("Decision Forest Regression", True)]
)
def test_cross_validation_shows_a_likelihood_where_the_learner_has_one(
    parts: Path, name: str, has_likelihood: bool
) -> None:
    header, _ = _table(_train(parts, name, _FOLDS), "folds")

    assert ("Negative Log Likelihood" in header) is has_likelihood
    assert header[-1] == "Coefficient of Determination"


def test_folds_are_as_large_as_each_other_and_repeat_themselves() -> None:
    labels = np.arange(103) % 10 == 0

    folds = fold_numbers(labels, 2, CrossValidation(5, 3, stratified=False))
    stratified = fold_numbers(labels, 2, CrossValidation(5, 3, stratified=True))

    assert sorted(np.bincount(folds)) == [20, 20, 21, 21, 21]
    assert (folds == fold_numbers(labels, 2, CrossValidation(5, 3, stratified=False))).all()
    assert (folds != fold_numbers(labels, 2, CrossValidation(5, 4, stratified=False))).any()
    assert set(np.bincount(stratified[labels])) <= {2, 3}


def test_too_few_rows_for_so_many_folds_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "few.csv"
    path.write_text("\n".join([HEADER, *lines(12)]), encoding="utf-8")
    more = _FOLDS.replace("folds = 4", "folds = 90")

    with pytest.raises(ModuleError, match="Module: Cross Validate Model; Error 0021: 12 row"):
        _train(path, "Linear Regression", more)


_SWEEP = """
[tune]
runs = 6
metric = "AUC"
[tune.ranges]
"Learning rate" = { from = 0.001, to = 0.5, logarithmic = true }
"Maximum number of leaves per tree" = { from = 2, to = 30 }
"Minimum number of samples per leaf node" = [1, 5, 20]
[web_service]
sweep_output = "sweep"
"""


def test_a_sweep_trains_the_best_of_its_draws(parts: Path) -> None:
    trained = _train(parts, _TREES, _SWEEP)

    header, rows = _table(trained, "sweep")

    areas = [float(row[header.index("AUC")]) for row in rows]
    model = ModelFile.read(trained.model_file)
    assert len(rows) == 6
    assert areas == sorted(areas, reverse=True)
    for name, text in zip(header[:3], rows[0][:3], strict=True):
        assert str(model.learner.parameters[name]) == text
    assert len({row[0] for row in rows}) == 6
    assert all(0.001 <= float(row[0]) <= 0.5 and 2 <= int(row[1]) <= 30 and row[2] in ("1", "5", "20") for row in rows)


def test_a_sweep_repeats_itself_and_follows_its_seed(parts: Path) -> None:
    reseeded = _SWEEP.replace("runs", "seed = 1\nruns")

    one, same, other = (_train(parts, _TREES, text) for text in (_SWEEP, _SWEEP, reseeded))

    assert one.model_file == same.model_file
    assert one.tables["sweep"] == same.tables["sweep"]
    assert one.tables["sweep"] != other.tables["sweep"]


def test_what_a_sweep_finds_is_what_is_cross_validated(parts: Path) -> None:
    more = _SWEEP.replace("[web_service]", "[cross_validate]\nfolds = 3\n[web_service]\nfolds_output = 'folds'")
    swept = _train(parts, _TREES, more)
    parameters = ModelFile.read(swept.model_file).learner.parameters
    plain = declaration(_TREES, _FOLDS.replace("folds = 4", "folds = 3"), **parameters)

    trained = train(parse_experiment(plain, ""), parts, ".csv", threads=1)

    assert trained.tables["folds"] == swept.tables["folds"]


@pytest.mark.parametrize(
    ("metric", "better", "worse"),
    [("AUC", 0.9, 0.8), ("Average Log Loss", 0.1, 0.2), ("Accuracy", 0.1, float("nan")), ("AUC", 0.1, float("nan"))],
)
def test_ranks_point_the_way_of_their_metric(metric: str, better: float, worse: float) -> None:
    assert rank(metric, better) > rank(metric, worse)


@pytest.mark.parametrize("name", sorted(LEARNERS))
def test_the_metrics_to_rank_by_are_those_of_the_table(name: str) -> None:
    kind = LEARNERS[name]
    learner = Learner(kind, {key: rule.default for key, rule in kind.rules.items()})

    found = evaluate(learner, np.array([0, 1, 1]), np.full((3, 3), 0.5)).metrics

    assert set(METRICS[kind.answers]) <= set(found)


def test_outputs_are_listed_by_their_ports() -> None:
    experiment = parse_experiment(declaration(_TREES, _SWEEP), "parts.toml")

    assert experiment.outputs == {"output1": Output.MODEL, "output2": Output.METRICS, "sweep": Output.SWEEP}


def test_every_output_but_the_model_is_a_table_under_its_port(parts: Path) -> None:
    trained = _train(parts, _TREES, _FOLDS)

    assert trained.tables.keys() == {"output2", "folds", "rows"}
    assert trained.tables["output2"].csv == trained.metrics_csv


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ("[compare]\nname = 'Linear Regression'", "compare.name: 'Linear Regression' has other metrics than"),
        ("[compare]\nname = 'None'", "compare.name: unknown learner 'None'"),
        ("[cross_validate]\nfolds = 1", "cross_validate.folds: expected a whole number from 2 to 100"),
        ("[cross_validate]", "web_service.folds_output: is required: nobody would see"),
        ("[web_service]\nfolds_output = 'a'", "web_service.folds_output: there is no section [cross_validate]"),
        ("[web_service]\nsweep_output = 'a'", "web_service.sweep_output: there is no section [tune]"),
        ("[web_service]\nscored_output = 'output1'", "web_service.scored_output: 'output1' names two outputs"),
        ("[tune]", "tune.ranges: is required"),
        ("[tune]\nmetric = 'Speed'\nranges = {}", "tune.metric: expected one of ['Accuracy',"),
        ("[tune]\nranges = { Speed = [1] }", "tune.ranges.Speed: the learner has no such parameter"),
        ("[tune]\nranges = { 'Learning rate' = [] }", "expected at least one value"),
        ("[tune]\nranges = { 'Learning rate' = [0.1, 'fast'] }", "expected a number from 1e-06 to 1, got 'fast'"),
        ("[tune]\nranges = { 'Learning rate' = 0.1 }", "expected a list of values, or from and to, got 0.1"),
        ("[tune]\nranges = { 'Learning rate' = { from = 0.5, to = 0.1 } }", "expected a number up to 0.1, got 0.5"),
        ("[tune]\nranges = { 'Learning rate' = { from = 0.5, till = 1 } }", "till: unknown key"),
        ("[tune]\nranges = { 'Allow unknown categorical levels' = { from = 0 } }", "expected a list of values"),
        (
            "[tune]\nranges = { 'Random number seed' = { from = 0, to = 9, logarithmic = true } }",
            "expected a number above 0 up to 9, got 0",
        ),
    ],
)
def test_bad_options_are_refused_with_their_reason(more: str, problem: str) -> None:
    with pytest.raises(ExperimentError) as caught:
        parse_experiment(declaration(_TREES, more), "parts.toml")

    assert problem in str(caught.value)


def test_options_of_an_unknown_learner_are_not_reported_as_unknown_keys() -> None:
    text = declaration(_TREES, _SWEEP).replace(f'name = "{_TREES}"', 'name = "Magic"')

    with pytest.raises(ExperimentError) as caught:
        parse_experiment(text, "parts.toml")

    assert [problem.partition(":")[0] for problem in caught.value.problems] == ["learner.name"]
