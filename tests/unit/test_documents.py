"""What README and docs name is there: pages, files, modules, commands."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
# Paths are written from the project's root, or from the program or the package that a paragraph is about.
BASES = [ROOT, ROOT / "shared", ROOT / "studio", ROOT / "studio" / "web", ROOT / "tests" / "studio"]
PATH = re.compile(r"`(?!\.local/)((?:[\w.-]+/)+[\w.-]*|[\w-]+\.(?:py|bicep|ya?ml|sh))`")
CODE = (".py", ".bicep", ".kql", ".yml", ".yaml", ".sh", "/")

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)


@each_page
def test_every_link_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", page.read_text())
    inside = [link for link in links if "://" not in link]

    assert [link for link in inside if not _leads_somewhere(page, *link.partition("#")[::2])] == []


@each_page
def test_every_file_of_the_project_is_there(page: Path) -> None:
    named = {
        path for path in PATH.findall(page.read_text()) if path.endswith(CODE) or (ROOT / path.split("/")[0]).is_dir()
    }

    assert [path for path in sorted(named) if not any((base / path).exists() for base in [*BASES, page.parent])] == []


@each_page
def test_every_command_is_there(page: Path) -> None:
    text = page.read_text()
    targets = set(re.findall(r"(?:^|`)make ([a-z-]+)", text, re.M))
    modules = set(re.findall(r"python3? -m ([\w.]+)", text))

    assert targets <= TARGETS
    assert [name for name in sorted(modules) if find_spec(name) is None] == []


def _leads_somewhere(page: Path, path: str, heading: str) -> bool:
    target = page.parent / path if path else page
    if not target.exists():
        return False
    headings = re.findall(r"^#+ (.+)$", target.read_text(), re.M) if heading else []
    return not heading or heading in {_anchor(text) for text in headings}


def _anchor(heading: str) -> str:
    """As GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
