"""What a training file may look like, and how a bad one is refused: what, where, and what to do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from engine_samples import SMALL, SMALL_HEADER, small_rows

from studio.engine.dataset import Dataset, read_dataset
from studio.engine.design import Split
from studio.engine.errors import ModuleError
from studio.engine.experiment import Experiment, parse_experiment
from studio.engine.split import training_rows
from studio.engine.training import train
from studio.engine.training_file import open_training_file

_ROWS = small_rows()
_ARFF = ["% weather", "@RELATION 'the weather'", "", "@attribute pressure REAL", "@ATTRIBUTE 'month' integer"]
_ARFF += ["@attribute wind {north, west, 'south'}", '@attribute "note" string', "@attribute rain {no,yes}", "@DATA"]


def _arff_row(row: str) -> str:
    pressure, month, wind, note, rain = row.split(",")
    return f"{pressure} , {month},{wind},\t'{note}', \"{rain}\""


def _read(path: Path, experiment: Experiment, extension: str = ".csv") -> Dataset:
    with open_training_file(path, extension, experiment.schema) as file:
        return read_dataset(file, experiment.schema, experiment.learner.task, threads=1)


def _feature(dataset: Dataset, name: str) -> np.ndarray:
    return np.asarray(dataset.features.matrix[:, dataset.schema.features.index(name)])


def _lines_with(line: str, *, before: int = 5) -> list[str]:
    return [SMALL_HEADER, *_ROWS[:before], line, *_ROWS[before:]]


@pytest.mark.parametrize(
    ("extension", "text"),
    [
        (".csv", "\n".join([SMALL_HEADER, *_ROWS])),
        ("CSV", "\r\n".join([SMALL_HEADER, *_ROWS, ""])),
        (".csv", "\ufeff" + "\n".join([SMALL_HEADER, "", *_ROWS])),
        (".nh.csv", "\n".join(_ROWS)),
        (".tsv", "\n".join([SMALL_HEADER, *_ROWS]).replace(",", "\t")),
        (".nh.tsv", "\n".join(_ROWS).replace(",", "\t")),
        (".arff", "\n".join([*_ARFF, "% rows", *map(_arff_row, _ROWS)])),
        (".csv", "\n".join(f"{row},extra" for row in [SMALL_HEADER, *_ROWS])),
        (".csv", "\n".join(",".join(row.split(",")[::-1]) for row in [SMALL_HEADER, *_ROWS])),
    ],
    ids=["csv", "crlf", "mark and blank line", "nh.csv", "tsv", "nh.tsv", "arff", "more columns", "other order"],
)
def test_one_table_in_many_spellings_trains_one_model(
    small: Experiment, tmp_path: Path, extension: str, text: str
) -> None:
    expected = tmp_path / "expected.csv"
    expected.write_text("\n".join([SMALL_HEADER, *_ROWS]), encoding="utf-8")
    path = tmp_path / "data"
    path.write_bytes(text.encode())

    one = _read(path, small, extension)
    other = _read(expected, small)

    assert (one.labels == other.labels).all()
    np.testing.assert_array_equal(one.features.matrix, other.features.matrix)
    assert one.levels == other.levels


def test_missing_cells_are_filled_or_left_to_the_learner(small: Experiment, tmp_path: Path) -> None:
    path = tmp_path / "gaps.csv"
    path.write_text(f"{SMALL_HEADER}\n,1,?,a,no\n?,,west,b,yes\n3.25,2,,c,yes\n", encoding="utf-8")

    dataset = _read(path, small)

    np.testing.assert_array_equal(_feature(dataset, "pressure"), [np.nan, np.nan, 3.25])
    np.testing.assert_array_equal(_feature(dataset, "month"), [1, np.nan, 2])
    assert dataset.levels["wind"] == ("calm", "west")
    np.testing.assert_array_equal(_feature(dataset, "wind"), [0, 1, 0])


def test_a_number_column_takes_its_fill(tmp_path: Path) -> None:
    experiment = parse_experiment(SMALL.replace('wind = "calm"', 'wind = "calm"\nmonth = 6'), "small.toml")
    path = tmp_path / "gaps.csv"
    path.write_text(f"{SMALL_HEADER}\n1,?,,a,no\n1,2,west,b,yes\n", encoding="utf-8")

    values = _feature(_read(path, experiment), "month")

    np.testing.assert_array_equal(values, [6, 2])


def test_a_quoted_cell_may_hold_separators_and_line_ends(small: Experiment, tmp_path: Path) -> None:
    path = tmp_path / "quoted.csv"
    path.write_text(f'{SMALL_HEADER}\n1,1,"a, ""b""\nc",x,no\n2,2,west,y,yes\n', encoding="utf-8")

    dataset = _read(path, small)

    assert dataset.levels["wind"] == ('a, "b"\nc', "calm", "west")


_MORE_LEVELS = [SMALL_HEADER, *(f"1,1,w{at},n,{'yes' if at % 2 else 'no'}" for at in range(20_001))]


@pytest.mark.parametrize(
    ("lines", "error"),
    [
        ([], "Module: Import Data; Error 0003: the file has no rows"),
        ([SMALL_HEADER, ""], "Error 0003: the file has no rows below its header"),
        (["pressure,month,note,rain", *_ROWS], "Error 0001: column(s) ['wind'] not found in the header, which has ['"),
        ([SMALL_HEADER + ",wind", *_ROWS], "Error 0028: column(s) ['wind'] are in the header more than once"),
        (_lines_with("1,2,west"), "Error 0067: line 7: 3 cells instead of 5"),
        (_lines_with("1,2,west,n,no,no"), "Error 0067: line 7: 6 cells instead of 5"),
        (_lines_with("warm,2,west,n,no"), "Error 0042: line 7, column 'pressure': 'warm' is not a number"),
        (_lines_with("1,2.5,west,n,no"), "Error 0042: line 7, column 'month': '2.5' is not a whole number"),
        (_lines_with("inf,2,west,n,no"), "Error 0042: line 7, column 'pressure': 'inf' is not a number"),
        (_lines_with("1,1_0,west,n,no"), "Error 0042: line 7, column 'month': '1_0' is not a whole number"),
        (_lines_with('1,2,"a\nb",n,no\n1,x,west,n,no'), "Error 0042: line 9, column 'month'"),
        (_lines_with("1,2,w\udce9st,n,no"), "Error 0049: line 7, column 'wind': the text is not UTF-8"),
        (_lines_with("1,2," + "x" * 9_000_000 + ",n,no"), "Error 0049: line 7 cannot be taken apart"),
        (_lines_with("1,2,west,n,"), "Error 0134: label column 'rain' is empty in 1 row(s), first on line 7"),
        (_lines_with("1,2,west,n,maybe"), "Error 0023: label column 'rain' has 3 different label(s) ('maybe', "),
        ([SMALL_HEADER, "1,2,west,n,no"], "Error 0054: label column 'rain' has 1 different label(s) ('no')"),
        ([SMALL_HEADER, "1,2,west,n,no", "1,2,west,n,yes"], "Module: Split Data; Error 0021: 2 row(s) are too few"),
        (_MORE_LEVELS, "Error 0014: column 'wind' has 20002 levels; at most 20000: drop the column"),
    ],
)  # fmt: skip
def test_a_bad_file_is_refused_with_what_where_and_what_to_do(
    small: Experiment, tmp_path: Path, lines: list[str], error: str
) -> None:
    path = tmp_path / "bad.csv"
    path.write_bytes("\n".join(lines).encode(errors="surrogateescape"))

    with pytest.raises(ModuleError) as caught:
        train(small, path, ".csv", threads=2)

    assert error in str(caught.value)


def test_an_unknown_kind_of_file_names_the_known_ones(small: Experiment, small_csv: Path) -> None:
    with pytest.raises(ModuleError, match=r"Error 0049: a '\.xlsx' file cannot be read; use one of \.csv, \.nh\.csv"):
        train(small, small_csv, ".xlsx", threads=1)


def test_a_positive_label_that_never_occurs_is_refused(small_csv: Path) -> None:
    experiment = parse_experiment(SMALL.replace('column = "rain"', 'column = "rain"\npositive = "wet"'), "small.toml")

    with pytest.raises(ModuleError, match=r"Error 0023: .* never the positive label 'wet'"):
        train(experiment, small_csv, ".csv", threads=1)


@pytest.mark.parametrize(
    ("labels", "positive"),
    [(("no", "yes"), "yes"), (("<=50K", ">50K"), ">50K"), (("1", "2"), "1"), (("True", "Unsure"), "True")],
)
def test_the_positive_label_is_true_or_1_else_the_alphabetically_second(
    small: Experiment, tmp_path: Path, labels: tuple[str, str], positive: str
) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("\n".join([SMALL_HEADER, *(f"1,1,west,n,{label}" for label in labels)]), encoding="utf-8")

    dataset = _read(path, small)

    assert dataset.schema.positive_label == positive
    assert dataset.classes == (*(label for label in labels if label != positive), positive)
    assert dataset.labels.tolist() == [label == positive for label in labels]


@pytest.mark.parametrize("stratified", [False, True])
def test_a_split_takes_its_fraction_and_repeats_itself(stratified: bool) -> None:
    labels = np.arange(1000) % 4 == 0
    split = Split(0.7, 3, stratified)

    chosen = training_rows(labels, 2, split)

    assert chosen.sum() == 700
    assert (chosen == training_rows(labels, 2, split)).all()
    assert (chosen != training_rows(labels, 2, Split(0.7, 4, stratified))).any()


def test_a_stratified_split_keeps_the_share_of_each_label() -> None:
    labels = np.arange(1000) % 10 == 0

    chosen = training_rows(labels, 2, Split(0.7, 0, stratified=True))

    assert labels[chosen].sum() == 70
    assert labels[~chosen].sum() == 30
