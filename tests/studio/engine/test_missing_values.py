"""Clean Missing Data: what stands in for a missing cell is found from the rows that train; rows can be left out."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from parts_samples import PART_COLUMNS, REMOVE, declared_parts, is_whole, part_rows, train_parts, write_parts
from sklearn.impute import SimpleImputer

from studio.engine.cross_validation import fold_numbers
from studio.engine.dataset import read_dataset
from studio.engine.design import Split
from studio.engine.errors import ExperimentError, ModuleError
from studio.engine.experiment import parse_experiment
from studio.engine.filling import found_fills
from studio.engine.model_file import ModelFile
from studio.engine.options import CrossValidation
from studio.engine.schema import MissingRule
from studio.engine.scorer import Scorer
from studio.engine.split import training_rows
from studio.engine.task import Task
from studio.engine.training import Trained, train
from studio.engine.training_file import open_training_file

_FOLDS = """
folds_output = "folds"
fold_scores_output = "rows"
[cross_validate]
folds = 4
"""
_SWEEP = """
sweep_output = "sweep"
[tune]
runs = 3
seed = 1
[tune.ranges]
"L2 regularization weight" = { from = 0.01, to = 100, logarithmic = true }
"""
_RULES = {MissingRule.MEAN: "mean", MissingRule.MEDIAN: "median", MissingRule.MODE: "most_frequent"}


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_parts(tmp_path_factory.mktemp("parts") / "parts.csv", part_rows())


def _table(trained: Trained, port: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(trained.tables[port].csv.decode(), newline="")))


def _labels() -> np.ndarray:
    return np.array([row[-1] == "small" for row in part_rows()], np.int32)


def _training_rows() -> np.ndarray:
    return training_rows(_labels(), 2, Split(0.7, 0, False))


def _imputed(column: str, rule: MissingRule, mask: np.ndarray) -> Any:
    """What scikit-learn's imputer puts into a column when it has seen the rows of a mask."""
    cells = [row[PART_COLUMNS.index(column)] for row, chosen in zip(part_rows(), mask, strict=True) if chosen]
    is_text = column == "colour"
    values: Any = [[np.nan if cell in ("", "?") else cell if is_text else float(cell)] for cell in cells]
    [found] = SimpleImputer(strategy=_RULES[rule]).fit(np.array(values, object if is_text else float)).statistics_
    if is_text:
        return found
    return float(round(found)) if column == "count" else float(found)


def _named(column: str, value: Any) -> str:
    return f"{column} = {value!r}" if column != "count" else f"{column} = {int(value)}"


@pytest.mark.parametrize(
    ("column", "rule"),
    [
        *((column, rule) for column in ("height", "count") for rule in _RULES),
        ("colour", MissingRule.MODE),
    ],
)
def test_a_rule_is_the_value_that_an_imputer_finds_in_the_rows_that_train(
    path: Path, column: str, rule: MissingRule
) -> None:
    trained = train_parts(path, f'{column} = {{ rule = "{rule.value}" }}')
    expected = _imputed(column, rule, _training_rows())
    named = train_parts(path, _named(column, expected))

    model = ModelFile.read(trained.model_file)

    if isinstance(expected, str):
        assert model.schema.fills == {column: expected}
    else:
        assert model.schema.fills == {column: pytest.approx(expected, rel=1e-12)}
    assert model.schema.rules == {}
    assert _figures(trained) == pytest.approx(_figures(named), rel=1e-9)


def test_the_rows_that_measure_a_model_would_have_given_other_values() -> None:
    """Without this the test above could not see a value that was found from all rows."""
    everything = np.ones(len(part_rows()), np.bool_)

    for column, rule in (("height", MissingRule.MEAN), ("height", MissingRule.MEDIAN)):
        found = [_imputed(column, rule, mask) for mask in (_training_rows(), everything)]
        assert found[0] != pytest.approx(found[1], rel=1e-3)


def _figures(trained: Trained) -> list[float]:
    scores = [float(row[-1]) for row in _table(trained, "scored")[1:]]
    return [*trained.summary.metrics.values(), *scores]


def test_each_fold_is_answered_with_what_the_other_folds_say(path: Path) -> None:
    found = _table(train_parts(path, 'height = { rule = "median" }', _FOLDS), "rows")[1:]
    folds = fold_numbers(_labels(), 2, CrossValidation(4, 0, False))
    values = [_imputed("height", MissingRule.MEDIAN, folds != fold) for fold in range(4)]
    assert len(set(values)) == 4

    for fold, value in enumerate(values):
        named = _table(train_parts(path, _named("height", value), _FOLDS), "rows")[1:]
        own = [at for at, row in enumerate(found) if row[0] == str(fold)]
        assert (
            own == [at for at, row in enumerate(named) if row[0] == str(fold)] == np.flatnonzero(folds == fold).tolist()
        )
        ours, theirs = ([float(rows[at][-1]) for at in own] for rows in (found, named))
        assert ours == pytest.approx(theirs, rel=1e-9)


def test_a_sweep_is_ranked_with_what_its_own_training_rows_say(path: Path) -> None:
    found = train_parts(path, 'height = { rule = "median" }', _SWEEP)
    chosen = _training_rows()
    own = np.zeros(len(chosen), np.bool_)
    own[np.flatnonzero(chosen)] = training_rows(_labels()[chosen], 2, Split(0.7, 1, False))
    of_sweep, of_model = (_imputed("height", MissingRule.MEDIAN, mask) for mask in (own, chosen))
    assert of_sweep != of_model

    swept = train_parts(path, _named("height", of_sweep), _SWEEP)
    last = train_parts(path, _named("height", of_model), _SWEEP)

    assert found.tables["sweep"] == swept.tables["sweep"] != last.tables["sweep"]
    assert ModelFile.read(found.model_file).schema.fills == {"height": of_model}


def test_rows_that_lack_a_value_are_left_out_as_if_the_file_had_not_had_them(path: Path, tmp_path: Path) -> None:
    cleaned = write_parts(
        tmp_path / "cleaned.csv", [row for row in part_rows() if is_whole(row[0]) and is_whole(row[2])]
    )
    more = _FOLDS + _SWEEP.partition("\n[tune]")[2].join(["\n[tune]", ""])

    ours = train_parts(path, f"height = {REMOVE}\ncolour = {REMOVE}\ncount = 3", more)
    theirs = train_parts(cleaned, f"height = {REMOVE}\ncolour = {REMOVE}\ncount = 3", more)

    left, right = ModelFile.read(ours.model_file), ModelFile.read(theirs.model_file)
    assert (left.levels, left.classes, left.schema) == (right.levels, right.classes, right.schema)
    assert ours.metrics_csv == theirs.metrics_csv
    assert ours.tables == theirs.tables
    assert (left.data.n_rows, right.data.n_rows) == (400, theirs.summary.data.n_rows)
    assert left.data.n_training_rows == right.data.n_training_rows < 0.7 * 400


def test_a_level_that_only_removed_rows_have_is_no_level(tmp_path: Path) -> None:
    rows = [*part_rows(), ["", "1", "violet", "large"]]
    path = write_parts(tmp_path / "violet.csv", rows)

    model = ModelFile.read(train_parts(path, f"height = {REMOVE}").model_file)

    assert model.levels["colour"] == ("blue", "green", "red")


def test_rows_without_a_label_may_be_left_out_alone(tmp_path: Path) -> None:
    path = write_parts(
        tmp_path / "gaps.csv", [row if at % 9 else [*row[:-1], ""] for at, row in enumerate(part_rows())]
    )
    with pytest.raises(ModuleError, match="Error 0134: label column 'size' is empty in 45 row"):
        train_parts(path, "count = 1")

    trained = train_parts(path, f"size = {REMOVE}")

    assert trained.summary.data.n_training_rows + trained.summary.data.n_test_rows == 355
    [row] = Scorer.load(trained.model_file).score(PART_COLUMNS[:-1], [["1", "2", "red"]])
    assert row[-1] is not None


def test_a_number_as_label_may_remove_its_row_too(tmp_path: Path) -> None:
    path = write_parts(tmp_path / "gaps.csv", [row for row in part_rows() if row[1] or row[0]])
    text = declared_parts(f"count = {REMOVE}").replace('column = "size"', 'column = "count"')
    text = text.replace("Two-Class Logistic Regression", "Linear Regression")

    trained = train(parse_experiment(text, "parts.toml"), path, ".csv", threads=1)

    kept = [row for row in part_rows() if (row[1] or row[0]) and is_whole(row[1])]
    assert trained.summary.data.n_training_rows + trained.summary.data.n_test_rows == len(kept)


@pytest.mark.parametrize(
    ("rule", "cells", "expected"),
    [
        ("mean", ["2", "3", ""], 2),
        ("mean", ["3", "4", ""], 4),
        ("median", ["1", "2", "9", "", "4"], 3),
        ("mode", ["5", "7", "7", "5", "9", ""], 5),
        ("mode", ["-1", "NaN", "nan", "2", "2"], 2),
    ],
)
def test_a_whole_number_column_is_filled_with_a_whole_number(
    tmp_path: Path, rule: str, cells: list[str], expected: float
) -> None:
    """Halves go to the even neighbour; of values that are there equally often the smallest is taken."""
    rows = [["1", cell, "red", ("small", "large")[at % 2]] for at, cell in enumerate(cells)]
    schema = parse_experiment(declared_parts(f'count = {{ rule = "{rule}" }}'), "parts.toml").schema

    with open_training_file(write_parts(tmp_path / "whole.csv", rows), ".csv", schema) as file:
        features = read_dataset(file, schema, Task.TWO_CLASS, threads=1).features

    assert found_fills(schema, features) == {1: expected}


@pytest.mark.parametrize(
    ("fills", "column", "error"),
    [
        (
            'height = { rule = "mean" }',
            0,
            "Clean Missing Data; Error 0080: column 'height' has no value in any of the 28 ",
        ),
        (
            'colour = { rule = "mode" }',
            2,
            "Error 0080: column 'colour' has no value in any of the 28 row(s) that train, ",
        ),
        (
            f"height = {REMOVE}",
            0,
            "Error 0021: no row of the file has a value in each of the column(s) ['height']; add ",
        ),
    ],
)
def test_a_column_without_any_value_is_refused(tmp_path: Path, fills: str, column: int, error: str) -> None:
    path = write_parts(
        tmp_path / "empty.csv", [["" if at == column else cell for at, cell in enumerate(row)] for row in part_rows(40)]
    )

    with pytest.raises(ModuleError) as caught:
        train_parts(path, fills)

    assert error in str(caught.value)


def test_a_mean_beyond_every_number_is_refused(tmp_path: Path) -> None:
    path = write_parts(tmp_path / "huge.csv", [["1e308", *row[1:]] for row in part_rows(40)])

    with pytest.raises(ModuleError, match="Error 1000: the mean of column 'height' is beyond what a number can hold"):
        train_parts(path, 'height = { rule = "mean" }')


def test_bad_rules_are_refused_all_at_once() -> None:
    fills = """
height = { rule = "average" }
count = { rule = "mean", value = 3 }
colour = { rule = "median" }
size = { rule = "mode" }
depth = { rule = "mean" }
"""
    with pytest.raises(ExperimentError) as caught:
        parse_experiment(declared_parts(fills), "parts.toml")

    text = str(caught.value)
    for problem in (
        "missing.fill.height.rule: 'average' is no rule for a column of type Numeric; it has ['mean', 'median', ",
        "missing.fill.count.value:",
        "missing.fill.colour.rule: 'median' is no rule for a column of type Categorical; it has ['mode', 'remove-row']",
        "missing.fill: 'size' is the label: an invented label would be learned as truth",
        "missing.fill.depth: is not one of the columns",
    ):
        assert problem in text


def test_a_rule_for_a_dropped_column_is_refused() -> None:
    text = declared_parts(f"colour = {REMOVE}").replace("[missing]", '[features]\ndrop = ["colour"]\n[missing]')

    with pytest.raises(ExperimentError, match="'colour' is dropped from the features and never read"):
        parse_experiment(text, "parts.toml")
