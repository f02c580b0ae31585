"""Columns of type Boolean: how truth is spelled, what a model learns of it, and as a label."""

from __future__ import annotations

import csv
import io
from itertools import cycle
from pathlib import Path

import numpy as np
import pytest

from studio.engine.batch_scoring import score_file
from studio.engine.dataset import read_dataset
from studio.engine.errors import ExperimentError, InputParseError, ModuleError
from studio.engine.experiment import Experiment, parse_experiment
from studio.engine.model_file import ModelFile
from studio.engine.scorer import Scorer
from studio.engine.task import Task
from studio.engine.training import Trained, train
from studio.engine.training_file import open_training_file

_COLUMNS = ["hours", "member", "stays"]
_DECLARATION = """
name = "Members"
[columns]
hours = "Numeric"
member = "TYPE"
stays = "Boolean"
[label]
column = "stays"
[missing]
texts = ["", "?"]
[missing.fill]
[learner]
name = "LEARNER"
[web_service]
scored_output = "scored"
"""
_TREES, _LINEAR = "Two-Class Boosted Decision Tree", "Two-Class Logistic Regression"
_TRUE, _FALSE = ("true", "True", "TRUE", "tRuE", "1"), ("false", "False", "FALSE", "0")


def _experiment(kind: str = "Boolean", learner: str = _LINEAR, fills: str = "", label: str = "") -> Experiment:
    text = _DECLARATION.replace("TYPE", kind).replace("LEARNER", learner)
    text = text.replace("[missing.fill]", f"[missing.fill]\n{fills}").replace("[missing]", f"{label}\n[missing]")
    return parse_experiment(text, "members.toml")


def _rows(true: tuple[str, ...] = _TRUE, false: tuple[str, ...] = _FALSE) -> list[list[str]]:
    random = np.random.default_rng(3)
    spelled = {True: cycle(true), False: cycle(false)}
    rows = []
    for _ in range(300):
        hours, member = random.normal(10, 3), bool(random.random() < 0.6)
        stays = bool(hours + 4 * member + random.normal(0, 3) > 12)
        gap = random.random() < 0.1
        rows.append([f"{hours:.3f}", "?" if gap else next(spelled[member]), next(spelled[stays])])
    return rows


def _write(path: Path, rows: list[list[str]]) -> Path:
    path.write_text("\n".join(map(",".join, [_COLUMNS, *rows])) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _write(tmp_path_factory.mktemp("members") / "members.csv", _rows())


@pytest.fixture(scope="module")
def trained(path: Path) -> Trained:
    return train(_experiment(), path, ".csv", threads=1)


@pytest.fixture(scope="module")
def scorer(trained: Trained) -> Scorer:
    return Scorer.load(trained.model_file)


def _member(path: Path, experiment: Experiment) -> np.ndarray:
    with open_training_file(path, ".csv", experiment.schema) as file:
        features = read_dataset(file, experiment.schema, Task.TWO_CLASS, threads=1).features
    return np.asarray(features.matrix[:, 1])


def test_every_spelling_is_one_of_two_values_and_a_gap_is_none(path: Path) -> None:
    expected = [np.nan if row[1] == "?" else float(row[1].lower() in ("true", "1")) for row in _rows()]

    np.testing.assert_array_equal(_member(path, _experiment()), expected)


@pytest.mark.parametrize("learner", [_TREES, _LINEAR])
def test_truth_is_learned_as_the_numbers_one_and_nought(path: Path, tmp_path: Path, learner: str) -> None:
    numbers = _write(tmp_path / "numbers.csv", _rows(("1",), ("0",)))

    ours = train(_experiment(learner=learner), path, ".csv", threads=1)
    theirs = train(_experiment("Integer", learner), numbers, ".csv", threads=1)

    assert ours.summary.metrics == theirs.summary.metrics
    scores = [[row[-1] for row in csv.reader(io.StringIO(one.tables["scored"].csv.decode()))] for one in (ours, theirs)]
    assert scores[0] == scores[1]


def test_labels_are_true_and_false_however_they_are_spelled(scorer: Scorer) -> None:
    assert scorer.model.classes == ("False", "True")
    rows = scorer.score(_COLUMNS, [["25", "true", None], ["1", "false", None]])
    assert [row[-2] for row in rows] == ["True", "False"]


def test_columns_have_the_protocols_type(scorer: Scorer) -> None:
    assert scorer.input_columns == (("hours", "Double"), ("member", "Boolean"), ("stays", "Boolean"))
    assert scorer.output_columns[-2:] == (("Scored Labels", "Boolean"), ("Scored Probabilities", "Double"))


@pytest.mark.parametrize("times", [1, 40], ids=["few rows", "many rows"])
def test_every_spelling_scores_alike(scorer: Scorer, times: int) -> None:
    for spellings in ([*_TRUE, True, 1], [*_FALSE, False, 0], ["", "?", None]):
        rows = scorer.score(_COLUMNS, [["10", cell, None] for cell in spellings] * times)
        assert len({row[-1] for row in rows}) == 1
    kinds = scorer.score(_COLUMNS, [["10", cell, None] for cell in (True, False, None)])
    assert len({row[-1] for row in kinds}) == 3


@pytest.mark.parametrize("cell", ["yes", "2", " true", "nan", 0.5])
def test_what_is_neither_is_named(scorer: Scorer, cell: object) -> None:
    with pytest.raises(InputParseError, match="neither true nor false") as caught:
        scorer.score(_COLUMNS, [["10", "true", None], ["10", cell, None]])

    assert (caught.value.row, caught.value.column) == (2, "member")


@pytest.mark.parametrize("column", [1, 2])
def test_a_file_with_something_else_is_refused_with_its_line(tmp_path: Path, column: int) -> None:
    rows = _rows()
    rows[7][column] = "maybe"

    with pytest.raises(ModuleError) as caught:
        train(_experiment(), _write(tmp_path / "bad.csv", rows), ".csv", threads=1)

    assert f"Error 0042: line 9, column '{_COLUMNS[column]}': 'maybe' is neither true nor false; correct" in str(
        caught.value
    )


def test_a_label_that_is_always_true_has_nothing_to_teach(tmp_path: Path) -> None:
    rows = [[*row[:-1], "TRUE"] for row in _rows()]

    with pytest.raises(ModuleError, match=r"Error 0054: label column 'stays' has 1 different label\(s\) \('True'\)"):
        train(_experiment(), _write(tmp_path / "same.csv", rows), ".csv", threads=1)


@pytest.mark.parametrize(("fill", "expected"), [("true", 1.0), ("false", 0.0), ('{ rule = "mode" }', 1.0)])
def test_a_gap_takes_its_fill_in_training_and_in_scoring(path: Path, fill: str, expected: float) -> None:
    experiment = _experiment(fills=f"member = {fill}")
    model = ModelFile.read(train(experiment, path, ".csv", threads=1).model_file)
    scorer = Scorer(model)

    gap, filled = scorer.score(_COLUMNS, [["10", "", None], ["10", bool(expected), None]])

    assert model.schema.fills == {"member": expected}
    assert gap[-1] == filled[-1]
    if "rule" not in fill:
        assert not np.isnan(_member(path, experiment)).any()


def test_rows_without_a_truth_may_be_left_out(path: Path) -> None:
    trained = train(_experiment(fills='member = { rule = "remove-row" }'), path, ".csv", threads=1)

    data = trained.summary.data
    assert data.n_training_rows + data.n_test_rows == sum(row[1] != "?" for row in _rows())
    [row] = Scorer.load(trained.model_file).score(_COLUMNS, [["10", "?", None]])
    assert row[-1] is None


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"fills": "member = 1"}, "missing.fill.member: 1 is no value of a column of type Boolean"),
        ({"fills": 'member = "true"'}, "missing.fill.member: 'true' is no value of a column of type Boolean"),
        (
            {"fills": 'member = { rule = "mean" }'},
            "'mean' is no rule for a column of type Boolean; it has ['mode', 'rem",
        ),
        ({"label": 'positive = "true"'}, "label.positive: 'stays' is Boolean: expected 'True' or 'False'"),
        ({"learner": "Linear Regression"}, "label.column: a regression learner predicts a number; 'stays' is Boolean"),
    ],
)
def test_a_bad_declaration_says_what_is_wrong(changes: dict[str, str], problem: str) -> None:
    with pytest.raises(ExperimentError) as caught:
        _experiment(**changes)

    assert problem in str(caught.value)


def test_false_may_be_the_positive_label(path: Path) -> None:
    model = ModelFile.read(train(_experiment(label='positive = "False"'), path, ".csv", threads=1).model_file)

    assert model.classes == ("True", "False")


def test_scored_into_an_arff_file_it_is_text(scorer: Scorer, path: Path, tmp_path: Path) -> None:
    target = tmp_path / "scored.arff"

    score_file(scorer, path, ".csv", target, ".arff")

    head, _, data = target.read_text(encoding="utf-8").partition("@DATA\n")
    assert "@ATTRIBUTE 'member' STRING" in head
    assert "@ATTRIBUTE 'Scored Labels' STRING" in head
    assert "'tRuE'" in data
