"""
Every error the engine raises on purpose.

    EngineError
    ├── ExperimentError     a declaration is unusable; holds every problem found
    ├── ModuleError         training failed in a way its caller can mend; carries Studio's module and error number
    ├── ModelFileError      the bytes are not a model file, or not one that is safe to load
    ├── InputMismatch       a scoring table lacks a column, repeats one, or has one that the model does not know
    ├── InputParseError     a cell of a scoring table cannot be read as its column's type
    └── LibraryMissing      the LightGBM library or the OpenMP runtime under it cannot be loaded
"""

from __future__ import annotations

from collections.abc import Sequence

_SHOWN_CHARACTERS = 60


class EngineError(Exception):
    """The root of the tree."""


class ExperimentError(EngineError):
    """A declaration is unusable; `problems` holds one sentence for each key at fault."""

    def __init__(self, source: str, problems: Sequence[str]) -> None:
        self.source = source
        self.problems = tuple(problems)
        lines = "".join(f"\n  - {problem}" for problem in self.problems)
        super().__init__(f"{source}: {len(self.problems)} problem(s){lines}")


class ModuleError(EngineError):
    """
    A module of the experiment failed; its text has the form of a failed job's Details.

    Numbers are those of Studio's list of module error codes, as far as it has one for the case.
    """

    def __init__(self, module: str, number: int, problem: str) -> None:
        self.module = module
        self.number = number
        self.problem = problem
        super().__init__(f"Module: {module}; Error {number:04d}: {problem}")


class ModelFileError(EngineError):
    """The bytes are not a model file that is safe to load; the text says what is wrong with them."""

    def __init__(self, problem: str) -> None:
        self.problem = problem
        super().__init__(f"not a usable model file: {problem}")


class InputMismatch(EngineError):
    """A scoring table does not have the model's columns."""


class InputParseError(EngineError):
    """A cell cannot be read; `row` counts from 1 in the order sent."""

    def __init__(self, row: int, column: str, problem: str) -> None:
        self.row = row
        self.column = column
        self.problem = problem
        super().__init__(f"row {row}, column '{column}': {problem}")


class LibraryMissing(EngineError):
    """The LightGBM library or the OpenMP runtime under it cannot be loaded; the text says what to install."""


def shown(value: object, most: int = _SHOWN_CHARACTERS) -> str:
    """Write a value for an error text, quoted, without control characters, cut to a length that a person reads."""
    text = repr(value)
    return text if len(text) <= most else f"{text[:most]}…"
