"""Score Model: what goes in, what comes out, and which cell is at fault."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from engine_samples import SMALL, SMALL_HEADER, Census

from studio.engine.errors import InputMismatch, InputParseError
from studio.engine.experiment import parse_experiment
from studio.engine.learners import Learner
from studio.engine.model_file import ModelFile
from studio.engine.scorer import Scorer
from studio.engine.training import train

_COLUMNS = ["pressure", "month", "wind", "note", "rain"]
_ROW = ["1003.5", "4", "west", "dry", "yes"]


@pytest.fixture
def scorer(small_model: ModelFile) -> Scorer:
    return Scorer(small_model)


def test_columns_have_the_protocols_names_and_types(scorer: Scorer) -> None:
    assert scorer.input_columns == (
        ("pressure", "Double"), ("month", "Int32"), ("wind", "String"), ("note", "String"), ("rain", "String"),
    )  # fmt: skip
    assert scorer.output_columns[-2:] == (("Scored Labels", "String"), ("Scored Probabilities", "Double"))


def test_a_row_comes_back_with_label_and_probability(scorer: Scorer) -> None:
    [row] = scorer.score(_COLUMNS, [_ROW])

    *echo, label, probability = row
    assert echo == _ROW
    assert label == ("yes" if float(str(probability)) >= 0.5 else "no")
    assert 0 < float(str(probability)) < 1


def test_both_labels_occur(scorer: Scorer) -> None:
    rows = [[str(pressure), "1", wind, "", ""] for pressure in (981, 1029) for wind in ("north", "west", "south")]

    assert {row[-2] for row in scorer.score(_COLUMNS, rows)} == {"yes", "no"}


def test_no_rows_give_no_rows(scorer: Scorer) -> None:
    assert scorer.score(_COLUMNS, []) == []


def test_the_order_of_columns_is_free_and_the_label_may_be_left_out(scorer: Scorer) -> None:
    [expected] = scorer.score(_COLUMNS, [_ROW])

    [reversed_row] = scorer.score(_COLUMNS[::-1], [_ROW[::-1]])
    [unlabelled] = scorer.score(_COLUMNS[:-1], [_ROW[:-1]])

    assert reversed_row == expected
    assert unlabelled == (*_ROW[:-1], None, *expected[-2:])


def test_the_label_that_is_sent_changes_nothing(scorer: Scorer) -> None:
    answers = scorer.score(_COLUMNS, [[*_ROW[:-1], label] for label in ("yes", "no", "?", None, "other")])

    assert len({row[-1] for row in answers}) == 1


@pytest.mark.parametrize(
    ("cells", "same_as"),
    [
        ([1003.5, 4, "west", "dry", "yes"], _ROW),
        ((1003.5, 4.0, "west", "dry", "yes"), _ROW),
        (["1003.50", " 4 ", "west", "dry", "yes"], _ROW),
        (["1.0035e3", "4.0", "west", "dry", "yes"], _ROW),
        (["?", "", "?", "", "?"], [None, None, "calm", None, None]),
        (["NaN", "nan", "", "", ""], [None, None, None, None, None]),
        (["1003.5", "4", "from the moon", "dry", "yes"], ["1003.5", "4", "from the sun", "dry", "yes"]),
    ],
)
def test_one_row_in_many_spellings_has_one_answer(scorer: Scorer, cells: list[object], same_as: list[object]) -> None:
    one, other = scorer.score(_COLUMNS, [cells, same_as])

    assert one[-1] == other[-1]


def test_cells_are_echoed_as_text_and_null_as_null(scorer: Scorer) -> None:
    [row] = scorer.score(_COLUMNS, [[1003.5, 4.0, "west", True, None]])
    [exact] = scorer.score(_COLUMNS, [[0.1234567890123456, 4, "west", "", False]])

    assert list(row[:5]) == ["1003.5", "4", "west", "True", None]
    assert list(exact[:5]) == ["0.1234567890123456", "4", "west", "", "False"]


def test_a_bare_boolean_is_the_level_that_spells_it(tmp_path: Path) -> None:
    path = tmp_path / "booleans.csv"
    rows = (f"1,1,{'TRUE' if at % 2 else 'FALSE'},n,{'yes' if at % 2 else 'no'}" for at in range(40))
    path.write_text("\n".join([SMALL_HEADER, *rows]), encoding="utf-8")
    scorer = Scorer.load(train(parse_experiment(SMALL, ""), path, ".csv", threads=1).model_file)

    answers = scorer.score(_COLUMNS, [[1, 1, wind, "n", None] for wind in (True, "TRUE", False, "FALSE")])

    assert [row[-2] for row in answers] == ["yes", "yes", "no", "no"]
    assert answers[0][-1] == answers[1][-1]


@pytest.mark.parametrize(
    ("columns", "problem"),
    [
        (_COLUMNS[1:], r"column\(s\) \['pressure'\] missing"),
        ([*_COLUMNS, "snow"], r"column\(s\) \['snow'\] unknown"),
        ([*_COLUMNS, "wind"], r"column\(s\) \['wind'\] there more than once"),
        (["Pressure", *_COLUMNS[1:]], r"\['Pressure'\] unknown; column\(s\) \['pressure'\] missing"),
        ([], "missing; the input columns are"),
    ],
)
def test_columns_that_do_not_match_are_named(scorer: Scorer, columns: list[str], problem: str) -> None:
    with pytest.raises(InputMismatch, match=problem):
        scorer.score(columns, [])


@pytest.mark.parametrize("row", [_ROW[:-1], [*_ROW, "x"], "abcde", None, {"a": 1}])
def test_a_row_of_another_shape_is_named(scorer: Scorer, row: list[object]) -> None:
    with pytest.raises(InputMismatch, match="row 2: expected a list of 5 cells, got"):
        scorer.score(_COLUMNS, [_ROW, row])


@pytest.mark.parametrize(
    ("column", "cell", "problem"),
    [
        ("pressure", "high", "'high' is not a number"),
        ("pressure", "inf", "'inf' is not a number"),
        ("pressure", "1_000", "'1_000' is not a number"),
        ("pressure", True, "'True' is not a number"),
        ("month", "4.5", "'4.5' is not a whole number"),
        ("month", 4.5, "'4.5' is not a whole number"),
        ("month", "1e999", "'1e999' is not a whole number"),
        ("wind", ["west"], "expected a text, a number, a boolean or null, got ['west']"),
        ("note", {"a": 1}, "expected a text, a number, a boolean or null, got {'a': 1}"),
    ],
)
def test_a_cell_that_cannot_be_read_is_named(scorer: Scorer, column: str, cell: object, problem: str) -> None:
    row: list[object] = list(_ROW)
    row[_COLUMNS.index(column)] = cell

    with pytest.raises(InputParseError) as caught:
        scorer.score(_COLUMNS, [_ROW, _ROW, row])

    assert str(caught.value) == f"row 3, column '{column}': {problem}"


def test_an_integer_of_ten_thousand_digits_is_a_cell_that_cannot_be_read(scorer: Scorer) -> None:
    with pytest.raises(InputParseError, match="row 1, column 'pressure'"):
        scorer.score(_COLUMNS, [[10**10_000, *_ROW[1:]]])


def test_an_unknown_level_is_an_error_where_the_learner_does_not_allow_it(small_model: ModelFile) -> None:
    parameters = {**small_model.learner.parameters, "Allow unknown categorical levels": False}
    strict = Scorer(replace(small_model, learner=Learner(small_model.learner.kind, parameters)))

    assert strict.score(_COLUMNS, [_ROW, ["1", "1", "?", "anything", "maybe"]])
    with pytest.raises(InputParseError, match="row 1, column 'wind': 'moon' is a level that training did not see"):
        strict.score(_COLUMNS, [["1", "1", "moon", "n", "no"]])


_ODD: list[object] = [
    *(
        "7",
        "7.0",
        "-3",
        "1e2",
        " 5 ",
        "",
        "?",
        "NaN",
        "nan",
        "1,2",
        "1_000",
        "true",
        "null",
        '"a',
        'b"',
        "[1",
        "2]",
        "x",
    ),
    *("007", "+4", ".5", "9" * 30, "1e400", "Infinity", "-0", None, 7, 2.5, True, "west", "from the moon"),
]


def test_many_rows_are_read_as_one_row_is_whatever_the_cells(scorer: Scorer) -> None:
    random = Random(5)

    for _ in range(400):
        rows = [list(_ROW) for _ in range(12)]
        for _ in range(random.randint(1, 4)):
            rows[random.randrange(12)][random.randrange(5)] = random.choice(_ODD)
        assert outcome(scorer, rows) == one_by_one(scorer, rows)


def outcome(scorer: Scorer, rows: list[list[object]]) -> object:
    try:
        return scorer.score(_COLUMNS, rows)
    except InputParseError as error:
        return error.row, error.column, error.problem


def one_by_one(scorer: Scorer, rows: list[list[object]]) -> object:
    outcomes = [outcome(scorer, [row]) for row in rows]
    for number, found in enumerate(outcomes, 1):
        if isinstance(found, tuple):
            return number, *found[1:]
    return [row for found in outcomes for row in found]


def test_one_row_and_many_rows_and_many_threads_answer_alike(census: Census, census_scorer: Scorer) -> None:
    lines = census.path.read_text(encoding="utf-8").splitlines()
    columns, rows = lines[0].split(","), [line.split(",") for line in lines[1:6001]]
    together = census_scorer.score(columns, rows)

    with ThreadPoolExecutor(4) as pool:
        singly = list(pool.map(lambda row: census_scorer.score(columns, [row])[0], rows[:2000]))
        parts = list(pool.map(lambda at: census_scorer.score(columns, rows[at : at + 100]), range(0, 6000, 100)))

    assert singly == together[:2000]
    assert [row for part in parts for row in part] == together
