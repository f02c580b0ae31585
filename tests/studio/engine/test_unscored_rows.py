"""A model that demands a value of some columns scores the rows that have it, and hands the others back unscored."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from parts_samples import PART_COLUMNS, REMOVE, part_rows, train_parts, write_parts

from studio.engine.batch_scoring import score_file
from studio.engine.errors import InputParseError
from studio.engine.score_settings import PLAIN
from studio.engine.scorer import Scorer

_GAPS = [["3.5", "1", "red", ""], ["?", "1", "red", ""], ["3.5", "", "red", ""], ["3.5", "1", "", "large"]]
_GAPS += [[None, "1", "red", ""], ["nan", "1", "red", ""], ["3.5", "1", "violet", ""]]
_SCORED = [True, False, True, False, False, False, True]


@pytest.fixture(scope="module")
def scorer(tmp_path_factory: pytest.TempPathFactory) -> Scorer:
    path = write_parts(tmp_path_factory.mktemp("parts") / "parts.csv", part_rows())
    return Scorer.load(
        train_parts(path, f'height = {REMOVE}\ncolour = {REMOVE}\ncount = {{ rule = "mean" }}').model_file
    )


@pytest.mark.parametrize("times", [1, 40], ids=["few rows", "many rows"])
def test_a_row_that_lacks_a_value_comes_back_unscored_and_in_its_place(scorer: Scorer, times: int) -> None:
    rows = scorer.score(PART_COLUMNS, _GAPS * times)

    assert [row[-1] is not None for row in rows] == _SCORED * times
    assert [row[-2] is not None for row in rows] == _SCORED * times
    alone = [scorer.score(PART_COLUMNS, [row])[0] for row in _GAPS]
    assert rows == alone * times
    assert [row[:-2] for row in alone] == [tuple(row) for row in _GAPS]


def test_the_order_of_columns_is_free_there_too(scorer: Scorer) -> None:
    ours = scorer.score(PART_COLUMNS[::-1], [row[::-1] for row in _GAPS])

    assert ours == scorer.score(PART_COLUMNS, _GAPS)


def test_a_gap_is_scored_as_the_value_that_was_found(scorer: Scorer) -> None:
    [mean] = [fill for name, fill in scorer.model.schema.fills.items() if name == "count"]

    gap, filled = scorer.score(PART_COLUMNS, [["3.5", "", "red", ""], ["3.5", mean, "red", ""]])

    assert gap[-1] == filled[-1]


def test_the_cell_at_fault_is_named_by_its_row_among_all(scorer: Scorer) -> None:
    with pytest.raises(InputParseError) as caught:
        scorer.score(PART_COLUMNS, [*_GAPS, ["x", "1", "red", ""]])

    assert (caught.value.row, caught.value.column) == (len(_GAPS) + 1, "height")


def test_a_file_is_scored_the_same_way(scorer: Scorer, tmp_path: Path) -> None:
    source, target = (
        write_parts(tmp_path / "gaps.csv", [[cell or "" for cell in row] for row in _GAPS]),
        tmp_path / "out.csv",
    )

    assert score_file(scorer, source, ".csv", target, ".csv") == len(_GAPS)

    with target.open(newline="") as file:
        assert [row[-1] != "" for row in csv.reader(file)][1:] == _SCORED


def test_a_threshold_leaves_such_a_row_unscored(scorer: Scorer) -> None:
    rows = PLAIN.changed({"Threshold": 0.0}).rows(scorer.score(PART_COLUMNS, _GAPS), 4, scorer.model.classes)

    assert [row[-2] for row in rows] == ["small" if is_scored else None for is_scored in _SCORED]
