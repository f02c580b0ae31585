"""
The classic protocol's bodies, written once for the client in `shared/` and the service in `studio/`.

Records here use our words; the wire's CamelCase appears only in `to_wire` and `from_wire`, which read leniently (null
is absent) and write exactly. No I/O. Source of every shape: docs/protocol.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any
from urllib.parse import quote

from shared.errors import ProtocolMismatch
from shared.secret import Secret

Cell = str | None
Body = dict[str, Any]

DATASET_EXTENSIONS = (".nh.csv", ".nh.tsv", ".csv", ".tsv", ".arff")
MODEL_EXTENSION = ".ilearner"


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
        if text.isdigit():
            return _CODES[int(text)] if int(text) < len(_CODES) else cls.UNKNOWN
        names = {status.value.lower(): status for status in _CODES} | {"canceled": cls.CANCELLED}
        return names.get(text.lower(), cls.UNKNOWN)


_CODES = (JobStatus.NOT_STARTED, JobStatus.RUNNING, JobStatus.FAILED, JobStatus.CANCELLED, JobStatus.FINISHED)


@dataclass(frozen=True)
class BlobReference:
    """
    A blob named by account key (`connection`) or by shared access signature (`base_location` + `sas_token`).

    `relative_location` is `container/path/name.ext` without a leading slash; `base_location` ends in `/`;
    `sas_token` starts with `?`.
    """

    relative_location: str
    base_location: str | None = None
    sas_token: Secret | None = None
    connection: Secret | None = None

    @property
    def container(self) -> str:
        """The first segment of the location."""
        return self.relative_location.partition("/")[0]

    @property
    def blob_name(self) -> str:
        """The location below the container."""
        return self.relative_location.partition("/")[2]

    @property
    def extension(self) -> str:
        """`.csv`, `.nh.csv`, `.ilearner`, … in lower case; empty when the protocol knows none such."""
        name = self.relative_location.lower()
        return next((e for e in (*DATASET_EXTENSIONS, MODEL_EXTENSION) if name.endswith(e)), "")

    def signed_url(self) -> Secret:
        """Return the address with its token, ready to GET; a secret, since the token opens the blob."""
        if not self.base_location:
            raise ProtocolMismatch("blob reference", "BaseLocation and SasBlobToken", self.relative_location)
        token = self.sas_token.reveal() if self.sas_token else ""
        return Secret(f"{self.base_location.rstrip('/')}/{quote(self.relative_location)}{token}")

    def to_wire(self) -> Body:
        """Write all four fields, absent ones as null."""
        return {
            "ConnectionString": self.connection.reveal() if self.connection else None,
            "RelativeLocation": self.relative_location,
            "BaseLocation": self.base_location,
            "SasBlobToken": self.sas_token.reveal() if self.sas_token else None,
        }

    @classmethod
    def from_wire(cls, body: object, where: str) -> BlobReference:
        """Read a reference; a leading slash of RelativeLocation is normal and dropped."""
        fields = _object(body, where)
        relative = _text(fields, "RelativeLocation", where, code="InputBlobRelativeLocationInvalid").lstrip("/")
        base = _optional_text(fields, "BaseLocation", where)
        sas = _optional_text(fields, "SasBlobToken", where)
        connection = _optional_text(fields, "ConnectionString", where)
        return cls(
            relative_location=relative,
            base_location=f"{base.rstrip('/')}/" if base else None,
            sas_token=Secret(sas if sas.startswith("?") else f"?{sas}") if sas else None,
            connection=Secret(connection) if connection else None,
        )


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
        fields = _object(body if body is not None else {}, "request")
        inputs = _references(fields, "Inputs")
        outputs = _references(fields, "Outputs")
        if fields.get("Input") is not None:
            if inputs:
                raise ProtocolMismatch("request", "Input or Inputs, not both", body, code="DuplicateInputInBatchCall")
            inputs = {single_input: BlobReference.from_wire(fields["Input"], "Input")}
        if fields.get("Output") is not None and not outputs:
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
        fields = _object(body, "job status")
        if "StatusCode" not in fields:
            raise ProtocolMismatch("job status", "a StatusCode", body)
        results = _references(fields, "Results")
        if not results and fields.get("Result") is not None:
            results = {"output1": BlobReference.from_wire(fields["Result"], "Result")}
        details = fields.get("Details")
        return cls(JobStatus.from_wire(fields["StatusCode"]), results, None if details is None else str(details))


@dataclass(frozen=True)
class Table:
    """Rows under named columns; every cell is text, or None where it is missing."""

    columns: tuple[str, ...]
    rows: Sequence[Sequence[Cell]]
    types: tuple[str, ...] = ()

    def column(self, name: str) -> list[Cell]:
        """Return one column's cells in row order."""
        if name not in self.columns:
            raise ProtocolMismatch("table", f"a column '{name}' among {list(self.columns)}", None)
        at = self.columns.index(name)
        return [row[at] for row in self.rows]


def scoring_request(table: Table, *, input_name: str = "input1", parameters: Mapping[str, str] | None = None) -> Body:
    """Write the table form of a scoring call."""
    inputs = {input_name: {"ColumnNames": list(table.columns), "Values": [list(row) for row in table.rows]}}
    return {"Inputs": inputs, "GlobalParameters": dict(parameters or {})}


def scoring_answer(body: object, output_name: str | None = None) -> Table:
    """
    Read the answer to a scoring call made with `details=true`.

    Args:
        output_name: The output to read; the only one when None.
    """
    results = _object(_object(body, "scoring answer").get("Results"), "Results")
    if output_name is None and len(results) != 1:
        raise ProtocolMismatch("Results", "exactly one output", results)
    name = output_name or next(iter(results))
    value = _object(_object(results.get(name), f"Results.{name}").get("value"), f"Results.{name}.value")
    names, types, rows = value.get("ColumnNames"), value.get("ColumnTypes"), value.get("Values")
    if not isinstance(names, list) or not isinstance(rows, list):
        raise ProtocolMismatch(f"Results.{name}.value", "ColumnNames and Values", value)
    if any(not isinstance(row, list) or len(row) != len(names) for row in rows):
        raise ProtocolMismatch(f"Results.{name}.value.Values", f"rows of {len(names)} cells", rows)
    return Table(tuple(map(str, names)), rows, tuple(map(str, types)) if isinstance(types, list) else ())


@dataclass(frozen=True)
class Resource:
    """A saved model of an endpoint that can be replaced; `location` is where its bytes are."""

    name: str
    location: BlobReference
    kind: str = "Trained model"

    def to_wire(self) -> Body:
        """Write the form of an endpoint's `Resources` entry."""
        return {"Name": self.name, "Kind": self.kind, "Location": self.location.to_wire()}

    @classmethod
    def from_wire(cls, body: object, where: str) -> Resource:
        """Read one entry of `Resources`."""
        fields = _object(body, where)
        location = BlobReference.from_wire(fields.get("Location"), f"{where}.Location")
        return cls(_text(fields, "Name", where), location, str(fields.get("Kind") or "Trained model"))


def resource_update(resources: Sequence[Resource]) -> Body:
    """Write the body of the PATCH that gives an endpoint other models."""
    return {"Resources": [{"Name": r.name, "Location": r.location.to_wire()} for r in resources]}


@dataclass(frozen=True)
class Endpoint:
    """What endpoint management says of one endpoint."""

    name: str
    endpoint_id: str
    web_service_id: str
    workspace_id: str
    api_location: str
    help_location: str
    primary_key: Secret
    secondary_key: Secret
    prevent_update: bool
    description: str = ""
    created_at: str = ""
    max_concurrent_calls: int = 4
    throttle_level: str = "Low"
    diagnostics_level: str = "None"
    version: str = ""
    resources: tuple[Resource, ...] = ()

    def to_wire(self) -> Body:
        """Write the fields in the order that was recorded."""
        return {
            "Name": self.name,
            "Description": self.description,
            "CreationTime": self.created_at,
            "WorkspaceId": self.workspace_id,
            "WebServiceId": self.web_service_id,
            "HelpLocation": self.help_location,
            "PrimaryKey": self.primary_key.reveal(),
            "SecondaryKey": self.secondary_key.reveal(),
            "ApiLocation": self.api_location,
            "PreventUpdate": self.prevent_update,
            "MaxConcurrentCalls": self.max_concurrent_calls,
            "DiagnosticsTraceLevel": self.diagnostics_level,
            "ThrottleLevel": self.throttle_level,
            "Version": self.version,
            "SampleDataEnabled": False,
            "ExperimentLocation": None,
            "Resources": [resource.to_wire() for resource in self.resources],
        }

    @classmethod
    def from_wire(cls, body: object) -> Endpoint:
        """Read an endpoint; only its name and ApiLocation are required."""
        fields = _object(body, "endpoint")
        api = _text(fields, "ApiLocation", "endpoint").rstrip("/")
        resources = fields.get("Resources") or []
        if not isinstance(resources, list):
            raise ProtocolMismatch("endpoint.Resources", "a list", resources)
        return cls(
            name=_text(fields, "Name", "endpoint"),
            endpoint_id=api.rpartition("/")[2],
            web_service_id=str(fields.get("WebServiceId") or ""),
            workspace_id=str(fields.get("WorkspaceId") or ""),
            api_location=api,
            help_location=str(fields.get("HelpLocation") or ""),
            primary_key=Secret(str(fields.get("PrimaryKey") or "")),
            secondary_key=Secret(str(fields.get("SecondaryKey") or "")),
            prevent_update=bool(fields.get("PreventUpdate")),
            description=str(fields.get("Description") or ""),
            created_at=str(fields.get("CreationTime") or ""),
            max_concurrent_calls=int(fields.get("MaxConcurrentCalls") or 4),
            throttle_level=str(fields.get("ThrottleLevel") or "Low"),
            diagnostics_level=str(fields.get("DiagnosticsTraceLevel") or "None"),
            version=str(fields.get("Version") or ""),
            resources=tuple(Resource.from_wire(r, f"Resources[{i}]") for i, r in enumerate(resources)),
        )


@dataclass(frozen=True)
class Fault:
    """The protocol's error body; `details` is never empty on the wire."""

    code: str
    message: str
    details: tuple[tuple[str, str], ...] = ()

    def to_wire(self) -> Body:
        """Write `{"error": {code, message, details: [{code, message}]}}`."""
        details = self.details or ((self.code, self.message),)
        return {
            "error": {
                "code": self.code,
                "message": self.message,
                "details": [{"code": code, "message": message} for code, message in details],
            }
        }

    @classmethod
    def from_wire(cls, body: object) -> Fault:
        """Read an error body; anything shaped otherwise becomes a fault that says so."""
        error = body.get("error") if isinstance(body, dict) else None
        if not isinstance(error, dict):
            return cls("", "the answer holds no error body of the protocol")
        raw = error.get("details") or []
        pairs = tuple((str(d.get("code") or ""), str(d.get("message") or "")) for d in raw if isinstance(d, dict))
        return cls(str(error.get("code") or ""), str(error.get("message") or ""), pairs)

    @property
    def detail_code(self) -> str:
        """The first detail's code, which is the specific one; else the general code."""
        return self.details[0][0] if self.details and self.details[0][0] else self.code

    def sentence(self) -> str:
        """Join message and details for a person."""
        return " ".join(part for part in (self.message, *(text for _, text in self.details)) if part)


def parameters_from_wire(body: object) -> dict[str, str]:
    """Read GlobalParameters; booleans and numbers become text, null values are absent."""
    fields = _object(body if body is not None else {}, "GlobalParameters")
    return {
        str(name): _scalar(value, f"GlobalParameters.{name}") for name, value in fields.items() if value is not None
    }


def _scalar(value: object, where: str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise ProtocolMismatch(where, "a text, number or boolean", value)


def _object(body: object, where: str) -> Mapping[str, Any]:
    if not isinstance(body, dict):
        raise ProtocolMismatch(where, "an object", body)
    return body


def _references(fields: Mapping[str, Any], key: str) -> dict[str, BlobReference]:
    entries = _object(fields.get(key) if fields.get(key) is not None else {}, key)
    return {str(n): BlobReference.from_wire(body, f"{key}.{n}") for n, body in entries.items() if body is not None}


def _text(fields: Mapping[str, Any], key: str, where: str, *, code: str = "RequestBodyInvalid") -> str:
    value = fields.get(key)
    if not isinstance(value, str) or not value.strip("/ "):
        raise ProtocolMismatch(f"{where}.{key}", "a non-empty text", value, code=code)
    return value


def _optional_text(fields: Mapping[str, Any], key: str, where: str) -> str:
    value = fields.get(key)
    if value is not None and not isinstance(value, str):
        raise ProtocolMismatch(f"{where}.{key}", "a text", value)
    return value or ""
