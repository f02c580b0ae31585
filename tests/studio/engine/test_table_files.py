"""Tables in every format, out and in again."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from studio.engine.arff import ArffFile
from studio.engine.errors import ModuleError
from studio.engine.schema import ColumnType
from studio.engine.table_file import ResultTable

_COLUMNS = (("name", ColumnType.CATEGORICAL), ("it's %", ColumnType.NUMERIC))
_ROWS = [["a, \"b\"\n'c'\\", "1.5"], [None, "NaN"], ["?", None], ["ü\t", "-2"]]
_TABLE = ResultTable.of(_COLUMNS, _ROWS)


@pytest.mark.parametrize(
    ("extension", "delimiter", "has_header"),
    [(".csv", ",", True), ("TSV", "\t", True), (".nh.csv", ",", False), (".nh.tsv", "\t", False)],
)
def test_delimited_tables_read_back(extension: str, delimiter: str, has_header: bool) -> None:
    text = _TABLE.encoded(extension).decode()

    rows = list(csv.reader(text.splitlines(keepends=True), delimiter=delimiter))

    cells = [["" if cell is None else cell for cell in row] for row in _ROWS]
    assert rows == ([["name", "it's %"]] if has_header else []) + cells


def test_an_arff_table_reads_back_and_what_it_cannot_spell_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "table.arff"
    path.write_bytes(_TABLE.encoded(".arff"))

    file = ArffFile(path)

    assert file.header == ("name", "it's %")
    assert [cells for _, cells in file.rows()] == [[_ROWS[0][0], "1.5"], [None, None], ["?", None], ["ü\t", "-2"]]


def test_an_unknown_format_names_the_known_ones() -> None:
    with pytest.raises(ModuleError, match=r"'\.xlsx' file cannot be written; use one of \.csv, \.tsv, .*\.arff"):
        _TABLE.encoded("xlsx")


def _arff(tmp_path: Path, text: str) -> ArffFile:
    path = tmp_path / "a.arff"
    path.write_text(text, encoding="utf-8")
    return ArffFile(path)


def test_arff_is_read_in_its_many_spellings(tmp_path: Path) -> None:
    file = _arff(
        tmp_path,
        "% a comment\n@relation x\n\n@ATTRIBUTE a NUMERIC\n@attribute 'b c' {x, y}\n@attribute d% string\n@data\n"
        "1,x,'it\\'s'\n\n% another\n ? , ?,  ?\n2.5,'y', \"say \\\"ho\\\", she said\"\n'?',x,\n",
    )

    assert file.header == ("a", "b c", "d%")
    assert list(file.rows()) == [
        (8, ["1", "x", "it's"]),
        (11, [None, None, None]),
        (12, ["2.5", "y", 'say "ho", she said']),
        (13, ["?", "x", ""]),
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "Error 0003: the file has no @data section"),
        ("@relation x\n@attribute a\n@data\n", "line 2 cannot be taken apart: expected @relation, @attribute or @data"),
        ("a,b\n1,2\n", "line 1 cannot be taken apart"),
        ("@attribute a numeric\n@data\n{0 1}\n", "line 3 cannot be taken apart: sparse rows are not understood"),
        ("@attribute a string\n@data\n'open\n", "line 3 cannot be taken apart: a quote is out of place"),
        ("@attribute a string\n@data\n'a'b\n", "line 3 cannot be taken apart: a quote is out of place"),
        ("@attribute a string\n@data\n" + "x" * 10_000_001, "line 3 cannot be taken apart: it has more than"),
        ("@attribute a string\n@data\n" + "'\\" * 100_000, "line 3 cannot be taken apart: a quote is out of place"),
    ],
)
def test_arff_that_cannot_be_read_names_the_line(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(ModuleError, match=problem):
        list(_arff(tmp_path, text).rows())
