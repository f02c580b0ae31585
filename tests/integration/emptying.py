"""The app's tables and containers, made where they are not there and emptied."""

from __future__ import annotations

from azure.data.tables import TableServiceClient
from azure.storage.blob import BlobServiceClient

from shared.adapters.storage_layout import CONTAINERS, TABLES, create_storage
from shared.secret import Secret


def empty_storage(connection: Secret) -> None:
    """Leave no row and no blob of a test before this one."""
    create_storage(connection)
    with TableServiceClient.from_connection_string(connection.reveal()) as tables:
        for name in TABLES:
            table = tables.get_table_client(name)
            for entity in list(table.list_entities()):
                table.delete_entity(entity)
    with BlobServiceClient.from_connection_string(connection.reveal()) as blobs:
        for name in CONTAINERS:
            container = blobs.get_container_client(name)
            for blob in list(container.list_blob_names()):
                container.delete_blob(blob)
