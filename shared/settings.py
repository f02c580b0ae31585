"""The function app's settings: read from the environment in one place, all problems reported together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from shared.domain.deciding.approval_token import is_strong
from shared.domain.lifecycle import schedule
from shared.errors import ConfigError
from shared.secret import Secret
from shared.storage_account import fields_of, keyless
from shared.telemetry.recorder import DESTINATIONS, OFF

ROOT = Path(__file__).resolve().parent.parent
TRAINING_DATA_SOURCES = ("LogsAndContainerScan", "EventGrid")

_THIS_MACHINE = ("127.0.0.1", "localhost", "::1")
_SERVICES = ("blob", "queue", "table")


@dataclass(frozen=True)
class Settings:
    """
    What the function app needs to know at start.

    Attributes:
        data_storage: Opens the account that holds data, artifacts and state: a connection string with a key, or
            addresses for an identity (`shared.storage_account`).
        training_data_source: How the blob trigger learns of files: `EventGrid` or `LogsAndContainerScan`.
        telemetry: Where traces and metrics go: `off`, `log` or `otlp`.
        keyed_handover: A connection string with key that jobs get instead of tokens; None as a rule.
        models_file: The models' declarations.
        app_url: The app's own address, for links in messages; empty when it is not known.
        approval_secret: Signs approval links; empty makes none.
        environment: Every setting, for the names that models.toml refers to.
    """

    data_storage: Secret
    training_data_source: str
    telemetry: str
    keyed_handover: Secret | None
    models_file: Path
    app_url: str
    approval_secret: Secret
    environment: Mapping[str, str]

    @classmethod
    def from_env(cls, environment: Mapping[str, str]) -> Settings:
        """
        Read settings.

        Raises:
            ConfigError: Names every missing or unusable key.
        """
        problems: list[str] = []
        connection = _data_storage(environment, problems)
        source = environment.get("TRAINING_DATA_SOURCE") or TRAINING_DATA_SOURCES[0]
        if source not in TRAINING_DATA_SOURCES:
            problems.append(f"TRAINING_DATA_SOURCE is '{source}': give {' or '.join(TRAINING_DATA_SOURCES)}")
        telemetry = environment.get("TELEMETRY") or OFF
        if telemetry not in DESTINATIONS:
            problems.append(f"TELEMETRY is '{telemetry}': give {', '.join(DESTINATIONS)}")
        handover = Secret(environment.get("KEYED_HANDOVER", ""))
        if handover and "accountkey" not in fields_of(handover):
            problems.append(
                "KEYED_HANDOVER holds no AccountKey: it is for services that take nothing else; leave it out"
            )
        for name in ("POLL_SCHEDULE", "RETRAIN_SCHEDULE"):
            written = environment.get(name)
            if not written:
                problems.append(f"{name} is missing: give six NCRONTAB fields, for example '*/30 * * * * *'")
            elif problem := schedule.problem_with(written):
                problems.append(f"{name} '{written}' {problem}")
        models_file = ROOT / environment.get("MODELS_FILE", "models.toml")
        if not models_file.is_file():
            problems.append(f"MODELS_FILE names '{models_file.name}', which is not in the app's folder")
        app_url, approval_secret = _app_url(environment, problems), Secret(environment.get("APPROVAL_SECRET", ""))
        if approval_secret and not is_strong(approval_secret):
            problems.append("APPROVAL_SECRET is too short to sign with: take `openssl rand -hex 32`")
        if problems:
            raise ConfigError("settings", problems)
        return cls(
            connection, source, telemetry, handover or None, models_file, app_url, approval_secret, dict(environment)
        )


def _app_url(environment: Mapping[str, str], problems: list[str]) -> str:
    """Read APP_URL, or take the name that the platform gives the app."""
    host = environment.get("WEBSITE_HOSTNAME", "")
    address = environment.get("APP_URL") or (f"https://{host}" if host and "localhost" not in host else "")
    parts = urlsplit(address)
    if address and parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _THIS_MACHINE):
        problems.append("APP_URL is no https address: give the function app's own, as people reach it")
    return address.rstrip("/")


def _data_storage(environment: Mapping[str, str], problems: list[str]) -> Secret:
    """Read DATA_STORAGE as the platform does: an exact setting is a connection string, a prefix names addresses."""
    connection = environment.get("DATA_STORAGE", "")
    addresses = {service: environment.get(f"DATA_STORAGE__{service}ServiceUri", "") for service in _SERVICES}
    if connection:
        if "AccountName=" not in connection and "UseDevelopmentStorage" not in connection:
            problems.append("DATA_STORAGE is no connection string: it names no AccountName")
        return Secret(connection)
    if not any(addresses.values()):
        problems.append(
            "DATA_STORAGE is missing: give the storage account's connection string, or DATA_STORAGE__blobServiceUri, "
            "__queueServiceUri and __tableServiceUri for an identity"
        )
    for service, address in addresses.items():
        if any(addresses.values()) and not address.startswith("https://"):
            problems.append(f"DATA_STORAGE__{service}ServiceUri must be an https address: an identity needs it")
    kind, client_id = environment.get("DATA_STORAGE__credential", ""), environment.get("DATA_STORAGE__clientId", "")
    return keyless(**addresses, credential=kind, client_id=client_id)
