"""Hosts that callers name: private addresses behind public names, names that change, answers without end."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from shared.secret import Secret
from shared.wire import BlobReference
from studio.blobs import blob_access, pinned_transport
from studio.blobs.blob_access import BlobAccess, BlobFault, BlobUnreachable
from studio.blobs.connection import StorageAccount
from studio.blobs.pinned_transport import AddressRefused, checked_address, is_public
from tests.tools.local_server import LocalServer, QuietHandler

OWN = StorageAccount("https://own.example", "own", key=Secret("a2V5"))


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",  # where clouds tell a machine its secrets
        "100.64.0.1",
        "0.0.0.0",  # noqa: S104 - an address to refuse
        "224.0.0.1",
        "::1",
        "fe80::1%eth0",
        "fd00::1",
        "::ffff:10.0.0.1",
        "64:ff9b::a9fe:a9fe",
        "2002:0a00:0001::",
    ],
)
def test_an_address_inside_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["20.60.1.1", "2603:1030::1", "::ffff:20.60.1.1", "64:ff9b::143c:101"])
def test_an_address_outside_is_public(address: str) -> None:
    assert is_public(address)


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Have a name lead to these addresses, one list per question; returns the questions asked."""

    def lead_to(*answers: list[str]) -> list[str]:
        asked: list[str] = []

        def answer(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
            if host.replace(".", "").isdigit():  # the connection to the address itself
                return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port))]
            asked.append(host)
            addresses = answers[min(len(asked), len(answers)) - 1]
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

        monkeypatch.setattr(pinned_transport.socket, "getaddrinfo", answer)
        return asked

    return lead_to


def test_a_name_with_one_private_address_is_refused(names: Callable[..., list[str]]) -> None:
    names(["20.60.1.1", "10.0.0.1"])

    with pytest.raises(AddressRefused, match=r"'a\.example' leads to 10\.0\.0\.1"):
        checked_address("a.example", 443, is_private=False)


def reading(*hosts: str) -> Callable[[], bytes]:
    reference = BlobReference("box/a.csv", base_location="https://a.example/", sas_token=Secret("?sig=topsecret"))
    return lambda: BlobAccess(OWN, frozenset(hosts)).read(reference)


def test_an_allowed_name_that_leads_inside_is_refused_before_anything_is_sent(names: Callable[..., list[str]]) -> None:
    names(["169.254.169.254"])

    with pytest.raises(BlobFault, match="not a public address") as caught:
        reading("a.example")()

    assert not isinstance(caught.value, BlobUnreachable)
    assert "topsecret" not in str(caught.value)


class _Handler(QuietHandler):
    host: Host

    def do_GET(self) -> None:
        self.host.hosts.append(self.headers["Host"])
        self.host.answer(self)


class Host(LocalServer):
    """A storage account that answers as the test says, and notes by which name it was asked."""

    def __init__(self) -> None:
        self.hosts: list[str] = []
        self.answer: Callable[[BaseHTTPRequestHandler], None] = whole
        super().__init__(_Handler, host=self)


@pytest.fixture
def host() -> Iterator[Host]:
    with Host() as host:
        yield host


def at(server: Host, name: str = "127.0.0.1") -> tuple[BlobAccess, BlobReference]:
    place = f"{name}:{server.port}"
    own = StorageAccount(f"http://{place}/own", "own", key=Secret("a2V5"))
    return BlobAccess(own, frozenset({place})), BlobReference("box/a.csv", base_location=f"http://{place}/own/")


def whole(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(206)
    for name, value in (("Content-Length", "4"), ("Content-Range", "bytes 0-3/4"), ("ETag", '"1"')):
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(b"rows")


def test_a_name_is_resolved_once_and_the_request_goes_there_under_its_name(
    host: Host, names: Callable[..., list[str]]
) -> None:
    host.answer = whole
    blobs, reference = at(host, "storage.example")
    asked = names(["127.0.0.1"], ["192.0.2.1"])

    data = blobs.read(reference)

    assert data == b"rows"
    assert asked.count("storage.example") == 1
    assert host.hosts == [f"storage.example:{host.port}"]


def endless(handler: BaseHTTPRequestHandler) -> None:
    """Say four bytes, send without end."""
    handler.send_response(206)
    for name, value in (("Content-Range", "bytes 0-3/4"), ("ETag", '"1"'), ("Connection", "close")):
        handler.send_header(name, value)
    handler.end_headers()
    try:
        while True:
            handler.wfile.write(b"x" * 2**16)
    except OSError:
        return


def endless_error(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(404)
    handler.send_header("Connection", "close")
    handler.end_headers()
    try:
        while True:
            handler.wfile.write(b"x" * 2**16)
    except OSError:
        return


@pytest.mark.parametrize("answer", [endless, endless_error])
def test_an_answer_without_end_is_cut_off(
    host: Host, answer: Callable[[BaseHTTPRequestHandler], None], tmp_path: Path
) -> None:
    host.answer = answer
    blobs, reference = at(host)

    with pytest.raises(BlobFault, match=r"sends more than it was asked for|cannot be read"):
        blobs.download(reference, tmp_path / "copy", limit=2**30)

    assert (tmp_path / "copy").stat().st_size < 20 * 2**20


def lying(handler: BaseHTTPRequestHandler) -> None:
    """Say that the blob is larger than any that is read."""
    handler.send_response(206)
    for name, value in (("Content-Length", "4"), ("Content-Range", f"bytes 0-3/{2**50}"), ("ETag", '"1"')):
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(b"rows")


def test_a_blob_that_says_it_is_too_large_is_not_read(host: Host) -> None:
    host.answer = lying
    blobs, reference = at(host)

    with pytest.raises(BlobFault, match="this service reads at most"):
        blobs.read(reference)


def failing(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(503)
    handler.send_header("Content-Length", "0")
    handler.end_headers()


def test_an_account_that_says_later_may_be_asked_again(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(blob_access._RETRIES, "retry_total", 1)
    host.answer = failing
    blobs, reference = at(host)

    with pytest.raises(BlobUnreachable, match="answered 503"):
        blobs.read(reference)


def test_a_name_that_leads_nowhere_may_be_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> list[Any]:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(pinned_transport.socket, "getaddrinfo", refuse)

    with pytest.raises(BlobUnreachable, match="has no address"):
        reading("a.example")()
