"""A batch request as submitted: read leniently, checked against the experiment's ports before anything is stored."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping

from shared.errors import ProtocolMismatch
from shared.wire import MODEL_EXTENSION, BlobReference, JobRequest
from studio.blob_access import BlobAccess, BlobFault
from studio.engine.errors import ModuleError
from studio.engine.experiment import Experiment
from studio.errors import BadArgument
from studio.store.account import DEFAULT_OUTPUT_CONTAINER

INPUT_EXTENSIONS = (".csv", ".tsv", ".nh.csv", ".nh.tsv")
DATASET_OUTPUT_EXTENSIONS = (".csv", ".tsv", ".arff")


def read_submission(body: object, experiment: Experiment, blobs: BlobAccess) -> JobRequest:
    """
    Read any generation of the body and complete it: every output of the experiment has a place in the result.

    Args:
        body: The parsed JSON; None when the request had no body.

    Raises:
        BadArgument: What is wrong with which part, under the protocol's detail code.
    """
    try:
        request = JobRequest.from_wire(body, single_input=experiment.input_name, single_output=experiment.model_output)
    except ProtocolMismatch as error:
        raise BadArgument(error.code, f"{error.where}: expected {error.expected}, got {error.got}") from None
    _check_input(request.inputs, experiment, blobs)
    outputs = _outputs(request.outputs, experiment, blobs)
    return JobRequest(request.inputs, outputs, _parameters(request.parameters, experiment))


def _check_input(inputs: Mapping[str, BlobReference], experiment: Experiment, blobs: BlobAccess) -> None:
    name = experiment.input_name
    unknown = sorted(set(inputs) - {name})
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


def _outputs(named: Mapping[str, BlobReference], experiment: Experiment, blobs: BlobAccess) -> dict[str, BlobReference]:
    accepted = {
        experiment.model_output: (MODEL_EXTENSION,),
        experiment.metrics_output: DATASET_OUTPUT_EXTENSIONS,
    }
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


def _parameters(given: Mapping[str, str], experiment: Experiment) -> dict[str, str]:
    unknown = sorted(set(given) - set(experiment.parameters))
    if unknown:
        known = _listed(experiment.parameters) or "none"
        raise BadArgument("UnexpectedParameter", f"no parameter is named {_listed(unknown)}; there are: {known}")
    missing = sorted(experiment.required - given.keys())
    if missing:
        raise BadArgument("MissingRequiredGlobalParameters", f"GlobalParameters lacks {_listed(missing)}")
    try:
        experiment.with_parameters(given)
    except ModuleError as error:
        raise BadArgument("UserParameterInvalid", error.problem) from None
    return dict(given)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)
