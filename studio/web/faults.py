"""The one renderer: any exception into an HTTP status and the protocol's error body."""

from __future__ import annotations

import logging

import orjson
from starlette.exceptions import HTTPException

from shared.wire import Fault
from studio.errors import InternalError, MethodNotAllowed, NotFound, StudioError, Unavailable

_log = logging.getLogger(__name__)

_STATUS = {
    "BadArgument": 400,
    "BadUserArgument": 400,
    "InvalidOperation": 400,
    "Unauthorized": 401,
    "Forbidden": 403,
    "NotFound": 404,
    "MethodNotAllowed": 405,
    "RequestTimeout": 408,
    "Conflict": 409,
    "MemoryQuotaViolation": 413,
    "InternalError": 500,
    "ModelPackageFormatError": 500,
    "InitializingContainers": 503,
    "ServiceUnavailable": 503,
}


def rendered(error: Exception) -> tuple[int, bytes]:
    """Return status and body for an exception; one that nobody foresaw is logged here, once."""
    known = _known(error)
    fault = Fault(known.code, known.summary, ((known.detail, known.sentence),))
    return _STATUS[known.code], orjson.dumps(fault.to_wire())


def _known(error: Exception) -> StudioError:
    if isinstance(error, StudioError):
        return error
    if isinstance(error, HTTPException):
        if error.status_code == 405:
            return MethodNotAllowed("MethodNotAllowed", "docs/protocol.md lists which methods an address answers")
        return NotFound("WebServiceNotFound", "no such address; docs/protocol.md lists those that are answered")
    from azure.core.exceptions import AzureError  # costs a scoring process a third of its start

    if isinstance(error, AzureError):
        _log.warning("storage.failed %s", type(error).__name__)
        return Unavailable("NoMoreResources", "the service's storage does not answer; try again")
    _log.error("request.broken", exc_info=error)
    return InternalError(
        "UnknownError", "an error that nobody foresaw; the service's log holds it under this request id"
    )
