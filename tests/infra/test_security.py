"""What is made of checkov's report, and the reasons beside what is suppressed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from infra.checks.security import SUPPRESSED, judge, readable_copy
from tests.infra.places import INFRA

FAILED = {
    "file_path": "/main.bicep",
    "file_line_range": [7, 9],
    "check_id": "CKV_AZURE_1",
    "check_name": "Ensure something",
}


def test_a_clean_report_has_no_problems() -> None:
    assert judge({"summary": {"passed": 5, "parsing_errors": 0}, "results": {"failed_checks": []}}) == ([], 5)


@pytest.mark.parametrize(
    "report",
    [
        {"summary": {"passed": 5, "parsing_errors": 0}, "results": {"failed_checks": [FAILED]}},
        {"summary": {"passed": 5, "parsing_errors": 1}, "results": {"parsing_errors": ["/x/main.bicep"]}},
        {"summary": {"passed": 5, "parsing_errors": 1}, "results": {}},
    ],
)
def test_a_finding_and_an_unread_file_are_problems(report: dict[str, object]) -> None:
    problems, _ = judge(report)

    assert len(problems) == 1


def test_every_suppression_has_a_reason() -> None:
    comments = [
        match
        for path in INFRA.rglob("*.bicep")
        for match in re.findall(r"checkov:skip=(CKV_AZURE_\d+)(?::(.*))?", path.read_text())
    ]

    assert len(comments) > 10
    for policy, reason in [*comments, *SUPPRESSED.items()]:
        assert len(reason) >= len("the same"), policy


@pytest.mark.parametrize("path", sorted(INFRA.rglob("*.bicep")), ids=lambda path: path.stem)
def test_no_condition_goes_over_lines(path: Path) -> None:
    """The one thing in these files that Bicep takes and checkov's parser does not: the whole file would go unread."""
    assert not re.findall(r"^\s*[?:] .*", path.read_text(), re.M)


def test_the_copy_keeps_its_lines(tmp_path: Path) -> None:
    copy = readable_copy(INFRA, tmp_path) / "modules" / "vault.bicep"
    original = (INFRA / "modules" / "vault.bicep").read_text()

    assert "\n@onlyIfNotExists()" in original
    assert "@onlyIfNotExists()" not in copy.read_text()
    assert len(copy.read_text().splitlines()) == len(original.splitlines())
