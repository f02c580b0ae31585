"""Function definitions: what the host knows of a function, read from the raw bindings that the worker sends."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local.host.errors import FunctionError, SettingsError
from local.host.host_json import time_span_s
from local.host.listeners.path_pattern import PathPattern
from local.host.listeners.schedule import Schedule
from local.host.messages import Source
from local.host.settings import Settings
from local.host.web.route_template import RouteTemplate

_FUNCTION_NAME = re.compile(r"(?!host$)[a-z][a-z0-9_-]{0,127}", re.IGNORECASE)
_QUEUE_NAME = re.compile(r"(?=.{3,63}$)[a-z0-9]+(-[a-z0-9]+)*")
_AUTH_LEVELS = ("anonymous", "function", "admin")


@dataclass(frozen=True)
class QueueTrigger:
    """Runs for each message of a queue; `connection` is a connection string."""

    name: str
    queue: str
    connection: str


@dataclass(frozen=True)
class BlobTrigger:
    """Runs for each new or changed blob; `connection_name` is what an SDK-type binding is told."""

    name: str
    path: PathPattern
    connection: str
    connection_name: str
    is_event_grid: bool
    is_binary: bool
    is_deferred: bool


@dataclass(frozen=True)
class TimerTrigger:
    """Runs on a schedule."""

    name: str
    schedule: Schedule
    use_monitor: bool
    run_on_startup: bool


@dataclass(frozen=True)
class HttpTrigger:
    """Runs for requests; `methods` is empty when every method is served."""

    name: str
    route: RouteTemplate
    methods: frozenset[str]
    auth_level: str


Trigger = QueueTrigger | BlobTrigger | TimerTrigger | HttpTrigger


@dataclass(frozen=True)
class QueueOutput:
    """A queue that an output goes to."""

    queue: str
    connection: str


@dataclass(frozen=True)
class RetryPolicy:
    """How often a failed timer run is repeated; `limit` is -1 for ever, delays are in seconds."""

    limit: int
    is_exponential: bool
    shortest_s: float
    longest_s: float

    def delay_s(self, attempt: int) -> float:
        """Pause after attempt number `attempt`, from 0."""
        return min(self.longest_s, self.shortest_s * 2.0**attempt) if self.is_exponential else self.shortest_s


@dataclass(frozen=True)
class FunctionDefinition:
    """One function with one trigger; `outputs` are the queue outputs by binding name."""

    name: str
    trigger: Trigger
    outputs: Mapping[str, QueueOutput]
    retry: RetryPolicy | None
    is_disabled: bool
    raw_bindings: tuple[Mapping[str, Any], ...]

    @property
    def full_name(self) -> str:
        """Its name in storage paths, locks and event addresses."""
        return f"Host.Functions.{self.name}"


def define(source: Source, settings: Settings) -> FunctionDefinition:
    """
    Read one function.

    Raises:
        FunctionError: A name, setting, schedule, route or binding is not usable.
    """
    raw = tuple(json.loads(text) for text in source.raw_bindings)
    try:
        return _definition(source, raw, settings)
    except (SettingsError, ValueError) as error:
        raise FunctionError(source.name, str(error)) from error


def _definition(source: Source, raw: tuple[dict[str, Any], ...], settings: Settings) -> FunctionDefinition:
    if not _FUNCTION_NAME.fullmatch(source.name):
        raise ValueError("its name must begin with a letter and hold at most 128 letters, digits, '-' and '_'")
    names = [str(binding["name"]).lower() for binding in raw]
    if len(set(names)) < len(names):
        raise ValueError("its binding names must differ in more than case")
    bindings = [_resolved(binding, settings) for binding in raw]
    triggers = [binding for binding in bindings if binding["type"].lower().endswith("trigger")]
    if len(triggers) != 1:
        raise ValueError(f"it must have exactly one trigger; it has {len(triggers)}")
    others = [binding for binding in bindings if binding is not triggers[0] and binding["type"] != "http"]
    return FunctionDefinition(
        name=source.name,
        trigger=_trigger(triggers[0], settings),
        outputs={binding["name"]: _output(binding, settings) for binding in others},
        retry=_retry(source.retry),
        is_disabled=any(settings.is_on(form.format(source.name)) for form in _DISABLED),
        raw_bindings=raw,
    )


_DISABLED = ("AzureWebJobs.{}.Disabled", "AzureWebJobs_{}_Disabled")


def _resolved(binding: Mapping[str, Any], settings: Settings) -> dict[str, Any]:
    """Replace `%NAME%` in every text; names and types of bindings are taken as they are."""
    return {
        key: settings.resolve(value) if isinstance(value, str) and key not in ("name", "type", "direction") else value
        for key, value in binding.items()
    }


def _trigger(binding: Mapping[str, Any], settings: Settings) -> Trigger:
    match binding["type"]:
        case "queueTrigger":
            return QueueTrigger(
                binding["name"], _queue_name(binding), settings.connection(binding.get("connection", ""))
            )
        case "blobTrigger":
            return _blob_trigger(binding, settings)
        case "timerTrigger":
            return _timer_trigger(binding)
        case "httpTrigger":
            return _http_trigger(binding)
        case other:
            raise ValueError(f"this host does not run the trigger '{other}'; it runs queue, blob, timer and http")


def _queue_name(binding: Mapping[str, Any]) -> str:
    name = str(binding.get("queueName", "")).lower()
    if not _QUEUE_NAME.fullmatch(name):
        raise ValueError(f"queue name '{name}' must be 3 to 63 letters, digits and single dashes between them")
    return name


def _blob_trigger(binding: Mapping[str, Any], settings: Settings) -> BlobTrigger:
    name = binding.get("connection", "") or "AzureWebJobsStorage"
    return BlobTrigger(
        name=binding["name"],
        path=PathPattern(str(binding.get("path", ""))),
        connection=settings.connection(name),
        connection_name=name,
        is_event_grid=str(binding.get("source", "")).lower() == "eventgrid",
        is_binary=str(binding.get("dataType", "")).upper() == "BINARY",
        is_deferred=bool(binding.get("properties", {}).get("SupportsDeferredBinding")),
    )


def _timer_trigger(binding: Mapping[str, Any]) -> TimerTrigger:
    schedule = Schedule(str(binding.get("schedule", "")))
    wanted = binding.get("useMonitor", True) is not False
    return TimerTrigger(
        name=binding["name"],
        schedule=schedule,
        use_monitor=wanted and not schedule.is_too_frequent_to_monitor,
        run_on_startup=bool(binding.get("runOnStartup")),
    )


def _http_trigger(binding: Mapping[str, Any]) -> HttpTrigger:
    level = str(binding.get("authLevel", "function")).lower()
    if level not in _AUTH_LEVELS:
        raise ValueError(f"authLevel '{level}' must be one of {', '.join(_AUTH_LEVELS)}")
    methods = frozenset(str(method).upper() for method in binding.get("methods") or ())
    return HttpTrigger(binding["name"], RouteTemplate(str(binding.get("route", ""))), methods, level)


def _output(binding: Mapping[str, Any], settings: Settings) -> QueueOutput:
    if binding["type"] != "queue" or str(binding.get("direction")).upper() != "OUT":
        raise ValueError(f"this host does not run the binding '{binding['type']}'; it runs queue and http outputs")
    return QueueOutput(_queue_name(binding), settings.connection(binding.get("connection", "")))


def _retry(policy: Mapping[str, Any] | None) -> RetryPolicy | None:
    if policy is None:
        return None
    is_exponential = policy.get("strategy") == "exponential_backoff"
    shortest = _delay(policy, "minimum_interval" if is_exponential else "delay_interval", 0.0)
    longest = _delay(policy, "maximum_interval", 2147483647.0)
    return RetryPolicy(int(policy["max_retry_count"]), is_exponential, shortest, longest)


def _delay(policy: Mapping[str, Any], key: str, default: float) -> float:
    text = policy.get(key)
    if text is None:
        return default
    seconds = time_span_s(str(text))
    if seconds is None:
        raise ValueError(f"retry policy: {key} must be hh:mm:ss; it is '{text}'")
    return seconds
