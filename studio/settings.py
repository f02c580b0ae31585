"""The service's settings: read from the environment once, in one place, every problem reported together."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from shared.errors import ConfigError
from shared.secret import Secret
from studio.blobs.connection import ConnectionStringError, StorageAccount, location_of
from studio.operation import Operation
from studio.services.keys import is_id

_HOST = re.compile(r"(private:)?([a-z0-9.-]+(:\d{1,5})?|\[[0-9a-f:]+\](:\d{1,5})?)")
_SECRET_BYTES = 32
_LOOPBACK = ("127.0.0.1", "::1")


@dataclass(frozen=True)
class Settings:
    """
    What the environment says.

    `storage` is a connection string with an account key, or with addresses alone for an identity; `url` the public
    base address without trailing slash; `blob_hosts` holds `host` or `host:port` in lower case, with `private:` before
    those that may have private addresses, and always includes the service's own storage; `trusted_proxies` are the
    addresses and networks whose word about the caller's address counts.
    """

    storage: Secret
    url: str
    secret: Secret
    workspace: str | None
    workspace_token: Secret | None
    blob_hosts: frozenset[str]
    operation: Operation = field(default_factory=Operation)
    trusted_proxies: tuple[str, ...] = _LOOPBACK

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Settings:
        """
        Read STUDIO_STORAGE, STUDIO_URL, STUDIO_SECRET, STUDIO_WORKSPACE, STUDIO_WORKSPACE_TOKEN, STUDIO_BLOB_HOSTS,
        STUDIO_TRUSTED_PROXIES, and what `Operation` reads.

        Raises:
            ConfigError: One sentence for each setting that cannot be used; none repeats a secret.
        """
        problems: list[str] = []
        storage = Secret(env.get("STUDIO_STORAGE", ""))
        own_host = _own_host(storage, problems)
        settings = cls(
            storage=storage,
            url=_url(env.get("STUDIO_URL", ""), problems),
            secret=_secret(env.get("STUDIO_SECRET", ""), problems),
            workspace=_workspace(env.get("STUDIO_WORKSPACE", ""), problems),
            workspace_token=_token(env.get("STUDIO_WORKSPACE_TOKEN", ""), problems),
            blob_hosts=_hosts(env.get("STUDIO_BLOB_HOSTS", ""), problems) | own_host,
            operation=Operation.from_env(env, problems),
            trusted_proxies=_proxies(env.get("STUDIO_TRUSTED_PROXIES", ""), problems),
        )
        if problems:
            raise ConfigError("environment", problems)
        return settings


def _own_host(storage: Secret, problems: list[str]) -> frozenset[str]:
    if not storage:
        problems.append("STUDIO_STORAGE is missing: give the storage account's connection string")
        return frozenset()
    try:
        account = StorageAccount.own(storage)
        place = location_of(account.blob_endpoint)
    except ConnectionStringError as error:
        problems.append(f"STUDIO_STORAGE is no usable connection string: {error}")
        return frozenset()
    if account.signature is not None:
        problems.append(
            "STUDIO_STORAGE must hold AccountKey, or addresses alone for an identity: the service signs tokens"
        )
    return frozenset({f"{place.host}:{place.port}"})


def _url(text: str, problems: list[str]) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        problems.append("STUDIO_URL must be the public base address, for example http://127.0.0.1:5100")
    return text.rstrip("/")


def _secret(text: str, problems: list[str]) -> Secret:
    try:
        n_bytes = len(base64.b64decode(text, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError):
        n_bytes = 0
    if n_bytes != _SECRET_BYTES:
        problems.append(
            f"STUDIO_SECRET must be {_SECRET_BYTES} random bytes in urlsafe base64; make one with: "
            'python -c "import base64, os; print(base64.urlsafe_b64encode(os.urandom(32)).decode())"'
        )
    return Secret(text)


def _workspace(text: str, problems: list[str]) -> str | None:
    if text and not is_id(text):
        problems.append(f"STUDIO_WORKSPACE must be 32 lower-case hex digits, got {len(text)} characters")
    return text or None


def _token(text: str, problems: list[str]) -> Secret | None:
    if text and len(text) < _SECRET_BYTES:
        problems.append(f"STUDIO_WORKSPACE_TOKEN must have at least {_SECRET_BYTES} characters, got {len(text)}")
    return Secret(text) if text else None


def _hosts(text: str, problems: list[str]) -> frozenset[str]:
    hosts = {part.strip().lower() for part in text.split(",") if part.strip()}
    wrong = sorted(host for host in hosts if not _HOST.fullmatch(host))
    if wrong:
        problems.append(f"STUDIO_BLOB_HOSTS must list host or host:port, separated by commas; not one: {wrong}")
    return frozenset(hosts)


def _proxies(text: str, problems: list[str]) -> tuple[str, ...]:
    proxies = tuple(part.strip() for part in text.split(",") if part.strip())
    wrong = [proxy for proxy in proxies if not _is_network(proxy)]
    if wrong:
        problems.append(
            "STUDIO_TRUSTED_PROXIES must list IP addresses or networks (10.0.0.0/8), separated by commas; "
            f"not one: {wrong}"
        )
    return proxies or _LOOPBACK


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text)
    except ValueError:
        return False
    return True
