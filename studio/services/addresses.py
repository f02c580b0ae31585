"""The public addresses of what is published."""

from __future__ import annotations

from studio.services.catalog import Endpoint


class Addresses:
    """
    Builds addresses.

    Args:
        url: Base address without trailing slash.
    """

    def __init__(self, url: str) -> None:
        self._url = url

    def absolute(self, path: str) -> str:
        """Any path of this service, which starts with a slash."""
        return f"{self._url}{path}"

    def api(self, endpoint: Endpoint) -> str:
        """`ApiLocation`: callers append /execute, /jobs or /swagger.json."""
        return f"{self._url}/workspaces/{endpoint.workspace}/services/{endpoint.id}"

    def management(self, endpoint: Endpoint) -> str:
        """Where GET, PATCH and DELETE of the endpoint go."""
        return f"{self._endpoints(endpoint)}/{endpoint.name}"

    def help(self, endpoint: Endpoint) -> str:
        """`HelpLocation`."""
        services = f"{self._url}/apihelp/workspaces/{endpoint.workspace}/webservices/{endpoint.service_id}"
        return f"{services}/endpoints/{endpoint.id}"

    def _endpoints(self, endpoint: Endpoint) -> str:
        return f"{self._url}/workspaces/{endpoint.workspace}/webservices/{endpoint.service_id}/endpoints"
