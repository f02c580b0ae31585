"""What goes to the process of a batch job and what comes back; light, since the worker itself runs nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import orjson

from shared.logs import masked
from shared.secret import Secret
from shared.wire import JobRequest
from studio.batch.jobs import JobState
from studio.engine.errors import ModuleError
from studio.operation import JobLimits

MADE = b"made"  # said through the pipe when only the outputs have still to be written

_MAX_DETAILS = 4000


@dataclass(frozen=True)
class JobOrder:
    """
    All that the process needs.

    `ids` name the job in the log, whose lines are JSON with `logs_json`. `storage` opens the service's own account,
    `hosts` are those that references may lead to, `directory` is one for temporary files, which the worker removes.
    `model_file` lies there and is what scores; without one, the job trains a model. `limits` ends a job that takes too
    much.
    """

    ids: Mapping[str, str]
    experiment: str
    request: JobRequest
    storage: Secret
    hosts: frozenset[str]
    directory: str
    threads: int
    limits: JobLimits = field(default_factory=JobLimits)
    model_file: str | None = None
    logs_json: bool = False

    @property
    def module(self) -> str:
        """What failures name when no module of the experiment has named itself."""
        return "Score Model" if self.model_file else "Train Model"

    @property
    def advice(self) -> str:
        """What to do about a job that takes too much."""
        return "split the file and score its parts" if self.model_file else "train on fewer rows or columns"


@dataclass(frozen=True)
class Outcome:
    """
    How a job ended: FINISHED, or FAILED with details that name no credential.

    `is_crash` says that the process was ended from outside, which may not happen again.
    """

    state: JobState
    details: str | None = None
    is_crash: bool = False

    def to_bytes(self) -> bytes:
        """Write the form that goes through the pipe."""
        return orjson.dumps({"state": self.state.value, "details": self.details})

    @classmethod
    def from_bytes(cls, data: bytes) -> Outcome:
        """Read what `to_bytes` wrote."""
        body = orjson.loads(data)
        return cls(JobState(body["state"]), body["details"])

    @classmethod
    def failed(cls, module: str, number: int, problem: str) -> Outcome:
        """Describe a failure in the form of Studio's module errors."""
        return cls.of_module(ModuleError(module, number, problem))

    @classmethod
    def crashed(cls, module: str, number: int, problem: str) -> Outcome:
        """Describe the end of a process that nobody asked for."""
        return replace(cls.failed(module, number, problem), is_crash=True)

    @classmethod
    def of_module(cls, error: ModuleError) -> Outcome:
        """Take over a module's error; a credential that a library put into its text is masked."""
        return cls(JobState.FAILED, masked(str(error))[:_MAX_DETAILS])
