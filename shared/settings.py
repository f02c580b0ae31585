"""The function app's settings: read from the environment in one place, all problems reported together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from shared.errors import ConfigError
from shared.secret import Secret

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Settings:
    """
    What the function app needs to know at start.

    Attributes:
        data_storage: Connection string of the account that holds data, artifacts and state.
        models_file: The models' declarations.
        environment: Every setting, for the names that models.toml refers to.
    """

    data_storage: Secret
    models_file: Path
    environment: Mapping[str, str]

    @classmethod
    def from_env(cls, environment: Mapping[str, str]) -> Settings:
        """
        Read settings.

        Raises:
            ConfigError: Names every missing or unusable key.
        """
        problems = []
        connection = environment.get("DATA_STORAGE", "")
        if not connection:
            problems.append("DATA_STORAGE is missing: give the storage account's connection string")
        elif "AccountName=" not in connection and "UseDevelopmentStorage" not in connection:
            problems.append("DATA_STORAGE is no connection string: it names no AccountName")
        for schedule in ("POLL_SCHEDULE", "RETRAIN_SCHEDULE"):
            if not environment.get(schedule):
                problems.append(f"{schedule} is missing: give six NCRONTAB fields, for example '*/30 * * * * *'")
        models_file = ROOT / environment.get("MODELS_FILE", "models.toml")
        if not models_file.is_file():
            problems.append(f"MODELS_FILE names '{models_file.name}', which is not in the app's folder")
        if problems:
            raise ConfigError("settings", problems)
        return cls(Secret(connection), models_file, dict(environment))
