"""
HTTP to one address that was checked: the name is resolved once, and the request goes where the check looked.

A name could otherwise lead to a public address when it is checked and to a private one when it is used. What comes back
is bounded in size and time, since whoever owns the host decides what it answers.
"""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Callable, Iterator
from ssl import SSLCertVerificationError
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import requests
from azure.core.pipeline.transport import RequestsTransport
from requests.adapters import HTTPAdapter
from urllib3.util.ssl_match_hostname import CertificateError

MAX_RESPONSE_BYTES = 17 * 2**20
MAX_RESPONSE_S = 600.0

_BLOCK_BYTES = 2**20  # the library reads 4 kB at a time, which costs more than what it reads

_NAT64 = ipaddress.ip_network("64:ff9b::/96")

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class AddressRefused(Exception):
    """A host's name leads where this service does not connect; the text says where."""


class Unresolved(Exception):
    """A host's name leads nowhere at present."""


class CertificateRefused(Exception):
    """A host shows no certificate that is trusted for its name; trying again would find the same."""


class AnswerRefused(Exception):
    """A host answered with more, or slower, than anything that is asked here takes."""


def checked_address(host: str, port: int, *, is_private: bool) -> str:
    """
    Resolve a name, once, and return the address to connect to.

    Args:
        is_private: Whether the operator said that this host has a private address.

    Raises:
        AddressRefused: One of its addresses is not public.
        Unresolved: There is no such name, or no answer.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise Unresolved(f"'{host}' has no address: {error}") from error
    addresses = [str(entry[4][0]) for entry in found]
    inward = [address for address in addresses if not is_public(address)]
    if inward and not is_private:
        raise AddressRefused(f"'{host}' leads to {inward[0]}, which is not a public address")
    return addresses[0]


def is_public(address: str) -> bool:
    """Whether an address belongs to the public internet, also where it holds another one inside."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    inner = _embedded(parsed)
    is_outward = parsed.is_global and not parsed.is_multicast
    return is_public(str(inner)) if inner is not None else is_outward


def _embedded(address: _Address) -> ipaddress.IPv4Address | None:
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour


def pinned_transport(host: str, address: str) -> RequestsTransport:
    """Make a transport that connects to `address` whatever `host` means by then; its certificate must be for `host`."""
    session = requests.Session()
    session.trust_env = False  # a proxy would resolve the name once more
    session.mount("https://", _PinnedAdapter(address, {"server_hostname": host, "assert_hostname": host}))
    session.mount("http://", _PinnedAdapter(address, {}))
    return RequestsTransport(session=session, use_env_settings=False, connection_data_block_size=_BLOCK_BYTES)


class _PinnedAdapter(HTTPAdapter):
    def __init__(self, address: str, pool_options: dict[str, Any]) -> None:
        self._host = f"[{address}]" if ":" in address else address
        self._pool_options = pool_options
        super().__init__()

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **options: Any) -> None:
        super().init_poolmanager(connections, maxsize, block, **options, **self._pool_options)

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        """Send to the pinned address; the request goes on naming its host."""
        parts = urlsplit(str(request.url))
        request.headers["Host"] = parts.netloc
        port = f":{parts.port}" if parts.port else ""
        request.url = urlunsplit(parts._replace(netloc=f"{self._host}{port}"))
        try:
            response = super().send(request, *args, **options)
        except requests.exceptions.SSLError as error:
            if not _is_about_the_certificate(error):
                raise
            raise CertificateRefused(
                f"'{parts.hostname}' shows no certificate that this service trusts for that name"
            ) from None
        response.raw.stream = _bounded(response.raw.stream)  # type: ignore[method-assign]
        return response


def _is_about_the_certificate(error: BaseException) -> bool:
    """Look inside: requests, urllib3 and ssl each wrap what the next one says."""
    if isinstance(error, SSLCertVerificationError | CertificateError):
        return True
    inner = [getattr(error, "reason", None), *error.args]
    return any(_is_about_the_certificate(one) for one in inner if isinstance(one, BaseException))


def _bounded(stream: Callable[..., Iterator[bytes]]) -> Callable[..., Iterator[bytes]]:
    def parts(*args: Any, **options: Any) -> Iterator[bytes]:
        n_bytes, until = 0, time.monotonic() + MAX_RESPONSE_S
        for part in stream(*args, **options):
            n_bytes += len(part)
            if n_bytes > MAX_RESPONSE_BYTES or time.monotonic() > until:
                raise AnswerRefused("the host sends more than it was asked for, or too slowly")
            yield part

    return parts
