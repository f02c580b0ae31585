"""
What to do about a service's refusal, by the protocol's error code. Source: the protocol's table of error codes.

A refusal is met by trying again, by asking for a fresh token, by setting the data aside, or by stopping and calling
a person. A code that the table does not list is judged by its HTTP status.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import timedelta
from enum import Enum

_FIRST_PAUSE = timedelta(seconds=15)
_LONGEST_PAUSE = timedelta(minutes=15)
_FEW = 6  # attempts: about eight minutes, in which a new endpoint's key has spread


class Remedy(Enum):
    """What a refusal calls for."""

    RETRY = "RETRY"  # passes by itself: again, with growing pauses, within the stage's budget
    RETRY_BRIEFLY = "RETRY_BRIEFLY"  # may pass by itself soon, or never
    FRESH_TOKEN = "FRESH_TOKEN"  # noqa: S105 - the token given was no good: one more with a new one
    QUARANTINE = "QUARANTINE"  # the data is at fault: set it aside
    STOP = "STOP"  # configuration or service is at fault: end the run and call a person


_BY_CODE: Mapping[str, Remedy] = {
    code: remedy
    for remedy, codes in {
        Remedy.RETRY: (
            "RequestCanceled", "ScoreRequestTimeout", "InternalError", "InternalErrorSystemLowOnMemory",
            "WebServicePackageInternalError", "ModuleError", "InitializingContainers", "ServiceUnavailable",
            "NoMoreResources", "RequestThrottled", "TooManyConcurrentRequests", "TooManyHostsBeingInitialized",
            "TooManyHostsBeingInitializedPerModel", "BackendInitializationTimeout", "BackendScoreTimeout",
        ),
        Remedy.RETRY_BRIEFLY: (
            "Unauthorized", "AdminRequestUnauthorized", "ManagementRequestUnauthorized", "ScoreRequestUnauthorized",
        ),
        Remedy.FRESH_TOKEN: ("BlobNotFound", "InvalidBlob", "ExpiryTimeInThePast", "ContainerValidationFailed"),
        Remedy.QUARANTINE: (
            "InputMismatchError", "InputParseError", "InvalidBlobExtension", "BlobNameTooLong", "ContainerIsEmpty",
            "DataTypeNotSupported", "InputBlobRelativeLocationInvalid", "LibraryExecutionError",
            "ModuleExecutionError", "TableSchemaColumnCountMismatch",
        ),
        Remedy.STOP: (
            "ModelOutputMetadataMismatch", "OutOfMemoryLimit", "ModelPackageFormatError", "IncompatibleModel",
            "CannotStartJob", "WebServiceNotFound", "WebServiceIdNotFoundInWorkspace", "WorkspaceNotFound",
            "ModelPackageNotFound", "MissingRequiredGlobalParameters", "UnexpectedParameter", "InvalidInputNames",
            "InvalidOutputOverrideName", "FormatError", "RuntimesError", "ValidationError",
        ),
    }.items()
    for code in codes
}  # fmt: skip
_PASSING = frozenset({408, 429, 500, 502, 503, 504})
_ADVICE: Mapping[str, str] = {
    "ModelOutputMetadataMismatch": "the trained model gives other columns than the endpoint promises: publish it anew",
    "OutOfMemoryLimit": "the service ran out of memory: send less data at a time",
    "ManagementRequestUnauthorized": "the key in the app settings is not this endpoint's",
    "ScoreRequestUnauthorized": "the key in the app settings is not this endpoint's",
}


def remedy_of(code: str, status: int | None) -> Remedy:
    """
    Return what a refusal calls for.

    Args:
        code: The protocol's detail code; empty when the answer held none.
        status: HTTP status; None when no answer came, which may pass.
    """
    if code in _BY_CODE:
        return _BY_CODE[code]
    if status is None or status in _PASSING:
        return Remedy.RETRY
    # A good status with a body that cannot be read comes from something in between, or was cut off on its way.
    return Remedy.RETRY_BRIEFLY if status == 401 or status < 300 else Remedy.STOP


def advice(code: str) -> str:
    """Return what a person should do about a code; empty where its own text says enough."""
    return _ADVICE.get(code, "")


def is_given_up(remedy: Remedy, attempts: int) -> bool:
    """Whether so many attempts in a row are enough."""
    return remedy in (Remedy.RETRY_BRIEFLY, Remedy.FRESH_TOKEN) and attempts >= _FEW


def pause_after(attempts: int, run_id: str, first: timedelta = _FIRST_PAUSE) -> timedelta:
    """
    Return how long to leave a run alone after so many attempts in a row: doubled each time, up to 15 minutes.

    Up to a quarter is taken off by the run's name, so that runs that failed together do not come back together.
    """
    whole = min(first * float(2 ** min(attempts - 1, 20)), _LONGEST_PAUSE)
    share = hashlib.sha256(f"{run_id} {attempts}".encode()).digest()[0] / 255
    return whole * (1 - share / 4)
