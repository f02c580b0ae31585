"""The names of everything that the app keeps in storage."""

from __future__ import annotations

from azure.core.exceptions import ResourceExistsError
from azure.data.tables import TableServiceClient
from azure.storage.blob import BlobServiceClient

from shared.secret import Secret

TRAINING_DATA = "training-data"
HOLDOUTS = "holdouts"
TRAINING_SETS = "training-sets"
ARTIFACTS = "artifacts"
QUARANTINE = "quarantine"
CONTAINERS = (TRAINING_DATA, HOLDOUTS, TRAINING_SETS, ARTIFACTS, QUARANTINE)

DATASETS = "datasets"
RUNS = "runs"
MODELS = "models"
DECISIONS = "decisions"
TABLES = (DATASETS, RUNS, MODELS, DECISIONS)

EVALUATIONS = "evaluations"
GIVEN_UP = f"{EVALUATIONS}-poison"  # where the platform puts a message that failed in every delivery


def create_storage(connection: Secret) -> None:
    """Create the containers and tables that are not there yet; the queue comes with its first message."""
    blobs = BlobServiceClient.from_connection_string(connection.reveal())
    tables = TableServiceClient.from_connection_string(connection.reveal())
    with blobs, tables:
        for container in CONTAINERS:
            try:
                blobs.create_container(container)
            except ResourceExistsError:
                continue
        for table in TABLES:
            tables.create_table_if_not_exists(table)
