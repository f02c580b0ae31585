"""How many calls an endpoint scores at once; more are refused: clients of the classic service know how to wait."""

from __future__ import annotations

from studio.errors import Unavailable
from studio.services.catalog import Endpoint


class Admission:
    """Counts the scoring calls under way in this process, by endpoint. Used from the event loop alone, so no locks."""

    def __init__(self) -> None:
        self._calls: dict[str, int] = {}

    def enter(self, endpoint: Endpoint) -> None:
        """Admit one call, which must `leave` however it ends; raises what `check` raises."""
        self.check(endpoint)
        self._calls[endpoint.id] = self._calls.get(endpoint.id, 0) + 1

    def check(self, endpoint: Endpoint) -> None:
        """
        Look whether one more call is admitted.

        Raises:
            Unavailable: RequestThrottled, as many calls as the endpoint takes are under way.
        """
        if self._calls.get(endpoint.id, 0) >= endpoint.max_concurrent_calls:
            raise Unavailable(
                "RequestThrottled",
                f"endpoint '{endpoint.name}' is scoring its maximum of {endpoint.max_concurrent_calls} concurrent "
                "call(s); try again after a growing pause, or raise MaxConcurrentCalls (at most 200) with a PATCH",
            )

    def leave(self, endpoint: Endpoint) -> None:
        """End one admitted call; endpoints without calls take no memory."""
        n_calls = self._calls[endpoint.id] - 1
        if n_calls:
            self._calls[endpoint.id] = n_calls
        else:
            del self._calls[endpoint.id]
