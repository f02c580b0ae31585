"""Storage accounts as connection strings name them: with an account key, a signature, or the service's own identity."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from shared.secret import Secret
from shared.storage_account import fields_of, is_keyless

_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
PRIVATE = "private:"  # before a host on the allow-list: its name may lead to a private address

_DEFAULT_PORTS = {"https": 443, "http": 80}


class ConnectionStringError(ValueError):
    """A connection string cannot be used; the text says why and never repeats it."""


@dataclass(frozen=True)
class StorageAccount:
    """Where an account's blobs are, and the one thing that opens them; `identity` only for the own account."""

    blob_endpoint: str  # without trailing slash
    table_endpoint: str = ""  # without trailing slash; only for the own account, opened by its key
    name: str = ""
    key: Secret | None = None
    signature: Secret | None = None  # without leading question mark
    identity: Secret | None = None  # a connection string without key (shared.storage_account)

    @property
    def base_location(self) -> str:
        """The protocol's BaseLocation: the blob endpoint with its closing slash."""
        return f"{self.blob_endpoint}/"

    @classmethod
    def own(cls, connection: Secret) -> StorageAccount:
        """
        Read the connection string of the service's own account, which an identity may open.

        Raises:
            ConnectionStringError: As `parse` does, or an address that an identity's token must not go to.
        """
        if not is_keyless(connection):
            return cls.parse(connection)
        fields = fields_of(connection)
        for name in ("blobendpoint", "queueendpoint", "tableendpoint"):
            if location_of(fields.get(name, "")).scheme != "https":
                raise ConnectionStringError(f"without a key it needs an https address as {name}")
        return cls(fields["blobendpoint"].rstrip("/"), identity=connection)

    @classmethod
    def parse(cls, connection: Secret) -> StorageAccount:
        """
        Read a connection string; the order and case of its keys do not matter.

        Raises:
            ConnectionStringError: Neither key nor signature, no account, or an endpoint that is no http(s) address.
        """
        fields = fields_of(connection)
        name, key = fields.get("accountname", ""), fields.get("accountkey", "")
        signature = fields.get("sharedaccesssignature", "").lstrip("?")
        if not signature and not (name and key):
            raise ConnectionStringError("it needs AccountName and AccountKey, or SharedAccessSignature")
        endpoint = fields.get("blobendpoint") or _public_endpoint(fields, name, "blob")
        location_of(endpoint)
        if key and name:
            tables = fields.get("tableendpoint") or _public_endpoint(fields, name, "table")
            return cls(endpoint.rstrip("/"), tables.rstrip("/"), name, key=Secret(key))
        return cls(endpoint.rstrip("/"), name=name, signature=Secret(signature))


@dataclass(frozen=True)
class Location:
    """Scheme, host and port of an address."""

    scheme: str
    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        """Whether the host is this machine, by name."""
        return self.host in _LOOPBACK

    def is_listed(self, hosts: frozenset[str]) -> bool:
        """Whether an allow-list of `host` (the scheme's default port) or `host:port` names this place."""
        return any(name in hosts or f"{PRIVATE}{name}" in hosts for name in self._names)

    def is_listed_as_private(self, hosts: frozenset[str]) -> bool:
        """Whether the allow-list says that this place may have a private address; an address itself says so."""
        is_address = ":" in self.host or self.host.replace(".", "").isdigit()
        return is_address or any(f"{PRIVATE}{name}" in hosts for name in self._names)

    @property
    def _names(self) -> tuple[str, ...]:
        exact = f"{self.host}:{self.port}"
        return (exact, self.host) if self.port == _DEFAULT_PORTS[self.scheme] else (exact,)


def location_of(address: str) -> Location:
    """
    Return where an address leads.

    Raises:
        ConnectionStringError: Not http or https, no host, a port that is none, or user information in it.
    """
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        raise ConnectionStringError("its blob endpoint is not an address") from None
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        raise ConnectionStringError("its blob endpoint must be an http or https address")
    if parts.username is not None or parts.query or parts.fragment:
        raise ConnectionStringError("its blob endpoint must hold host and path only")
    return Location(parts.scheme, parts.hostname.lower(), port or _DEFAULT_PORTS[parts.scheme])


def _public_endpoint(fields: dict[str, str], name: str, service: str) -> str:
    if not name:
        raise ConnectionStringError("it needs AccountName or BlobEndpoint")
    scheme = fields.get("defaultendpointsprotocol") or "https"
    suffix = fields.get("endpointsuffix") or "core.windows.net"
    return f"{scheme}://{name}.{service}.{suffix}"
