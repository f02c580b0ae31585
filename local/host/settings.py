"""App settings: one flat, case-insensitive set of names, as the platform reads them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from local.azurite.process import Ports, connection_string
from local.host.errors import SettingsError

_HOST_STORAGE = "AzureWebJobsStorage"
_IDENTITY_SUFFIXES = ("__accountName", "__serviceUri", "__blobServiceUri", "__queueServiceUri")


class Settings:
    """
    Settings by name; `A__B` and `A:B` name the same one, and case does not matter.

    Args:
        values: Names and values, as they stand in the environment.
    """

    def __init__(self, values: Mapping[str, str]) -> None:
        self.values = dict(values)
        self._folded = {_fold(name): value for name, value in values.items()}

    def get(self, name: str) -> str | None:
        """Return a setting; an empty one counts as absent."""
        return self._folded.get(_fold(name)) or None

    def is_on(self, name: str) -> bool:
        """Whether a setting says true or 1."""
        return (self.get(name) or "").lower() in ("true", "1")

    def under(self, prefix: str) -> Iterator[tuple[tuple[str, ...], str]]:
        """Yield the path (lower case) and value of every setting below a prefix."""
        start = _fold(prefix) + ":"
        for name, value in self._folded.items():
            if name.startswith(start):
                yield tuple(name[len(start) :].split(":")), value

    def resolve(self, text: str) -> str:
        """
        Replace every `%NAME%` by that setting.

        Raises:
            SettingsError: A setting is not there, or a percent sign has no partner.
        """
        pieces = text.split("%")
        if len(pieces) % 2 == 0:
            raise SettingsError(f"'{text}' has a '%' without a closing one; write %NAME% to use the setting NAME")
        return "".join(piece if at % 2 == 0 else self._required(piece, text) for at, piece in enumerate(pieces))

    def connection(self, name: str) -> str:
        """
        Return the storage connection string that a binding's `connection` names; empty names the host's own storage.

        Raises:
            SettingsError: Neither `AzureWebJobs<name>` nor `<name>` is a connection string.
        """
        name = name or _HOST_STORAGE
        found = self.get("AzureWebJobs" + name) or self.get(name)
        if found is not None:
            return _checked_connection(name, found)
        if any(self.get(name + suffix) for suffix in _IDENTITY_SUFFIXES):
            raise SettingsError(
                f"connection '{name}' names an identity; this host needs a connection string in '{name}'"
            )
        raise SettingsError(
            f"connection '{name}' does not exist: put a storage connection string into the setting "
            f"'AzureWebJobs{name}' or '{name}'"
        )

    def _required(self, name: str, text: str) -> str:
        value = self.get(name)
        if value is None:
            raise SettingsError(f"'%{name}%' in '{text}' cannot be resolved: there is no setting '{name}'")
        return value


def read_local_settings(path: Path) -> dict[str, str]:
    """
    Read `local.settings.json`, by the rules of Core Tools.

    Null values and empty names are left out; connection strings become `ConnectionStrings:<name>`.

    Raises:
        SettingsError: Not JSON, encrypted, or not shaped as documented.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path.name} cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise SettingsError(f"{path.name} must hold a JSON object with the key 'Values'")
    if content.get("IsEncrypted", True):
        raise SettingsError(f'{path.name} counts as encrypted; write "IsEncrypted": false and plain values')
    strings = {f"ConnectionStrings:{name}": value for name, value in _texts(content, "ConnectionStrings", path)}
    return strings | dict(_texts(content, "Values", path))


def _texts(content: Mapping[str, Any], key: str, path: Path) -> Iterator[tuple[str, str]]:
    section = content.get(key) or {}
    if not isinstance(section, dict):
        raise SettingsError(f"'{key}' in {path.name} must be an object of names and texts")
    for name, value in section.items():
        if value is not None and name:
            if isinstance(value, dict | list):
                raise SettingsError(f"'{key}.{name}' in {path.name} must be a text")
            yield name, str(value).lower() if isinstance(value, bool) else str(value)


def _checked_connection(name: str, text: str) -> str:
    """Expand the emulator's short form. The text itself is a secret and is not repeated in a message."""
    if text.strip().rstrip(";").lower() == "usedevelopmentstorage=true":
        return connection_string(Ports(10000, 10001, 10002))
    if "AccountName=" not in text and "Endpoint=" not in text:
        raise SettingsError(f"connection '{name}' is set, but not to a storage connection string (AccountName=…;…)")
    return text


def _fold(name: str) -> str:
    return name.replace("__", ":").lower()
