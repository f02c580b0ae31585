"""
One table of the account: conditional inserts and replaces, with the library's refusals as our errors.

Rows are plain dictionaries of texts, numbers and booleans; instants are ISO texts in UTC, so they sort. A text that is
longer than a property may be is cut over several: `verdict`, `verdict__1`, …
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.data.tables import TableTransactionError, UpdateMode

from shared.adapters.patience import table_patience
from shared.errors import AlreadyExists, Changed
from shared.secret import Secret
from shared.storage_account import table_service

Row = dict[str, Any]
_TRANSACTION_ROWS = 100  # the most that one may hold
_PIECE_CHARACTERS = 16_000  # a property holds 64 KiB in UTF-16, where a character takes four bytes at most
_NEXT = "__"


class TableStore:
    """One table."""

    def __init__(self, connection: Secret, table: str) -> None:
        self._table = table_service(connection, **table_patience()).get_table_client(table)
        self.name = table

    def insert(self, row: Mapping[str, Any]) -> str:
        """
        Insert a row that must not be there yet; return its ETag.

        Raises:
            AlreadyExists: Somebody inserted it before.
        """
        try:
            return str(self._table.create_entity(_cut(row))["etag"])
        except ResourceExistsError as exists:
            raise AlreadyExists(f"{self.name}: '{row['RowKey']}' is already there") from exists

    def insert_together(self, rows: Sequence[Mapping[str, Any]]) -> str:
        """
        Insert rows of one partition, all or none; return the first one's ETag.

        Raises:
            AlreadyExists: One of them is there already.
        """
        try:
            done = self._table.submit_transaction([("create", _cut(row)) for row in rows])
        except TableTransactionError as refused:
            if refused.status_code == 409:
                raise AlreadyExists(f"{self.name}: '{rows[0]['RowKey']}' is already there") from refused
            raise
        return str(done[0]["etag"])

    def replace(self, row: Mapping[str, Any], version: str) -> str:
        """
        Replace a row whose ETag is still `version`; return the new one.

        Raises:
            Changed: The row was changed or removed meanwhile.
        """
        try:
            done = self._table.update_entity(
                _cut(row), UpdateMode.REPLACE, etag=version, match_condition=MatchConditions.IfNotModified
            )
        except (HttpResponseError, ResourceNotFoundError) as refused:
            if refused.status_code in (404, 412):
                raise Changed(f"{self.name}: '{row['RowKey']}' was changed by somebody else") from refused
            raise
        return str(done["etag"])

    def replace_with(self, row: Mapping[str, Any], version: str, other: tuple[str, Mapping[str, Any]]) -> str:
        """
        Replace a row whose ETag is still `version`, and upsert or delete another of its partition; return the new ETag.

        Args:
            row: The row to replace.
            version: Its ETag as it was read.
            other: `upsert` or `delete`, and the other row.

        Raises:
            Changed: The row was changed or removed meanwhile; the other one is as it was.
        """
        conditional = {"mode": UpdateMode.REPLACE, "match_condition": MatchConditions.IfNotModified, "etag": version}
        act, beside = other
        try:
            done = self._table.submit_transaction([("update", _cut(row), conditional), (act, _cut(beside))])
        except TableTransactionError as refused:
            if refused.status_code in (404, 412):
                raise Changed(f"{self.name}: '{row['RowKey']}' was changed by somebody else") from refused
            raise
        return str(done[0]["etag"])

    def replace_all(self, rows: Sequence[tuple[Mapping[str, Any], str]]) -> None:
        """
        Replace rows whose ETags still hold, a hundred of one partition in one transaction; skip those that changed.

        A transaction with a single changed row writes nothing, so its rows are then written one by one.
        """
        partitions: dict[str, list[tuple[Mapping[str, Any], str]]] = {}
        for row, version in rows:
            partitions.setdefault(row["PartitionKey"], []).append((row, version))
        for same in partitions.values():
            for at in range(0, len(same), _TRANSACTION_ROWS):
                self._replace_together(same[at : at + _TRANSACTION_ROWS])

    def _replace_together(self, rows: Sequence[tuple[Mapping[str, Any], str]]) -> None:
        conditional = {"mode": UpdateMode.REPLACE, "match_condition": MatchConditions.IfNotModified}
        try:
            self._table.submit_transaction(
                [("update", _cut(row), conditional | {"etag": version}) for row, version in rows]
            )
        except TableTransactionError as refused:
            if refused.status_code not in (404, 412):
                raise
            for row, version in rows:
                with suppress(Changed):
                    self.replace(row, version)

    def get(self, partition: str, key: str) -> tuple[Row, str] | None:
        """Return a row and its ETag; None when it is not there."""
        try:
            entity = self._table.get_entity(partition, key)
        except ResourceNotFoundError:
            return None
        return _joined(entity), str(entity.metadata["etag"])

    def put(self, row: Mapping[str, Any]) -> None:
        """Insert a row, or replace the one that is there whatever it says."""
        self._table.upsert_entity(_cut(row), UpdateMode.REPLACE)

    def query(
        self, condition: str, *, only: tuple[str, ...] = (), at_once: int = 1000, **values: Any
    ) -> Iterator[tuple[Row, str]]:
        """
        Yield the rows that meet an OData condition, with their ETags.

        Args:
            condition: With `@name` for each of `values`, which are quoted for it; empty means every row.
            only: The columns to return; all when empty. A long text comes back cut.
            at_once: Rows asked for in one call.
        """
        found = self._table.query_entities(
            condition, parameters=values, select=list(only) or None, results_per_page=at_once
        )
        for entity in found:
            yield _joined(entity), str(entity.metadata["etag"])


def _cut(row: Mapping[str, Any]) -> Row:
    cut: Row = {}
    for name, value in row.items():
        pieces = [value]
        if isinstance(value, str) and len(value) > _PIECE_CHARACTERS:
            starts = range(0, len(value), _PIECE_CHARACTERS)
            pieces = [value[start : start + _PIECE_CHARACTERS] for start in starts]
        cut[name] = pieces[0]
        cut |= {f"{name}{_NEXT}{number}": piece for number, piece in enumerate(pieces[1:], start=1)}
    return cut


def _joined(entity: Mapping[str, Any]) -> Row:
    row = {name: value for name, value in entity.items() if _NEXT not in name}
    more = sorted((name.partition(_NEXT) for name in entity.keys() - row.keys()), key=lambda part: int(part[2]))
    for name, mark, number in more:
        if name in row:
            row[name] += entity[f"{name}{mark}{number}"]
    return row


def instant(text: str | None) -> datetime | None:
    """Read an instant as it is stored."""
    return datetime.fromisoformat(text) if text else None


def stored(at: datetime | None) -> str:
    """Write an instant as it is stored."""
    return at.isoformat() if at else ""
