"""Blob path patterns: `container/folder/{token}.csv`."""

from __future__ import annotations

import re
from collections.abc import Iterator

_CONTAINER = re.compile(r"(?=.{3,63}$)[a-z0-9]+(-[a-z0-9]+)*|\$root|\$web|\$logs")
_TOKEN = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class PathPattern:
    """
    One pattern; a token takes as much as it can, slashes included, as on the platform.

    A pattern without a blob part means every blob of the container. `{{` and `}}` stand for braces.

    Raises:
        ValueError: No container, a token in the container's name, or malformed or repeated tokens.
    """

    def __init__(self, text: str) -> None:
        self.container, _, blob = text.strip("/").partition("/")
        if not _CONTAINER.fullmatch(self.container):
            raise ValueError(f"blob path '{text}' must begin with a container's name, as in 'container/{{name}}'")
        self.text = text
        self.literal_prefix, self._pattern = _compiled(blob, text) if blob else ("", re.compile(".*", re.DOTALL))

    def match(self, blob: str) -> dict[str, str] | None:
        """Return the tokens' values for a blob's name, None if the name does not match."""
        found = self._pattern.fullmatch(blob)
        return found.groupdict() if found else None


def _compiled(blob: str, text: str) -> tuple[str, re.Pattern[str]]:
    """Return the text before the first token, and the expression that matches the whole."""
    prefix, pattern = "", ""
    names: list[str] = []
    for literal, name in _pieces(blob, text):
        prefix += literal if not names else ""
        pattern += re.escape(literal)
        if name is not None:
            names.append(_checked(name, names, text))
            pattern += f"(?P<{name}>.*)"
    return prefix, re.compile(pattern, re.DOTALL)


def _pieces(blob: str, text: str) -> Iterator[tuple[str, str | None]]:
    """Yield literals with the token's name that follows each, None where a doubled brace or the end does."""
    at = 0
    for token in _TOKEN.finditer(blob):
        if token[0] in ("{", "}"):
            raise ValueError(f"blob path '{text}' has a brace without its partner")
        brace = token[0][0] if token[1] is None else ""
        yield blob[at : token.start()] + brace, token[1]
        at = token.end()
    yield blob[at:], None


def _checked(name: str, earlier: list[str], text: str) -> str:
    if not _NAME.fullmatch(name) or name in earlier:
        raise ValueError(f"blob path '{text}': token '{{{name}}}' must be a name, and used once")
    return name
