"""Score Model over whole files: every format in and out, and which line is at fault."""

from __future__ import annotations

import csv
import tracemalloc
from pathlib import Path

import pytest
from engine_samples import SMALL_HEADER, small_rows

from studio.engine.arff import ArffFile
from studio.engine.batch_scoring import score_file
from studio.engine.errors import ModuleError
from studio.engine.model_file import ModelFile
from studio.engine.scorer import Scorer

_COLUMNS = SMALL_HEADER.split(",")
_ROWS = [line.split(",") for line in small_rows(30)]


@pytest.fixture
def scorer(small_model: ModelFile) -> Scorer:
    return Scorer(small_model)


def _scored(scorer: Scorer, source: Path, extension: str) -> list[list[str]]:
    target = source.with_name("scored.csv")
    n_rows = score_file(scorer, source, extension, target, ".csv")
    with target.open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    assert header == [name for name, _ in scorer.output_columns]
    assert n_rows == len(rows)
    return rows


def _expected(scorer: Scorer, rows: list[list[str]]) -> list[list[str]]:
    return [[cell or "" for cell in row] for row in scorer.score(_COLUMNS, rows)]


@pytest.mark.parametrize(
    ("extension", "lines"),
    [
        (".csv", [SMALL_HEADER, *map(",".join, _ROWS)]),
        ("CSV", ["\ufeff" + SMALL_HEADER, "", *map(",".join, _ROWS)]),
        (".tsv", ["\t".join(_COLUMNS), *map("\t".join, _ROWS)]),
        (".nh.csv", [*map(",".join, _ROWS)]),
        (".nh.tsv", [*map("\t".join, _ROWS)]),
        (".csv", [f"more,{SMALL_HEADER}", *(f"x,{','.join(row)}" for row in _ROWS)]),
        (".csv", [",".join(_COLUMNS[::-1]), *(",".join(row[::-1]) for row in _ROWS)]),
    ],
    ids=["csv", "mark and blank line", "tsv", "nh.csv", "nh.tsv", "more columns", "other order"],
)
def test_a_file_is_scored_like_its_rows(scorer: Scorer, tmp_path: Path, extension: str, lines: list[str]) -> None:
    source = tmp_path / "source"
    source.write_text("\n".join(lines), encoding="utf-8")

    assert _scored(scorer, source, extension) == _expected(scorer, _ROWS)


@pytest.mark.parametrize("extension", [".csv", ".nh.csv"])
def test_the_label_column_may_be_left_out(scorer: Scorer, tmp_path: Path, extension: str) -> None:
    source = tmp_path / "source"
    lines = [",".join(row[:-1]) for row in _ROWS]
    source.write_text("\n".join(lines if ".nh" in extension else [",".join(_COLUMNS[:-1]), *lines]), encoding="utf-8")

    rows = _scored(scorer, source, extension)

    assert rows == _expected(scorer, [[*row[:-1], ""] for row in _ROWS])


def test_an_arff_file_is_scored_into_an_arff_file(scorer: Scorer, tmp_path: Path) -> None:
    source, target = tmp_path / "source.arff", tmp_path / "target.arff"
    head = "".join(f"@attribute {name} string\n" for name in _COLUMNS)
    source.write_text(f"{head}@data\n" + "\n".join(map(",".join, _ROWS)), encoding="utf-8")

    score_file(scorer, source, "arff", target, ".arff")

    file = ArffFile(target)
    assert file.header == tuple(name for name, _ in scorer.output_columns)
    given = [[None if cell == "?" else cell for cell in row] for row in _ROWS]
    assert [tuple(cells) for _, cells in file.rows()] == scorer.score(_COLUMNS, given)


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("warm,2,west,n,no", "Module: Score Model; Error 0042: line 9001, column 'pressure': 'warm' is not a number"),
        ("1,2,west", "Module: Score Model; Error 0067: line 9001: 3 cells instead of 5"),
        ("1,2,w\udce9st,n,no", "Error 0049: line 9001, column 'wind': the text is not UTF-8"),
        ('1,2,"' + "x" * 200_000 + '",n,no', "Error 0049: line 9001 cannot be taken apart"),
    ],
)
def test_a_row_that_cannot_be_scored_is_named_by_its_line(
    scorer: Scorer, tmp_path: Path, line: str, error: str
) -> None:
    source = tmp_path / "bad.csv"
    source.write_bytes("\n".join([SMALL_HEADER, *small_rows(8999), line]).encode(errors="surrogateescape"))

    with pytest.raises(ModuleError) as caught:
        score_file(scorer, source, ".csv", tmp_path / "target.csv", ".csv")

    assert error in str(caught.value)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "Error 0003: the file has no rows"),
        (f"{SMALL_HEADER}\n", "Error 0003: the file has no rows below its header"),
        ("pressure,month\n1,2\n", r"Error 0001: column\(s\) \['wind', 'note'\] not found"),
    ],
)
def test_a_file_without_rows_or_columns_is_refused(scorer: Scorer, tmp_path: Path, text: str, error: str) -> None:
    source = tmp_path / "bad.csv"
    source.write_text(text, encoding="utf-8")

    with pytest.raises(ModuleError, match=error):
        score_file(scorer, source, ".csv", tmp_path / "target.csv", ".csv")


def test_an_unknown_target_format_is_refused_before_anything_is_read(scorer: Scorer, tmp_path: Path) -> None:
    with pytest.raises(ModuleError, match=r"'\.xml' file cannot be written"):
        score_file(scorer, tmp_path / "missing.csv", ".csv", tmp_path / "target.xml", ".xml")


def test_a_long_file_is_scored_in_bounded_memory(scorer: Scorer, tmp_path: Path) -> None:
    source = tmp_path / "long.csv"
    source.write_text("\n".join([SMALL_HEADER, *small_rows(15_000)]), encoding="utf-8")
    tracemalloc.start()
    try:
        n_rows = score_file(scorer, source, ".csv", tmp_path / "target.csv", ".csv")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert n_rows == 15_000
    assert peak < 8 << 20
