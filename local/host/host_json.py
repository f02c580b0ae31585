"""`host.json`: the options that this host knows, with the platform's defaults and its overrides by setting."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.host.errors import SettingsError
from local.host.settings import Settings

_OVERRIDES = "AzureFunctionsJobHost"
_TIME_SPAN = re.compile(r"(?:(\d+)\.)?(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,7}))?)?")
_LEVELS = {
    "trace": 5, "debug": 10, "information": 20, "warning": 30, "error": 40, "critical": 50, "none": 100,
}  # fmt: skip


@dataclass(frozen=True)
class QueueOptions:
    """`extensions.queues`; times in seconds."""

    batch_size: int = 16
    new_batch_threshold: int = 8
    max_dequeue_count: int = 5
    visibility_timeout_s: float = 0.0
    max_polling_interval_s: float = 2.0
    is_base64: bool = True


@dataclass(frozen=True)
class BlobOptions:
    """`extensions.blobs`."""

    max_degree_of_parallelism: int = 8
    poison_blob_threshold: int = 5


@dataclass(frozen=True)
class SingletonOptions:
    """`singleton`: how long a lease is held without renewal, and how often a loser tries again; seconds."""

    lease_s: float = 60.0
    recovery_s: float = 60.0


@dataclass(frozen=True)
class HostJson:
    """All of it; `function_timeout_s` is None when functions may run for ever, `log_levels` are by category prefix."""

    queues: QueueOptions
    blobs: BlobOptions
    singleton: SingletonOptions
    function_timeout_s: float | None
    route_prefix: str
    log_levels: Mapping[str, int]

    def log_level(self, category: str) -> int:
        """Return the lowest level that is shown for a category: that of the longest prefix that is configured."""
        parts = category.lower().split(".")
        prefixes = (".".join(parts[:n]) for n in range(len(parts), 0, -1))
        return next((self.log_levels[p] for p in prefixes if p in self.log_levels), self.log_levels["default"])


def read_host_json(directory: Path, settings: Settings) -> HostJson:
    """
    Read `host.json` of a function app; a missing file means defaults.

    Raises:
        SettingsError: Not JSON, a version other than "2.0", or a value that is not what its key takes.
    """
    values = _read(directory / "host.json")
    if values.get("version") != "2.0":
        raise SettingsError(f'host.json must say "version": "2.0"; it says {json.dumps(values.get("version"))}')
    for path, value in settings.under(_OVERRIDES):
        _override(values, path, value)
    return _options(_Section(values))


def _read(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {"version": "2.0"}
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise SettingsError(f"host.json cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise SettingsError("host.json must hold a JSON object")
    return content


def _override(values: dict[str, Any], path: tuple[str, ...], value: str) -> None:
    """Set a value by its path; keys are compared without case, as the platform's configuration does."""
    *parents, last = path
    for name in parents:
        key = _key(values, name)
        if not isinstance(values.get(key), dict):
            values[key] = {}
        values = values[key]
    values[_key(values, last)] = value


def _key(values: Mapping[str, Any], name: str) -> str:
    return next((key for key in values if key.lower() == name), name)


class _Section:
    """Typed reading of one JSON object, with messages that name the whole path of a key."""

    def __init__(self, values: Any, where: str = "") -> None:
        self._where = where
        if not isinstance(values, dict):
            raise SettingsError(f"host.json: {where.rstrip('.')} must be an object")
        self._values = values

    def section(self, name: str) -> _Section:
        return _Section(self._get(name, {}), f"{self._where}{name}.")

    def number(self, name: str, default: int, least: int, most: int) -> int:
        value = self._get(name, default)
        if isinstance(value, bool) or not str(value).isdigit() or not least <= int(value) <= most:
            raise self._error(name, f"a whole number from {least} to {most}", value)
        return int(value)

    def seconds(self, name: str, default: float) -> float:
        value = self._get(name, None)
        if value is None:
            return default
        seconds = time_span_s(str(value))
        if seconds is None:
            raise self._error(name, "a time such as 00:00:30", value)
        return seconds

    def text(self, name: str, default: str) -> str:
        return str(self._get(name, default))

    def texts(self, name: str) -> Mapping[str, str]:
        return {key: str(value) for key, value in self.section(name)._values.items()}

    def choice(self, name: str, default: str, choices: tuple[str, ...]) -> str:
        value = self.text(name, default).lower()
        if value not in choices:
            raise self._error(name, " or ".join(choices), value)
        return value

    def _get(self, name: str, default: Any) -> Any:
        return self._values.get(_key(self._values, name.lower()), default)

    def _error(self, name: str, expected: str, value: object) -> SettingsError:
        return SettingsError(f"host.json: {self._where}{name} must be {expected}; it is {value!r}")


def time_span_s(text: str) -> float | None:
    """Read a .NET time span (`hh:mm`, `hh:mm:ss`, `d.hh:mm:ss.fff`) as seconds; None if it is none."""
    match = _TIME_SPAN.fullmatch(text)
    if not match:
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups()[:4])
    return days * 86400 + hours * 3600 + minutes * 60 + seconds + float(f"0.{match[5] or 0}")


def _options(top: _Section) -> HostJson:
    extensions = top.section("extensions")
    return HostJson(
        queues=_queues(extensions.section("queues")),
        blobs=_blobs(extensions.section("blobs")),
        singleton=_singleton(top.section("singleton")),
        function_timeout_s=_function_timeout(top),
        route_prefix=extensions.section("http").text("routePrefix", "api").strip("/"),
        log_levels=_log_levels(top.section("logging")),
    )


def _queues(section: _Section) -> QueueOptions:
    batch_size = section.number("batchSize", 16, 1, 32)
    threshold = max(1, batch_size // 2) * (os.cpu_count() or 1)
    return QueueOptions(
        batch_size=batch_size,
        new_batch_threshold=section.number("newBatchThreshold", threshold, 0, 1000),
        max_dequeue_count=section.number("maxDequeueCount", 5, 1, 1000),
        visibility_timeout_s=section.seconds("visibilityTimeout", 0.0),
        max_polling_interval_s=max(0.1, section.seconds("maxPollingInterval", 2.0)),
        is_base64=section.choice("messageEncoding", "base64", ("base64", "none")) == "base64",
    )


def _blobs(section: _Section) -> BlobOptions:
    return BlobOptions(
        max_degree_of_parallelism=section.number("maxDegreeOfParallelism", 8 * (os.cpu_count() or 1), 1, 1000),
        poison_blob_threshold=section.number("poisonBlobThreshold", 5, 1, 1000),
    )


def _singleton(section: _Section) -> SingletonOptions:
    lease = section.seconds("listenerLockPeriod", 60.0)
    if not 15 <= lease <= 60:
        raise SettingsError("host.json: singleton.listenerLockPeriod must be from 00:00:15 to 00:01:00")
    return SingletonOptions(lease, section.seconds("listenerLockRecoveryPollingInterval", 60.0))


def _function_timeout(top: _Section) -> float | None:
    return None if top.text("functionTimeout", "") == "-1" else top.seconds("functionTimeout", 1800.0)


def _log_levels(section: _Section) -> Mapping[str, int]:
    levels = {name.lower(): _LEVELS.get(value.lower()) for name, value in section.texts("logLevel").items()}
    unknown = [name for name, level in levels.items() if level is None]
    if unknown:
        raise SettingsError(f"host.json: logging.logLevel.{unknown[0]} must be one of {', '.join(_LEVELS)}")
    return {"default": 20} | {name: level for name, level in levels.items() if level is not None}
