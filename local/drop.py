"""Drops a training file: uploads it into the folder that its model watches."""

from __future__ import annotations

import getpass
import tomllib
from datetime import UTC, datetime
from pathlib import Path

from azure.core.exceptions import AzureError
from azure.storage.blob import BlobServiceClient

from local.errors import LocalError
from shared.adapters.blobs import UPLOADED_BY
from shared.adapters.storage_layout import TRAINING_DATA
from shared.secret import Secret

_CONNECT_S = 5


def folder_of(models_file: Path, model: str) -> str:
    """
    Return the folder of `training-data` whose files train a model.

    Raises:
        LocalError: The file cannot be read, or the model is not declared.
    """
    try:
        models = tomllib.loads(models_file.read_text(encoding="utf-8")).get("models", {})
    except (OSError, ValueError) as unreadable:
        raise LocalError(f"{models_file.name} cannot be read: {unreadable}") from unreadable
    if model not in models:
        raise LocalError(f"there is no model '{model}' in {models_file.name}; declared are {', '.join(sorted(models))}")
    return str(models[model].get("folder", model))


def drop(storage: Secret, path: Path, folder: str, name: str | None = None) -> datetime:
    """
    Upload a file; one of the same name is replaced.

    Args:
        name: What the file is called in the container; its own name when None.

    Returns:
        When the upload began (UTC).

    Raises:
        LocalError: The file cannot be read, or no storage answers.
    """
    with BlobServiceClient.from_connection_string(
        storage.reveal(), retry_total=1, connection_timeout=_CONNECT_S
    ) as service:
        blob = service.get_blob_client(TRAINING_DATA, f"{folder}/{name or path.name}")
        try:
            with path.open("rb") as data:
                began = datetime.now(UTC)
                blob.upload_blob(data, overwrite=True, metadata={UPLOADED_BY: getpass.getuser()})
        except OSError as error:
            raise LocalError(f"cannot read {path}: {error.strerror}") from error
        except AzureError as error:
            raise LocalError(f"the storage emulator did not take {path.name}: is `make up` still running?") from error
    return began
