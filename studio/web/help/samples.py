"""
Sample programs for the help pages, in five languages, with an endpoint's addresses and bodies filled in.

Names of columns and resources are whatever somebody typed, so each language's own rule for text literals is applied.
"""

from __future__ import annotations

import json
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from studio.web.help.json_text import json_text

_LANGUAGES = {"C#": "cs", "Python 3": "py", "R": "R", "PowerShell": "ps1", "curl": "sh"}


def samples(purpose: str, url: str, body: object) -> list[tuple[str, str]]:
    """
    Return pairs of a language and a program.

    Args:
        purpose: `score`, `jobs` or `update`.
        body: What the program sends; texts, lists and objects of them alone, which read the same in JSON and Python.
    """
    text = json_text(body)
    return [
        (language, _environment.get_template(f"{purpose}.{suffix}.j2").render(url=url, body=text))
        for language, suffix in _LANGUAGES.items()
    ]


def _literal(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _cs_literal(text: str) -> str:
    return json.dumps(text)


def _cs_verbatim(text: str) -> str:
    return '@"' + text.replace('"', '""') + '"'


def _r_text(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _quoted(url: str) -> str:
    """Quote an address for a shell or PowerShell; in an address, %27 is the quotation mark."""
    return "'" + url.replace("'", "%27") + "'"


_environment = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates" / "samples"),
    undefined=StrictUndefined,
    autoescape=False,  # noqa: S701 - programs, not HTML: the page that shows them escapes them
)
_environment.filters |= {
    "literal": _literal,
    "escaped": _cs_literal,
    "verbatim": _cs_verbatim,
    "r_text": _r_text,
    "quoted": _quoted,
}
