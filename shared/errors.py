"""
Every error the function app raises on purpose.

    RetrainError
    ├── ConfigError               settings or models.toml are unusable; holds every problem found
    ├── DatasetChanged            the blob changed or vanished while it was read
    ├── RowsUnaccounted           a file's rows in are not its rows out; nothing trains on it
    ├── RequestRefused            what a person asked for cannot be done; holds the HTTP status
    ├── MetricsError              a job's metrics output cannot be read
    ├── EvaluationError           challenger and champion could not be judged; fails closed
    ├── ServiceError              a call to the training or scoring service failed
    │   ├── ServiceUnavailable    may pass if tried later (connect, timeout, 408, 429, 5xx)
    │   ├── ServiceRejected       will not pass if repeated (other 4xx)
    │   ├── ProtocolMismatch      a body is not shaped as the protocol says
    │   └── RowsMixedUp           the rows that came back are not those that were sent
    ├── StateConflict             somebody else moved first: drop the work, the winner has it
    │   ├── AlreadyExists         an insert was refused
    │   └── Changed               the ETag was refused
    └── IllegalTransition         a bug: this history cannot be right

Whether a call may pass later is a property of the class. Callers choose by class and attribute, never by words in a
message.
"""

from __future__ import annotations

from collections.abc import Sequence


class RetrainError(Exception):
    """The root of the tree."""


class ConfigError(RetrainError):
    """Settings or models.toml are unusable; `problems` holds one sentence for each key at fault."""

    def __init__(self, source: str, problems: Sequence[str]) -> None:
        self.source = source
        self.problems = tuple(problems)
        lines = "".join(f"\n  - {problem}" for problem in self.problems)
        super().__init__(f"{source}: {len(self.problems)} problem(s){lines}")


class DatasetChanged(RetrainError):
    """The blob changed or vanished while it was read; its next version comes with an event of its own."""

    def __init__(self, dataset: str) -> None:
        self.dataset = dataset
        super().__init__(f"dataset '{dataset}' changed or vanished while it was read")


class RowsUnaccounted(RetrainError):
    """Good rows and quarantined rows are not the rows of the file: a bug, or storage that gave other bytes."""


class MetricsError(RetrainError):
    """A job's metrics output is missing, unparsable, or lacks a metric that the gate needs."""


class EvaluationError(RetrainError):
    """Challenger and champion could not be judged on the same rows; `reason` names why. Never promotes."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class RequestRefused(RetrainError):
    """What a person asked for cannot be done; the message says why and what to do. `status` is an HTTP status."""

    def __init__(self, reason: str, status: int = 409) -> None:
        self.status = status
        super().__init__(reason)


class ServiceError(RetrainError):
    """A call failed. `status` is the HTTP status (None without an answer), `code` the protocol's error code."""

    def __init__(
        self, operation: str, message: str, *, status: int | None = None, code: str = "", request_id: str = ""
    ) -> None:
        self.operation = operation
        self.status = status
        self.code = code
        self.request_id = request_id
        said = " ".join(part for part in (str(status) if status else "", code) if part)
        super().__init__(f"{operation}{f' ({said})' if said else ''}: {message}")


class ServiceUnavailable(ServiceError):
    """The call may pass if it is tried later."""


class ServiceRejected(ServiceError):
    """The call will not pass if it is repeated."""


class ProtocolMismatch(ServiceError):
    """A body is not shaped as the protocol says; `code` is the detail code a service answers with."""

    def __init__(self, where: str, expected: str, got: object, *, code: str = "RequestBodyInvalid") -> None:
        self.where = where
        self.expected = expected
        self.got = shape_of(got)
        super().__init__("protocol", f"{where}: expected {expected}, got {self.got}", code=code)


class RowsMixedUp(ServiceError):
    """A scoring endpoint answered other rows than were sent, or in another order: nothing can be concluded of them."""


class StateConflict(RetrainError):
    """Somebody else moved first."""


class AlreadyExists(StateConflict):
    """The row is already there."""


class Changed(StateConflict):
    """The row is not the one that was read."""


class IllegalTransition(RetrainError):
    """A state was asked for that the current state cannot lead to."""

    def __init__(self, run_id: str, before: str, after: str) -> None:
        self.run_id, self.before, self.after = run_id, before, after
        super().__init__(f"run '{run_id}' cannot go from {before} to {after}")


def shape_of(value: object) -> str:
    """Describe a wire value without repeating it: bodies may hold credentials."""
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return f"an object with keys {sorted(map(str, value))}"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, str):
        return f"a text of {len(value)} characters"
    return type(value).__name__
