"""What an endpoint's help pages say, as plain values; how it looks is the templates' matter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shared.secret import Secret
from shared.wire import (
    BlobReference,
    Body,
    JobReport,
    JobRequest,
    JobStatus,
    Resource,
    resource_update,
)
from studio.batch.job_ports import INPUT_EXTENSIONS, job_ports
from studio.engine.experiment import Experiment
from studio.engine.scored_columns import SCORED_LABELS
from studio.services.addresses import Addresses
from studio.serving.registry import Served
from studio.serving.scoring import OUTPUT_NAME, output_columns
from studio.web.help.json_text import json_text
from studio.web.help.samples import samples

Content = Mapping[str, Any]
Columns = Sequence[tuple[str, str]]

_SAMPLE_CELLS = {"Int32": "0", "Double": "0", "Boolean": "true"}
_SAMPLE_CONNECTION = "DefaultEndpointsProtocol=https;AccountName=mystorage;AccountKey=****"
_SAMPLE_TOKEN = Secret("?sv=…&sr=b&sig=…&se=…&sp=r")


def every_page(served: Served, addresses: Addresses) -> Content:
    """Give what all pages show."""
    endpoint = served.endpoint
    return {
        "service": served.service,
        "endpoint": endpoint,
        "scores": bool(served.service.resource),
        "api": addresses.api(endpoint),
        "api_path": f"workspaces/{endpoint.workspace}/services/{endpoint.id}",
        "management": addresses.management(endpoint),
    }


def scoring_page(served: Served, experiment: Experiment, addresses: Addresses) -> Content:
    """Give request, answer and columns of a scoring call, with one row of plausible cells."""
    if not served.service.resource:
        return {}
    inputs, outputs = _inputs(experiment), output_columns(served)
    parameters, known = served.service.score.parameters.defaults, _known_cells(served)
    row = _row(inputs, known)
    table = {"ColumnNames": [name for name, _ in inputs], "Values": [row]}
    request = {"Inputs": {experiment.input_name: table}, "GlobalParameters": _given(parameters)}
    url = f"{addresses.api(served.endpoint)}/execute?api-version=2.0&details=true"
    return {
        "input": experiment.input_name,
        "label": experiment.label,
        "inputs": inputs,
        "outputs": outputs,
        "row": row,
        "parameters": list(parameters.items()),
        "request": json_text(request),
        "answer": json_text(_scoring_answer(outputs, known)),
        "samples": samples("score", url, request),
    }


def jobs_page(served: Served, experiment: Experiment, addresses: Addresses) -> Content:
    """Give ports, parameters and bodies of batch execution."""
    ports = job_ports(served.service.kind, experiment)
    outputs = [(name, port.what, ", ".join(port.extensions)) for name, port in ports.outputs.items()]
    places = {name: f"container/{name}{port.extensions[0]}" for name, port in ports.outputs.items()}
    parameters = ports.parameters.defaults
    inputs = {experiment.input_name: _blob("container/data.csv")}
    request = _without_nulls(JobRequest(inputs, _blobs(places), _given(parameters)))
    return {
        "input": experiment.input_name,
        "label": experiment.label,
        "inputs": _inputs(experiment),
        "ports": [(experiment.input_name, "Data", ", ".join(INPUT_EXTENSIONS)), *outputs],
        "parameters": list(parameters.items()),
        "request": json_text(request),
        "status": json_text(_finished(places)),
        "samples": samples("jobs", f"{addresses.api(served.endpoint)}/jobs", request),
    }


def update_page(served: Served, experiment: Experiment, addresses: Addresses) -> Content:
    """Give the updatable resource, if there is one, and the body that replaces it."""
    endpoint, resource = served.endpoint, served.service.resource
    address = addresses.management(endpoint)
    if not resource or endpoint.prevent_update:
        return {"resource": "", "endpoints_address": address.rpartition("/")[0]}
    location = BlobReference("container/model.ilearner", "https://mystorage.blob.core.windows.net/", _SAMPLE_TOKEN)
    request = resource_update([Resource(resource, location)])
    for entry in request["Resources"]:
        del entry["Location"]["ConnectionString"]
    return {"resource": resource, "request": json_text(request), "samples": samples("update", address, request)}


def _given(parameters: Mapping[str, str | None]) -> dict[str, str]:
    """Give each web service parameter its default, or a text to be replaced."""
    return {name: "…" if default is None else default for name, default in parameters.items()}


def _inputs(experiment: Experiment) -> Columns:
    return [(name, kind.wire_name) for name, kind in experiment.columns.items()]


def _known_cells(served: Served) -> Mapping[str, str]:
    """Give texts that the endpoint's model knows: a level of each categorical column, and its labels."""
    if served.scorer is None:
        return {}
    model = served.scorer.model
    levels = {name: next(filter(None, levels), "value") for name, levels in model.levels.items()}
    labels = {model.schema.label: model.classes[0], SCORED_LABELS: model.classes[-1]} if model.classes else {}
    return {**levels, **labels}


def _row(columns: Columns, known: Mapping[str, str]) -> list[str]:
    return [known.get(name) or _SAMPLE_CELLS.get(kind, "value") for name, kind in columns]


def _scoring_answer(outputs: Columns, known: Mapping[str, str]) -> Body:
    names, types = [name for name, _ in outputs], [kind for _, kind in outputs]
    value = {"ColumnNames": names, "ColumnTypes": types, "Values": [_row(outputs, known)]}
    return {"Results": {OUTPUT_NAME: {"type": "table", "value": value}}}


def _blob(place: str) -> BlobReference:
    return BlobReference(place, connection=Secret(_SAMPLE_CONNECTION))


def _blobs(places: Mapping[str, str]) -> dict[str, BlobReference]:
    return {name: _blob(place) for name, place in places.items()}


def _finished(places: Mapping[str, str]) -> Body:
    base = "https://mystorage.blob.core.windows.net/"
    results = {name: BlobReference(place, base, _SAMPLE_TOKEN) for name, place in places.items()}
    return JobReport(JobStatus.FINISHED, results).to_wire()


def _without_nulls(request: JobRequest) -> Body:
    body = request.to_wire()
    for references in (body["Inputs"], body["Outputs"]):
        for name, reference in references.items():
            references[name] = {key: value for key, value in reference.items() if value is not None}
    return body
