"""One thing that is wrong in a Bicep file."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from tree_sitter import Node


class Kind(Enum):
    """What can be wrong; the value is how it is shown."""

    SYNTAX = "syntax error"
    UNKNOWN_TYPE = "unknown resource type or version"
    UNKNOWN_PROPERTY = "unknown property"
    READ_ONLY = "read-only property"
    MISSING = "missing required property"
    WRONG_TYPE = "wrong type"
    WRONG_VALUE = "value that is not allowed"
    UNLISTED_VALUE = "value that is not listed"
    UNDEFINED = "undefined name"
    UNUSED = "unused name"
    DUPLICATE = "name declared twice"
    UNKNOWN_PARAMETER = "unknown module parameter"
    MISSING_PARAMETER = "missing module parameter"
    UNKNOWN_OUTPUT = "unknown module output"
    MISSING_FILE = "missing file"
    WRONG_PARENT = "parent of another type"
    WRONG_SCOPE = "resource outside its scope"


@dataclass(frozen=True)
class Finding:
    """`line` counts from 1."""

    path: Path
    line: int
    kind: Kind
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.kind.value}: {self.text}"


def at(path: Path, node: Node, kind: Kind, text: str) -> Finding:
    """Make a finding where a node begins."""
    return Finding(path, node.start_point.row + 1, kind, text)
