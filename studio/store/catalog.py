"""
The catalog in one table and one partition per workspace, so that every change is one transaction.

Each transaction also writes a new version: replicas compare that one row to learn that something changed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.data.tables import TableClient, TableTransactionError, UpdateMode

from shared.errors import AlreadyExists, Changed
from shared.secret import Secret
from studio.engine.score_module import ScoreModule
from studio.services.catalog import Catalog, Endpoint, Kind, WebService
from studio.services.keys import Vault, new_id

Record = WebService | Endpoint
Row = dict[str, Any]
_Operation = tuple[str, Row] | tuple[str, Row, Mapping[str, Any]]

_WORKSPACE_ROW = ("workspace", "default")
_VERSION_ROW = "version"
_MAX_OPERATIONS = 99  # the service's limit of 100 in one transaction, less the version


class CatalogStore:
    """
    Reads the catalog whole and saves changes to it atomically.

    Args:
        workspace: The configured workspace id; when None, the one that the first publication drew and stored.
        models_kept: How many models an endpoint remembers, the present one included.
    """

    def __init__(self, table: TableClient, vault: Vault, workspace: str | None, models_kept: int = 5) -> None:
        self._table = table
        self._vault = vault
        self._workspace = workspace
        self._models_kept = models_kept
        self._known: dict[str, Endpoint] = {}

    def workspace(self) -> str | None:
        """Return the workspace id, or None before the first publication."""
        if self._workspace is None:
            try:
                self._workspace = str(self._table.get_entity(*_WORKSPACE_ROW)["WorkspaceId"])
            except ResourceNotFoundError:
                return None
        return self._workspace

    def claim_workspace(self) -> str:
        """Return the workspace id, drawing and storing one if there is none; the first of two claims wins."""
        if self.workspace() is None:
            partition, row = _WORKSPACE_ROW
            with suppress(ResourceExistsError):  # another publication came first: its id is read below
                self._table.create_entity({"PartitionKey": partition, "RowKey": row, "WorkspaceId": new_id()})
        return str(self.workspace())

    def version(self) -> str:
        """Return a text that differs after each change; empty before the first."""
        workspace = self.workspace()
        if workspace is None:
            return ""
        try:
            return str(self._table.get_entity(workspace, _VERSION_ROW)["Version"])
        except ResourceNotFoundError:
            return ""

    def read(self) -> Catalog:
        """Read everything; the content is at least as new as the version that it carries."""
        version = self.version()
        workspace = self.workspace()
        if workspace is None:
            return Catalog()
        rows = list(self._table.query_entities("PartitionKey eq @workspace", parameters={"workspace": workspace}))
        services = [_service(row) for row in rows if row["RowKey"].startswith("service-")]
        endpoints = [self._endpoint(row) for row in rows if row["RowKey"].startswith("endpoint-")]
        self._known = {endpoint.etag: endpoint for endpoint in endpoints}
        return Catalog(workspace, version, {s.id: s for s in services}, {e.id: e for e in endpoints})

    def save(self, records: Sequence[Record] = (), *, removed: Sequence[Record] = ()) -> None:
        """
        Save and remove records of one workspace in one transaction.

        A record without ETag is new; one with an ETag replaces exactly the row that was read.

        Raises:
            AlreadyExists: A new record's name is taken.
            Changed: A row is not the one that was read, or is gone.
        """
        if len(records) + len(removed) > _MAX_OPERATIONS:
            raise ValueError(f"a transaction holds at most {_MAX_OPERATIONS} records")
        workspace = (*records, *removed)[0].workspace
        version: Row = {"PartitionKey": workspace, "RowKey": _VERSION_ROW, "Version": new_id()}
        operations: list[_Operation] = [
            *(self._saving(record) for record in records),
            *(self._removing(record) for record in removed),
            ("upsert", version, {"mode": UpdateMode.REPLACE}),
        ]
        try:
            self._table.submit_transaction(operations)
        except TableTransactionError as error:
            raise _conflict(error) from error

    def _saving(self, record: Record) -> _Operation:
        row = self._row(record)
        if not record.etag:
            return "create", row
        return "update", row, {"mode": UpdateMode.REPLACE, **_only(record)}

    def _removing(self, record: Record) -> _Operation:
        return "delete", self._row(record), _only(record)

    def _row(self, record: Record) -> Row:
        return _service_row(record) if isinstance(record, WebService) else self._endpoint_row(record)

    def _endpoint_row(self, endpoint: Endpoint) -> Row:
        return {
            "PartitionKey": endpoint.workspace,
            "RowKey": f"endpoint-{endpoint.service_id}-{endpoint.name}",
            "EndpointId": endpoint.id,
            "ServiceId": endpoint.service_id,
            "Name": endpoint.name,
            "PrimaryKey": self._vault.lock(endpoint.primary_key.reveal().encode()),
            "SecondaryKey": self._vault.lock(endpoint.secondary_key.reveal().encode()),
            "CreatedAt": endpoint.created_at,
            "Model": endpoint.model,
            "PreventUpdate": endpoint.prevent_update,
            "Description": endpoint.description,
            "MaxConcurrentCalls": endpoint.max_concurrent_calls,
            "ThrottleLevel": endpoint.throttle_level,
            "DiagnosticsLevel": endpoint.diagnostics_level,
            "PastModels": ",".join(self._past_models(endpoint)),
        }

    def _past_models(self, endpoint: Endpoint) -> list[str]:
        known = self._known.get(endpoint.etag)
        past = [known.model, *endpoint.past_models] if known is not None and known.model else endpoint.past_models
        return [model for model in dict.fromkeys(past) if model != endpoint.model][: self._models_kept - 1]

    def _endpoint(self, row: Mapping[str, Any]) -> Endpoint:
        """Read a row; one whose ETag is known is not decrypted again."""
        known = self._known.get(_etag(row))
        if known is not None and known.id == row["EndpointId"]:
            return known
        return Endpoint(
            id=row["EndpointId"],
            workspace=row["PartitionKey"],
            service_id=row["ServiceId"],
            name=row["Name"],
            primary_key=Secret(self._vault.unlock(row["PrimaryKey"]).decode()),
            secondary_key=Secret(self._vault.unlock(row["SecondaryKey"]).decode()),
            created_at=row["CreatedAt"],
            model=row["Model"],
            prevent_update=row["PreventUpdate"],
            description=row["Description"],
            max_concurrent_calls=row["MaxConcurrentCalls"],
            throttle_level=row["ThrottleLevel"],
            diagnostics_level=row["DiagnosticsLevel"],
            past_models=tuple(filter(None, row.get("PastModels", "").split(","))),
            modified_at=_modified_at(row),
            etag=_etag(row),
        )


def _service_row(service: WebService) -> Row:
    return {
        "PartitionKey": service.workspace,
        "RowKey": f"service-{service.id}",
        "ServiceId": service.id,
        "Name": service.name,
        "Kind": service.kind.value,
        "Experiment": service.experiment,
        "InputName": service.input_name,
        "Resource": service.resource,
        "CreatedAt": service.created_at,
        "Description": service.description,
        "Score": json.dumps(service.score.to_json()),
    }


def _service(row: Mapping[str, Any]) -> WebService:
    return WebService(
        id=row["ServiceId"],
        workspace=row["PartitionKey"],
        name=row["Name"],
        kind=Kind(row["Kind"]),
        experiment=row["Experiment"],
        input_name=row["InputName"],
        resource=row["Resource"],
        created_at=row["CreatedAt"],
        description=row["Description"],
        score=ScoreModule.from_json(json.loads(row["Score"])) if row.get("Score") else ScoreModule(),
        modified_at=_modified_at(row),
        etag=_etag(row),
    )


def _modified_at(row: Any) -> datetime | None:
    """The storage's own time of the last save."""
    timestamp: datetime | None = row.metadata.get("timestamp")
    return timestamp


def _etag(row: Any) -> str:
    return str(row.metadata["etag"])


def _only(record: Record) -> dict[str, Any]:
    return {"etag": record.etag, "match_condition": MatchConditions.IfNotModified}


def _conflict(error: TableTransactionError) -> Exception:
    if error.status_code == 409:
        return AlreadyExists("a record of that name is already there")
    if error.status_code in (404, 412):
        return Changed("the record was changed or removed by somebody else")
    return error
