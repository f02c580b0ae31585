"""docs/protocol.md against the code: what is raised, stored and answered is on the page."""

from __future__ import annotations

import re
from pathlib import Path

from studio import errors
from studio.batch.jobs import JobState
from studio.store import account
from studio.web.faults import rendered

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")
KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.StudioError)]


def test_every_error_code_is_listed_with_the_status_it_is_answered_with() -> None:
    rows = [f"| {rendered(kind('X', 'x'))[0]} | `{kind.code}` |" for kind in KINDS]

    assert [row for row in rows if row not in PAGE] == []


def test_every_detail_code_is_listed() -> None:
    names = "|".join([*(kind.__name__ for kind in KINDS), "BlobFault"])
    raised = re.compile(rf'\b(?:{names})\(\s*"(\w+)"')
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "studio").rglob("*.py")]
    codes = {code for source in sources for code in raised.findall(source)}

    assert len(codes) > 20
    assert sorted(code for code in codes if f"`{code}`" not in PAGE) == []


def test_every_state_of_a_job_is_in_the_picture() -> None:
    assert [state.value for state in JobState if state.value not in PAGE] == []


def test_everything_that_storage_holds_is_listed() -> None:
    names = [
        account.CATALOG_TABLE,
        account.JOBS_TABLE,
        account.JOB_QUEUE,
        account.ARTIFACT_CONTAINER,
        account.DEFAULT_OUTPUT_CONTAINER,
    ]

    assert [name for name in names if f"`{name}`" not in PAGE] == []


def test_the_checklist_names_tests_that_there_are() -> None:
    section = PAGE.partition("## Clients, and what they stumble over")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (\d+) \| .* \| (.*) \|$", section, re.MULTILINE)
    sources = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests" / "studio").rglob("test_*.py"))

    assert [int(number) for number, _ in rows] == [*range(1, 16)]
    named = [name for _, tests in rows for name in re.findall(r"`(test_\w+)`", tests)]
    assert [name for name in named if f"def {name}(" not in sources] == []
