"""Rows of one table, read by the storage library or without it, in one form."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote, urlencode

from studio.store.signed_reading import Answer, SignedReader

if TYPE_CHECKING:
    from azure.data.tables import TableClient, TableEntity

_TIMESTAMP = "Timestamp"
_ETAG = "odata.etag"
_KIND = "@odata.type"
_NEXT = ("NextPartitionKey", "NextRowKey")
_READERS: Mapping[str, Callable[[str], object]] = {
    "Edm.DateTime": datetime.fromisoformat,
    "Edm.Binary": base64.b64decode,
    "Edm.Int64": int,
}


class Row(dict[str, Any]):
    """A row's columns, and what storage adds: its version, and when (UTC) it was last saved."""

    def __init__(self, columns: Mapping[str, Any], etag: str, saved_at: datetime | None) -> None:
        super().__init__(columns)
        self.etag = etag
        self.saved_at = saved_at


class TableRows(Protocol):
    """Reads a table; raises what its storage library raises, or Unavailable."""

    def get(self, partition: str, key: str) -> Row | None:
        """Return a row, None when there is none."""

    def partition(self, partition: str) -> list[Row]:
        """Return all rows of a partition."""


class LibraryRows:
    """Reads through the storage library, however the account is opened."""

    def __init__(self, table: TableClient) -> None:
        self._table = table

    def get(self, partition: str, key: str) -> Row | None:
        """Return a row, None when there is none."""
        from azure.core.exceptions import ResourceNotFoundError

        try:
            return _from_library(self._table.get_entity(partition, key))
        except ResourceNotFoundError:
            return None

    def partition(self, partition: str) -> list[Row]:
        """Return all rows of a partition."""
        found = self._table.query_entities("PartitionKey eq @partition", parameters={"partition": partition})
        return [_from_library(entity) for entity in found]


class SignedRows:
    """Reads by the account's key, without the storage library."""

    def __init__(self, reader: SignedReader, table: str) -> None:
        self._reader = reader
        self._table = table

    def get(self, partition: str, key: str) -> Row | None:
        """Return a row, None when there is none."""
        answer = self._reader.table(f"{self._table}(PartitionKey={_literal(partition)},RowKey={_literal(key)})")
        return None if answer.status == 404 else _from_json(json.loads(answer.body))

    def partition(self, partition: str) -> list[Row]:
        """Return all rows of a partition; none where the table is missing."""
        rows: list[Row] = []
        query = {"$filter": f"PartitionKey eq '{_doubled(partition)}'"}
        following: dict[str, str] | None = {}
        while following is not None:
            answer = self._reader.table(f"{self._table}()", urlencode({**query, **following}, quote_via=quote))
            if answer.status == 404:
                break
            rows += map(_from_json, json.loads(answer.body)["value"])
            following = _following(answer)
        return rows


def _from_library(entity: TableEntity) -> Row:
    return Row(entity, str(entity.metadata["etag"]), entity.metadata.get("timestamp"))


def _from_json(values: Mapping[str, Any]) -> Row:
    columns = {
        name: _READERS[values[name + _KIND]](value) if values.get(name + _KIND) in _READERS else value
        for name, value in values.items()
        if not name.startswith("odata.") and not name.endswith(_KIND) and name != _TIMESTAMP
    }
    return Row(columns, values[_ETAG], datetime.fromisoformat(values[_TIMESTAMP]))


def _following(answer: Answer) -> dict[str, str] | None:
    found = {name: answer.headers.get(f"x-ms-continuation-{name.lower()}", "") for name in _NEXT}
    return {name: value for name, value in found.items() if value} or None


def _literal(text: str) -> str:
    return f"'{quote(_doubled(text), safe='')}'"


def _doubled(text: str) -> str:
    return text.replace("'", "''")
