"""The data contract: what is found, where, and what was expected."""

from __future__ import annotations

import pytest

from shared.domain.data.checking import check
from shared.domain.data.contract import Column, Contract, Kind
from shared.domain.data.findings import PROBLEMS_PER_KIND, Findings

CONTRACT = Contract(
    columns=(
        Column("age", Kind.INTEGER, required=True),
        Column("weight", Kind.NUMBER),
        Column("town", Kind.CATEGORY),
        Column("income", Kind.CATEGORY, values=frozenset({"low", "high"})),
    ),
    label="income",
    min_rows=2,
)
HEADER = "age,weight,town,income\n"
GOOD = HEADER + "39,70.5,Bern,low\n50,,?,high\n"


def found(text: str | bytes, chunk: int = 7) -> Findings:
    data = text.encode() if isinstance(text, str) else text
    return check((data[at : at + chunk] for at in range(0, len(data), chunk)), CONTRACT)


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        "\ufeff" + GOOD,
        GOOD.replace("\n", "\r\n"),
        GOOD.rstrip("\n"),
        GOOD + "\n",
        GOOD.replace("Bern", '"Bern, the\ncapital"'),
        "income,town,weight,age\nlow,Bern,1e3,39\nhigh,,-0.5,50\n",
    ],
    ids=["plain", "bom", "crlf", "no last newline", "blank last line", "quoted newline", "other order"],
)
@pytest.mark.parametrize("chunk", [1, 7, 4096])
def test_a_good_file_meets_the_contract_however_it_is_cut(text: str, chunk: int) -> None:
    findings = found(text, chunk)

    assert findings.problems == []
    assert findings.rows == 2


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "found an empty file, expected a header and rows"),
        ("age,weight,town\n1,2,x\n", "line 1, column 'income': found no such column, which is the label"),
        (GOOD.replace("39", "old"), "line 2, column 'age': found 'old', expected an integer"),
        (GOOD.replace("39", "39.5"), "line 2, column 'age': found '39.5', expected an integer"),
        (GOOD.replace("39", "3_9"), "line 2, column 'age': found '3_9', expected an integer"),
        (GOOD.replace("39", ""), "line 2, column 'age': found '', expected an integer; it may not be missing"),
        (GOOD.replace("70.5", "heavy"), "line 2, column 'weight': found 'heavy', expected a number"),
        (GOOD.replace("70.5", "inf"), "line 2, column 'weight': found 'inf', expected a number"),
        (GOOD.replace("low", "medium"), "line 2, column 'income': found 'medium', expected one of high, low"),
        (GOOD.replace("low", "?"), "line 2, column 'income': found '?', expected one of high, low; it may not"),
        (GOOD.replace("low", "high"), "column 'income': found only the value 'high', expected exactly two classes"),
        (GOOD.replace("Bern,", ""), "line 2: found 3 cells, expected 4 cells as in the header"),
        (HEADER + "1,2,x,low\n", "found 1 row, expected at least 2"),
        (GOOD.replace("town", "age", 1), "line 1, column 'age': found the name 2 times, expected each name once"),
        (GOOD.replace("town", "city", 1), "line 1, column 'city': found a column that the contract does not know"),
        (GOOD + '1,2,"open,low\n', "line 4: found a quote that is never closed, expected cells with closed quotes"),
    ],
)
def test_a_problem_names_line_column_finding_and_expectation(text: str, sentence: str) -> None:
    findings = found(text)

    assert not findings.is_met
    assert findings.problems[0].sentence().startswith(sentence)


def test_a_byte_that_is_no_utf8_is_named_with_its_line() -> None:
    findings = found(GOOD.encode().replace(b"Bern", b"Z\xfcrich"))

    assert findings.problems[0].sentence() == "line 2: found byte 0xfc, expected text in UTF-8"


def test_a_problem_after_a_quoted_newline_has_the_right_line() -> None:
    text = HEADER + '39,1,"Bern,\nthe capital",low\nold,2,x,high\n'

    assert found(text).problems[0].line == 4


def test_many_problems_of_a_kind_are_counted_but_not_all_listed() -> None:
    findings = found(HEADER + "x,1,y,low\n" * 500 + "1,1,y,high\n" * 3)

    assert findings.counts["value:age"] == 500
    assert len(findings.problems) == PROBLEMS_PER_KIND
    assert findings.rows == 503
    assert findings.sentence().endswith("(and 499 more problems)")


def test_a_long_value_is_cut() -> None:
    assert len(found(GOOD.replace("39", "x" * 10_000)).problems[0].found) < 60
