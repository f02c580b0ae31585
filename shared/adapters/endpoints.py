"""Client of a scoring endpoint: its management resource and its scoring address. Source: docs/protocol.md, "RRS"."""

from __future__ import annotations

from collections.abc import Sequence

from shared.adapters.http import ServiceCaller
from shared.domain.measuring.echo import disorder
from shared.domain.model import ScoringEndpoint
from shared.errors import RowsMixedUp, ServiceRejected
from shared.wire import BlobReference, Cell, Endpoint, Resource, Table, resource_update, scoring_answer, scoring_request

_ROWS_AT_ONCE = 1000


class EndpointClient:
    """Reads, updates and asks one scoring endpoint."""

    def __init__(self, caller: ServiceCaller, endpoint: ScoringEndpoint, name: str) -> None:
        self._caller, self._endpoint, self.name = caller, endpoint, name
        self._api_location = ""

    def describe(self, run_id: str = "") -> Endpoint:
        """Read the endpoint's description, with a fresh reference to the model it holds."""
        answer = self._caller.call(
            f"read endpoint '{self.name}'", "GET", self._endpoint.url, self._endpoint.key, run_id=run_id
        )
        endpoint = Endpoint.from_wire(answer)
        self._api_location = endpoint.api_location
        return endpoint

    def resource(self, name: str, run_id: str = "") -> Resource:
        """Return the updatable model called `name`."""
        resources = self.describe(run_id).resources
        found = next((resource for resource in resources if resource.name == name), None)
        if found is None:
            known = ", ".join(f"'{resource.name}'" for resource in resources) or "none"
            said = f"it has no updatable resource '{name}' (it has {known}); correct `scoring.resource` in models.toml"
            raise ServiceRejected(f"read endpoint '{self.name}'", said)
        return found

    def update(self, resource: str, model: BlobReference, run_id: str) -> None:
        """Give the endpoint another model; it may take the service some seconds to answer with it."""
        body = resource_update([Resource(resource, model)])
        operation = f"update endpoint '{self.name}'"
        self._caller.call(operation, "PATCH", self._endpoint.url, self._endpoint.key, body=body, run_id=run_id)

    def score(self, columns: tuple[str, ...], rows: Sequence[Sequence[Cell]], run_id: str) -> Table:
        """
        Score rows, a thousand a call; the answer's rows are in the order given.

        Raises:
            RowsMixedUp: The service answered other rows, or in another order, as far as what it repeats of them tells.
        """
        if not self._api_location:
            self.describe(run_id)
        parts = [
            self._score(Table(columns, rows[at : at + _ROWS_AT_ONCE]), run_id)
            for at in range(0, len(rows), _ROWS_AT_ONCE)
        ]
        return Table(parts[0].columns, [row for part in parts for row in part.rows]) if parts else Table((), [])

    def _score(self, table: Table, run_id: str) -> Table:
        url = f"{self._api_location}/execute?api-version=2.0&details=true"
        operation = f"score {len(table.rows)} rows on endpoint '{self.name}'"
        body = scoring_request(table)
        answer = scoring_answer(self._caller.call(operation, "POST", url, self._endpoint.key, body=body, run_id=run_id))
        if len(answer.rows) != len(table.rows):
            raise RowsMixedUp(operation, f"{len(answer.rows)} rows came back")
        if problem := disorder(table, answer):
            raise RowsMixedUp(operation, problem)
        return answer
