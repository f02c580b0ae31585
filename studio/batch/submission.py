"""A batch request as submitted: read leniently, checked against the web service's ports before anything is stored."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping

from shared.errors import ProtocolMismatch
from shared.wire import BlobReference, JobRequest
from studio.batch.job_ports import INPUT_EXTENSIONS, JobPorts
from studio.blobs.blob_access import BlobAccess, BlobFault
from studio.engine.errors import ModuleError
from studio.errors import PARAMETER_DETAILS, BadArgument, InvalidOperation
from studio.store.account import DEFAULT_OUTPUT_CONTAINER


def read_submission(body: object, ports: JobPorts, blobs: BlobAccess) -> JobRequest:
    """
    Read any generation of the body and complete it: every output of the web service has a place in the result.

    Args:
        body: The parsed JSON; None when the request had no body.

    Raises:
        BadArgument: What is wrong with which part, under the protocol's detail code.
        InvalidOperation: MultipleInputsNotAllowed.
    """
    _refuse_several_under_one(body)
    try:
        request = JobRequest.from_wire(body, single_input=ports.input_name, single_output=ports.first_output)
    except ProtocolMismatch as error:
        raise BadArgument(error.code, f"{error.where}: expected {error.expected}, got {error.got}") from None
    _check_input(request.inputs, ports.input_name, blobs)
    outputs = _outputs(request.outputs, ports, blobs)
    _refuse_one_blob_for_two(request, blobs)
    try:
        ports.parameters.read(request.parameters)
    except ModuleError as error:
        raise BadArgument(PARAMETER_DETAILS[error.number], error.problem) from None
    return JobRequest(request.inputs, outputs, request.parameters)


def _refuse_several_under_one(body: object) -> None:
    """The singular `Input` of older bodies names one blob: a list of them, or a mapping, belongs into `Inputs`."""
    single = body.get("Input") if isinstance(body, dict) else None
    several = [*single.values()] if isinstance(single, dict) else single
    if isinstance(several, list) and len(several) > 1 and all(isinstance(one, dict) for one in several):
        raise InvalidOperation("MultipleInputsNotAllowed", "Input names one blob; name several under Inputs, by name")


def _check_input(inputs: Mapping[str, BlobReference], name: str, blobs: BlobAccess) -> None:
    unknown = sorted(set(inputs) - {name})
    if unknown and name in inputs:
        raise BadArgument(
            "BatchJobInputsTooManySpecified", f"the web service has one input, '{name}'; leave out {_listed(unknown)}"
        )
    if unknown:
        raise BadArgument("InvalidInputNames", f"no input is named {_listed(unknown)}; the input is '{name}'")
    if name not in inputs:
        raise BadArgument("BatchJobInputsNotSpecified", f"Inputs.{name} is missing: name the blob with the data")
    reference = inputs[name]
    if reference.connection is None and reference.base_location is None:
        raise BadArgument(
            "MissingInputBlobInformation",
            f"Inputs.{name} needs a ConnectionString, or a BaseLocation with a SasBlobToken",
        )
    _check_reference(reference, f"Inputs.{name}", blobs)
    _check_extension(reference, INPUT_EXTENSIONS, "input")


def _outputs(named: Mapping[str, BlobReference], ports: JobPorts, blobs: BlobAccess) -> dict[str, BlobReference]:
    accepted = {name: port.extensions for name, port in ports.outputs.items()}
    unknown = sorted(set(named) - set(accepted))
    if unknown:
        raise BadArgument(
            "InvalidOutputOverrideName", f"no output is named {_listed(unknown)}; there are {_listed(accepted)}"
        )
    for name, reference in named.items():
        if reference.connection is None and reference.base_location is None:
            raise BadArgument(
                "MissingOutputOverrideSpecification",
                f"Outputs.{name} needs a ConnectionString, or a BaseLocation with a SasBlobToken",
            )
        _check_reference(reference, f"Outputs.{name}", blobs)
        _check_extension(reference, accepted[name], "output")
    return {name: named.get(name) or _default_place(extensions[0]) for name, extensions in accepted.items()}


def _refuse_one_blob_for_two(request: JobRequest, blobs: BlobAccess) -> None:
    """Of two outputs in one blob one would be lost, and with an output in the input's a job could not be repeated."""
    seen: dict[object, str] = {}
    for kind, references in (("Inputs", request.inputs), ("Outputs", request.outputs)):
        for name, reference in references.items():
            where, place = f"{kind}.{name}", blobs.place(reference)
            if place in seen:
                raise BadArgument(
                    "InvalidBlob",
                    f"{where}: '{reference.relative_location}' is the blob of {seen[place]} too; give each its own",
                )
            seen[place] = where


def _default_place(extension: str) -> BlobReference:
    return BlobReference(f"{DEFAULT_OUTPUT_CONTAINER}/{uuid.uuid4()}/{uuid.uuid4()}{extension}")


def _check_reference(reference: BlobReference, where: str, blobs: BlobAccess) -> None:
    try:
        blobs.check(reference)
    except BlobFault as fault:
        raise BadArgument(fault.detail, f"{where}: {fault}") from None


def _check_extension(reference: BlobReference, accepted: tuple[str, ...], direction: str) -> None:
    if reference.relative_location.lower().endswith(accepted):
        return
    raise BadArgument(
        "InvalidBlobExtension",
        f"The blob reference: {reference.relative_location} has an invalid or missing file extension. "
        f'Supported file extensions for this {direction} type are: "{", ".join(accepted)}".',
    )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)
