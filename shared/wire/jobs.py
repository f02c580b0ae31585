"""Batch execution: what is submitted, and what a status call answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from shared.errors import ProtocolMismatch
from shared.wire.reading import Body, read_object, read_scalar
from shared.wire.references import BlobReference


class JobStatus(Enum):
    """What a service says of a batch job; the value is the wire's spelling."""

    NOT_STARTED = "NotStarted"
    RUNNING = "Running"
    FAILED = "Failed"
    CANCELLED = "Cancelled"
    FINISHED = "Finished"
    UNKNOWN = "Unknown"  # a code that the protocol does not list: treated as still running
    GONE = "Gone"  # the service no longer knows the job (404); never on the wire

    @property
    def code(self) -> int:
        """The integer form that services of 2014/15 sent."""
        return _CODES.index(self)

    @classmethod
    def from_wire(cls, code: object) -> JobStatus:
        """Read a name, an integer, a text of digits, or either spelling of cancelled."""
        text = str(code).strip()
        if text.isascii() and text.isdigit():
            return _CODES[int(text)] if int(text) < len(_CODES) else cls.UNKNOWN
        names = {status.value.lower(): status for status in _CODES} | {"canceled": cls.CANCELLED}
        return names.get(text.lower(), cls.UNKNOWN)


_CODES = (JobStatus.NOT_STARTED, JobStatus.RUNNING, JobStatus.FAILED, JobStatus.CANCELLED, JobStatus.FINISHED)


@dataclass(frozen=True)
class JobRequest:
    """What a caller submits: named inputs, where each named output goes, and web service parameters."""

    inputs: Mapping[str, BlobReference] = field(default_factory=dict)
    outputs: Mapping[str, BlobReference] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)

    def to_wire(self) -> Body:
        """Write the current form: plural `Inputs` and `Outputs`."""
        return {
            "Inputs": {name: reference.to_wire() for name, reference in self.inputs.items()},
            "Outputs": {name: reference.to_wire() for name, reference in self.outputs.items()},
            "GlobalParameters": dict(self.parameters),
        }

    @classmethod
    def from_wire(cls, body: object, *, single_input: str = "input1", single_output: str = "output1") -> JobRequest:
        """
        Read any of the three generations of the body.

        Args:
            single_input: Port that the singular `Input` of older bodies means.
            single_output: Port that the singular `Output` of the oldest bodies means.
        """
        fields = read_object(body if body is not None else {}, "request")
        inputs = _references(fields, "Inputs")
        outputs = _references(fields, "Outputs")
        if fields.get("Input") is not None:
            if inputs:
                raise ProtocolMismatch("request", "Input or Inputs, not both", body, code="DuplicateInputInBatchCall")
            inputs = {single_input: BlobReference.from_wire(fields["Input"], "Input")}
        if fields.get("Output") is not None:
            if outputs:
                raise ProtocolMismatch("request", "Output or Outputs, not both", body, code="InvalidOutputOverrideName")
            outputs = {single_output: BlobReference.from_wire(fields["Output"], "Output")}
        return cls(inputs, outputs, parameters_from_wire(fields.get("GlobalParameters")))


@dataclass(frozen=True)
class JobReport:
    """What a status call answers; `results` is empty until the job has finished."""

    status: JobStatus
    results: Mapping[str, BlobReference] = field(default_factory=dict)
    details: str | None = None

    def result_with(self, extension: str) -> BlobReference | None:
        """Find an output by its extension: the order and names of outputs differ between experiments."""
        return next((r for _, r in sorted(self.results.items()) if r.extension == extension), None)

    def to_wire(self) -> Body:
        """Write `Results` as null unless finished: the key is always there."""
        finished = self.status is JobStatus.FINISHED
        return {
            "StatusCode": self.status.value,
            "Results": {n: r.to_wire() for n, r in self.results.items()} if finished else None,
            "Details": self.details,
        }

    @classmethod
    def from_wire(cls, body: object) -> JobReport:
        """Read an answer with `Results` missing or null, or with the singular `Result` of 2014/15."""
        fields = read_object(body, "job status")
        if "StatusCode" not in fields:
            raise ProtocolMismatch("job status", "a StatusCode", body)
        results = _references(fields, "Results")
        if not results and fields.get("Result") is not None:
            results = {"output1": BlobReference.from_wire(fields["Result"], "Result")}
        details = fields.get("Details")
        return cls(JobStatus.from_wire(fields["StatusCode"]), results, None if details is None else str(details))


def parameters_from_wire(body: object) -> dict[str, str]:
    """Read GlobalParameters; booleans and numbers become text, null values are absent."""
    fields = read_object(body if body is not None else {}, "GlobalParameters")
    return {
        str(name): read_scalar(value, f"GlobalParameters.{name}") for name, value in fields.items() if value is not None
    }


def _references(fields: Mapping[str, Any], key: str) -> dict[str, BlobReference]:
    entries = read_object(fields.get(key) if fields.get(key) is not None else {}, key)
    return {str(n): BlobReference.from_wire(body, f"{key}.{n}") for n, body in entries.items() if body is not None}
