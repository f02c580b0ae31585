"""Loads `function_app.py` and checks each function against its bindings, as the real worker does."""

from __future__ import annotations

import importlib
import inspect
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, UnionType
from typing import Any

import azure.functions as func

from local.host.messages import Source
from local.host.worker.conversion import Parameter, converter, extension_registry, has_implicit_output

_RETURN = "$return"
_IN, _OUT = 0, 1


class IndexingError(Exception):
    """The function app cannot be used; the message names the function and what to change."""

    def __init__(self, function: str, problem: str) -> None:
        super().__init__(f"cannot load the {function} function: {problem}")


@dataclass(frozen=True)
class LoadedFunction:
    """One function, checked; `returns` is None when it must return nothing."""

    name: str
    call: Callable[..., Any]
    inputs: Mapping[str, Parameter]
    outputs: Mapping[str, Parameter]
    returns: Parameter | None
    wants_context: bool
    is_async: bool
    source: Source


def load_app(directory: Path, script: str = "function_app.py") -> dict[str, LoadedFunction]:
    """
    Import the app and index its functions, by name.

    Raises:
        IndexingError: No app, two apps, or a function that does not fit its bindings.
        Exception: Whatever the app's own import raises.
    """
    if not (directory / script).is_file():
        raise FileNotFoundError(f"there is no {script} in {directory}")
    module = importlib.import_module(Path(script).stem)
    return {loaded.name: loaded for loaded in map(_load, _app_in(module).get_functions())}


def _app_in(module: ModuleType) -> func.FunctionRegister:
    apps = [value for value in vars(module).values() if isinstance(value, func.FunctionRegister)]
    if len(apps) != 1:
        raise ValueError(f"{module.__name__}.py must define exactly one top-level FunctionApp; it defines {len(apps)}")
    return apps[0]


def _load(function: Any) -> LoadedFunction:
    name, call = function.get_function_name(), function.get_user_function()
    annotations = typing.get_type_hints(call)
    parameters = set(inspect.signature(call).parameters)
    bindings = {binding.name: binding for binding in function.get_bindings()}
    _check_directions(name, bindings)
    bound = {key: binding for key, binding in bindings.items() if key != _RETURN}
    wants_context = _wants_context(name, parameters, bound, annotations)
    _check_names(name, parameters - ({"context"} if wants_context else set()), set(bound))
    described = {key: _parameter(name, binding, annotations.get(key)) for key, binding in bound.items()}
    inputs = {key: value for key, value in described.items() if bound[key].direction != _OUT}
    return LoadedFunction(
        name=name,
        call=call,
        inputs=inputs,
        outputs={key: value for key, value in described.items() if bound[key].direction == _OUT},
        returns=_returns(name, bindings, annotations),
        wants_context=wants_context,
        is_async=inspect.iscoroutinefunction(call),
        source=Source(name, _raw_bindings(function, inputs), function.get_settings_dict("retry_policy")),
    )


def _check_directions(name: str, bindings: Mapping[str, Any]) -> None:
    for key, binding in bindings.items():
        if binding.direction not in (_IN, _OUT):
            raise IndexingError(name, f"binding '{key}' is declared inout, which is not supported")
        if key == _RETURN and binding.direction != _OUT:
            raise IndexingError(name, "the '$return' binding must be an output")


def _wants_context(name: str, parameters: set[str], bound: Mapping[str, Any], annotations: Mapping[str, Any]) -> bool:
    if "context" not in parameters or "context" in bound:
        return False
    annotation = annotations.get("context", func.Context)
    if getattr(annotation, "__name__", "") != "Context":
        raise IndexingError(name, f"parameter 'context' must be annotated azure.functions.Context, not {annotation!r}")
    return True


def _check_names(name: str, parameters: set[str], bound: set[str]) -> None:
    if parameters - bound:
        raise IndexingError(name, f"no binding is declared for its parameter(s) {_listed(parameters - bound)}")
    if bound - parameters:
        raise IndexingError(name, f"it has no parameter for its binding(s) {_listed(bound - parameters)}")


def _listed(names: set[str]) -> str:
    return ", ".join(f"'{name}'" for name in sorted(names))


def _parameter(name: str, binding: Any, annotation: Any) -> Parameter:
    is_out = annotation is func.Out or typing.get_origin(annotation) is func.Out
    if annotation is not None and is_out != (binding.direction == _OUT):
        raise IndexingError(
            name,
            f"binding '{binding.name}' is an {'output' if binding.direction == _OUT else 'input'}, "
            f"but its parameter is annotated {_shown(annotation)}",
        )
    pytype = _out_type(name, binding, annotation) if is_out else annotation
    is_deferred = _is_sdk_type(pytype)
    kind = "generic" if pytype in (str, bytes) and not has_implicit_output(binding.type) else binding.type
    parameter = Parameter(kind, pytype, is_deferred)
    if annotation is not None and not _fits(parameter, is_output=is_out):
        raise IndexingError(name, f"binding '{binding.name}' ({binding.type}) cannot be {_shown(annotation)}")
    return parameter


def _out_type(name: str, binding: Any, annotation: Any) -> Any:
    arguments = typing.get_args(annotation)
    if len(arguments) != 1:
        raise IndexingError(name, f"binding '{binding.name}' must be annotated with one type, as in func.Out[str]")
    return arguments[0]


def _is_sdk_type(pytype: Any) -> bool:
    registry = extension_registry()
    return registry is not None and registry.check_supported_type(pytype)


def _fits(parameter: Parameter, *, is_output: bool) -> bool:
    """Ask the converter; it takes classes and `typing` generics, and the real worker refuses everything else."""
    pytype = parameter.pytype
    if isinstance(pytype, UnionType) or not (isinstance(pytype, type) or hasattr(pytype, "_name")):
        return False
    chosen = converter(parameter.binding_name, is_deferred=parameter.is_deferred)
    check = chosen.check_output_type_annotation if is_output else chosen.check_input_type_annotation
    try:
        return bool(check(pytype))
    except TypeError:  # the converter expects a class
        return False


def _returns(name: str, bindings: Mapping[str, Any], annotations: Mapping[str, Any]) -> Parameter | None:
    if _RETURN in bindings:
        returned = Parameter(bindings[_RETURN].type, annotations.get("return"))
        if returned.pytype is not None and not _fits(returned, is_output=True):
            raise IndexingError(name, f"{_shown(returned.pytype)} cannot be returned to {returned.binding_name}")
        return returned
    implicit = [binding.type for binding in bindings.values() if has_implicit_output(binding.type)]
    return Parameter(implicit[-1], annotations.get("return")) if implicit else None


def _raw_bindings(function: Any, inputs: Mapping[str, Parameter]) -> tuple[str, ...]:
    if any(parameter.is_deferred for parameter in inputs.values()):
        raw, _ = extension_registry().get_raw_bindings(function, inputs)
        return tuple(raw)
    return tuple(function.get_raw_bindings())


def _shown(annotation: Any) -> str:
    return annotation.__qualname__ if isinstance(annotation, type) else str(annotation)
