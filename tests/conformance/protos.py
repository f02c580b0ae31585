"""
The messages of Azure Functions' gRPC contract that Microsoft's worker library touches, as plain classes.

The library is handed this module in place of the generated one.
"""

from __future__ import annotations

from typing import Any


class _Message:
    """Holds whatever it is given; what it is not given is None."""

    def __init__(self, **fields: Any) -> None:
        self.__dict__.update(fields)

    def __getattr__(self, name: str) -> None:
        if name.startswith("__") or name[0].isupper():  # fields are in lower case; the library probes for a class
            raise AttributeError(name)


class _OneOf(_Message):
    """A message of which one field is set."""

    def WhichOneof(self, group: str) -> str | None:
        return next((name for name in self.__dict__ if name != "name"), None)


class BindingInfo(_Message):
    undefined, string, binary, stream = 0, 1, 2, 3
    out, inout = 1, 2


setattr(BindingInfo, "in", 0)


class StatusResult(_Message):
    Failure, Success, Cancelled = 0, 1, 2


class TypedData(_OneOf): ...


class ParameterBinding(_OneOf): ...


class RpcHttp(_Message): ...


class RpcException(_Message): ...


class RpcRetryOptions(_Message): ...


class RpcFunctionMetadata(_Message): ...


class WorkerMetadata(_Message): ...


class WorkerInitResponse(_Message): ...


class FunctionMetadataResponse(_Message): ...


class FunctionLoadResponse(_Message): ...


class InvocationResponse(_Message): ...


class NullableString(_Message): ...


class NullableBool(_Message): ...


class NullableDouble(_Message): ...


class NullableTimestamp(_Message): ...


class Timestamp(_Message): ...


class RpcHttpCookie(_Message):
    class SameSite:
        Lax, Strict, ExplicitNone = 1, 2, 3


setattr(RpcHttpCookie.SameSite, "None", 0)
