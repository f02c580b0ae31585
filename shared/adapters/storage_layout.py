"""The names of everything that the app keeps in storage."""

from __future__ import annotations

from azure.core.exceptions import ResourceExistsError

from shared.secret import Secret
from shared.storage_account import blob_service, is_keyless, table_service

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
    """
    Create the containers and tables that are not there yet; the queue comes with its first message.

    An identity creates nothing: it has no right to, and infra/ has made them.
    """
    if is_keyless(connection):
        return
    with blob_service(connection) as blobs, table_service(connection) as tables:
        for container in CONTAINERS:
            try:
                blobs.create_container(container)
            except ResourceExistsError:
                continue
        for table in TABLES:
            tables.create_table_if_not_exists(table)
