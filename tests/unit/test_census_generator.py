from __future__ import annotations

import csv
from pathlib import Path

import pytest

from examples.census import files, generate, proportions

ROWS = list(generate.rows(8_000, seed=7))


def column(name: str, rows: files.Rows = ROWS) -> list[str]:
    return [row[generate.COLUMNS.index(name)] for row in rows]


def share(name: str, value: str) -> float:
    cells = column(name)
    return cells.count(value) / len(cells)


def read(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


@pytest.fixture(scope="module")
def census(tmp_path_factory: pytest.TempPathFactory) -> files.CensusFiles:
    return files.derive(tmp_path_factory.mktemp("census"))


@pytest.mark.parametrize(
    ("name", "value", "published"),
    [
        ("income", generate.POSITIVE, 0.241),
        ("sex", "Male", 0.669),
        ("workclass", "Private", 0.697),
        ("workclass", proportions.MISSING, 0.056),
        ("education", "HS-grad", 0.323),
        ("marital-status", "Married-civ-spouse", 0.460),
        ("native-country", "United-States", 0.896),
        ("hours-per-week", "40", 0.467),
        ("capital-gain", "0", 0.917),
    ],
)
def test_shares_are_close_to_those_of_the_published_data(name: str, value: str, published: float) -> None:
    assert share(name, value) == pytest.approx(published, abs=0.04)


def test_equal_seeds_give_equal_rows_and_others_do_not() -> None:
    again, other = list(generate.rows(50, seed=7)), list(generate.rows(50, seed=8))

    assert again == ROWS[:50]
    assert other != ROWS[:50]


def test_education_and_its_number_agree() -> None:
    pairs = set(zip(column("education"), column("education-num"), strict=True))

    assert all(proportions.LEVELS[int(number) - 1] == level for level, number in pairs)


def test_the_label_depends_on_the_other_columns() -> None:
    def rate(name: str, values: set[str]) -> float:
        labels = [label for cell, label in zip(column(name), column("income"), strict=True) if cell in values]
        return labels.count(generate.POSITIVE) / len(labels)

    assert rate("relationship", {"Husband", "Wife"}) > 3 * rate("relationship", {"Not-in-family", "Own-child"})
    assert rate("education-num", {"13", "14", "15", "16"}) > 2 * rate("education-num", {"6", "7", "8", "9"})


def test_a_written_file_has_the_published_header(tmp_path: Path) -> None:
    generate.write(tmp_path / "census.csv", count=3, seed=7)

    header, *rows = read(tmp_path / "census.csv")

    assert tuple(header) == generate.COLUMNS
    assert [tuple(row) for row in rows] == ROWS[:3]


def test_the_larger_file_has_as_many_rows_as_the_published_one(census: files.CensusFiles) -> None:
    assert len(read(census.larger)) - 1 == 32_561


def test_no_row_of_the_holdout_is_in_a_file_that_trains(census: files.CensusFiles) -> None:
    held = {tuple(row) for row in read(census.holdout)[1:]}

    assert len(held) == files.N_HOLDOUT
    assert not held & {tuple(row) for row in read(census.larger)[1:]}
    assert not held & {tuple(row) for row in read(census.early)[1:]}


def test_a_row_equal_to_one_held_out_is_dropped() -> None:
    training, holdout = files.split([("a",), ("b",)] * 20, n_holdout=1)

    assert holdout[0] not in training
    assert len(training) == 20


def test_shuffling_labels_changes_nothing_else(census: files.CensusFiles) -> None:
    before, after = read(census.larger), read(census.shuffled)

    assert [row[:-1] for row in before] == [row[:-1] for row in after]
    assert sorted(row[-1] for row in before) == sorted(row[-1] for row in after)
    # Two labels drawn by chance differ in 2 × 0.24 × 0.76 of the cases.
    changed = sum(a[-1] != b[-1] for a, b in zip(before, after, strict=True)) / len(before)
    assert changed == pytest.approx(0.365, abs=0.01)


def test_the_broken_files_are_broken_where_they_say(census: files.CensusFiles) -> None:
    no_label, wrong = read(census.no_label.path), read(census.text_in_number.path)

    assert census.no_label.column not in no_label[census.no_label.line - 1]
    at = wrong[0].index(census.text_in_number.column)
    lines = [line for line, row in enumerate(wrong[1:], start=2) if not row[at].isdigit()]
    assert lines == [census.text_in_number.line]


def test_a_real_file_is_split_in_the_same_way(tmp_path: Path) -> None:
    data = tmp_path / "adult.csv"
    generate.write(data, count=files.N_LEAST, seed=3)

    census = files.derive(tmp_path / "files", data)

    assert census.source == "rows of adult.csv"
    assert len(read(census.larger)) - 1 == files.N_LEAST - files.N_HOLDOUT
    assert read(census.early)[1:] == read(census.larger)[1 : files.N_EARLY + 1]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "line 1: expected the columns age,workclass"),
        ("39, State-gov, 77516\n", "line 1: expected the columns age,workclass"),
        (",".join(generate.COLUMNS) + "\n", "has 0 rows; the demonstration needs at least 10,000"),
    ],
)
def test_a_file_that_cannot_be_a_source_is_refused(tmp_path: Path, text: str, said: str) -> None:
    data = tmp_path / "adult.csv"
    data.write_text(text, encoding="utf-8")

    with pytest.raises(files.SourceError, match=said):
        files.derive(tmp_path / "files", data)


def test_a_ragged_row_is_named(tmp_path: Path) -> None:
    data = tmp_path / "adult.csv"
    generate.write(data, count=files.N_LEAST, seed=3)
    with data.open("a", encoding="utf-8") as file:
        file.write("1,2,3\n")

    with pytest.raises(files.SourceError, match="row 10002: expected 15 cells, found 3"):
        files.derive(tmp_path / "files", data)


def test_a_missing_source_is_named(tmp_path: Path) -> None:
    with pytest.raises(files.SourceError, match=r"cannot read .*absent\.csv: No such file"):
        files.derive(tmp_path, tmp_path / "absent.csv")
