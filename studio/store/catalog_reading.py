"""
The catalog as it is stored: one table, one partition per workspace, read whole.

Each change also writes a new version: replicas compare that one row to learn that something changed.
"""

from __future__ import annotations

import json

from shared.secret import Secret
from studio.engine.score_module import ScoreModule
from studio.services.catalog import Catalog, Endpoint, Kind, WebService
from studio.services.keys import Vault
from studio.store.table_rows import Row, TableRows

WORKSPACE_ROW = ("workspace", "default")
VERSION_ROW = "version"


class CatalogReader:
    """
    Reads the catalog.

    Args:
        workspace: The configured workspace id; when None, the one that the first publication drew and stored.
    """

    def __init__(self, rows: TableRows, vault: Vault, workspace: str | None) -> None:
        self._rows = rows
        self._vault = vault
        self._workspace = workspace
        self._known: dict[str, Endpoint] = {}

    def workspace(self) -> str | None:
        """Return the workspace id, or None before the first publication."""
        if self._workspace is None:
            row = self._rows.get(*WORKSPACE_ROW)
            self._workspace = None if row is None else str(row["WorkspaceId"])
        return self._workspace

    def version(self) -> str:
        """Return a text that differs after each change; empty before the first."""
        workspace = self.workspace()
        row = self._rows.get(workspace, VERSION_ROW) if workspace else None
        return str(row["Version"]) if row else ""

    def read(self) -> Catalog:
        """Read everything; the content is at least as new as the version that it carries."""
        version = self.version()
        workspace = self.workspace()
        if workspace is None:
            return Catalog()
        rows = self._rows.partition(workspace)
        services = [_service(row) for row in rows if row["RowKey"].startswith("service-")]
        endpoints = [self._endpoint(row) for row in rows if row["RowKey"].startswith("endpoint-")]
        self._known = {endpoint.etag: endpoint for endpoint in endpoints}
        return Catalog(workspace, version, {s.id: s for s in services}, {e.id: e for e in endpoints})

    def known(self, etag: str) -> Endpoint | None:
        """Return an endpoint as it was last read, by its row's ETag."""
        return self._known.get(etag)

    def _endpoint(self, row: Row) -> Endpoint:
        """Read a row; one whose ETag is known is not decrypted again."""
        known = self._known.get(row.etag)
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
            modified_at=row.saved_at,
            etag=row.etag,
        )


def _service(row: Row) -> WebService:
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
        modified_at=row.saved_at,
        etag=row.etag,
    )
