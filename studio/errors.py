"""
Every error that the service raises on purpose. Each holds the protocol's two codes; only `studio/web` knows HTTP.

    StudioError
    ├── BadArgument           the request cannot be understood or refers to something unusable
    ├── BadUserArgument       the rows to score do not fit the model's columns
    ├── InvalidOperation      the request is fine, the state it meets is not
    ├── Unauthorized          no key, or a key that does not open this
    ├── Forbidden             the key is good, the operation is refused for everybody
    ├── NotFound              no such workspace, web service, endpoint or job
    ├── MethodNotAllowed      the address exists, the verb does not
    ├── RequestTimeout        the body took too long
    ├── Conflict              the model does not fit the endpoint
    ├── QuotaExceeded         the body is larger than the service reads
    ├── BadModel              the endpoint's model is there and cannot be used
    ├── Initializing          what will answer is being made ready
    ├── Unavailable           may pass if tried later
    └── InternalError         a promise was not kept

Source of the codes: docs/protocol.md, "Errors".
"""

from __future__ import annotations

# What is wrong with a web service parameter, by Studio's module error number.
PARAMETER_DETAILS = {2: "UnexpectedParameter", 3: "MissingRequiredGlobalParameters", 8: "UserParameterInvalid"}


class StudioError(Exception):
    """The root: `code` and `summary` are the class's, `detail` names the case, the text says what to do."""

    code = "InternalError"
    summary = "The service could not complete the request."

    def __init__(self, detail: str, sentence: str) -> None:
        self.detail = detail
        self.sentence = sentence
        super().__init__(f"{self.code}/{detail}: {sentence}")


class BadArgument(StudioError):
    """The request cannot be understood, or refers to something that cannot be used."""

    code = "BadArgument"
    summary = "Invalid argument provided."


class BadUserArgument(StudioError):
    """The rows to score do not fit the model's columns."""

    code = "BadUserArgument"
    summary = "Invalid argument provided."


class InvalidOperation(StudioError):
    """The request is fine, but the state that it meets is not."""

    code = "InvalidOperation"
    summary = "The request is invalid in the current state."


class Unauthorized(StudioError):
    """No key came with the request, or one that does not open this."""

    code = "Unauthorized"
    summary = "Unauthorized access is requested."


class Forbidden(StudioError):
    """The key is good; the operation is refused for everybody."""

    code = "Forbidden"
    summary = "The operation is not permitted."


class NotFound(StudioError):
    """No such workspace, web service, endpoint or job."""

    code = "NotFound"
    summary = "Resource not found."


class MethodNotAllowed(StudioError):
    """The address exists, the verb does not."""

    code = "MethodNotAllowed"
    summary = "The address does not answer this method."


class RequestTimeout(StudioError):
    """The request was not here whole in time."""

    code = "RequestTimeout"
    summary = "The request took too long."


class Conflict(StudioError):
    """The model does not fit the endpoint."""

    code = "Conflict"
    summary = "The update conflicts with the endpoint."


class QuotaExceeded(StudioError):
    """The body is larger than the service reads."""

    code = "MemoryQuotaViolation"
    summary = "The request is too large."


class Initializing(StudioError):
    """What will answer is being made ready."""

    code = "InitializingContainers"
    summary = "The endpoint is being made ready."


class BadModel(StudioError):
    """The endpoint's model is there and cannot be used."""

    code = "ModelPackageFormatError"
    summary = "The model package is not in a known format."


class Unavailable(StudioError):
    """The request may pass if it is tried later."""

    code = "ServiceUnavailable"
    summary = "The service is temporarily unavailable."


class InternalError(StudioError):
    """A promise was not kept."""
