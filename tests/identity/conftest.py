"""
Storage that opens to identities: Azurite over HTTPS with OAuth, and an endpoint that hands out tokens as Azure's does.

Nothing is replaced: azure-identity asks that endpoint, storage takes the token and gives delegation keys.
"""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import certifi
import pytest
import requests.adapters
from certificates import self_signed

from local.azurite import Azurite, Certificate
from shared import storage_account
from shared.adapters.storage_layout import create_storage
from shared.secret import Secret
from tests.identity.keyless import CLIENT_ID, addresses

HEADER = "a secret of the platform"


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """A certificate for 127.0.0.1 that signs itself."""
    return self_signed(tmp_path_factory.mktemp("certificate"), "127.0.0.1")


@pytest.fixture(scope="session")
def https_azurite(certificate: Certificate) -> Iterator[Azurite]:
    with Azurite(certificate=certificate) as running:
        yield running


class _Tokens(BaseHTTPRequestHandler):
    """The platform's token endpoint, protocol 2019-08-01; storage here checks no signature."""

    asked: list[dict[str, list[str]]] = []  # noqa: RUF012 (one diary for all connections)

    def do_GET(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        self.asked.append(query)
        is_known = self.headers.get("X-IDENTITY-HEADER") == HEADER and query.get("client_id") == [CLIENT_ID]
        self.send_response(200 if is_known else 400)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        until = int(time.time()) + 3600
        answer = {"access_token": _jwt(until), "expires_on": str(until), "resource": query["resource"][0]}
        self.wfile.write(json.dumps(answer | {"token_type": "Bearer"} if is_known else {"error": "who?"}).encode())

    def log_message(self, format: str, *args: object) -> None:
        pass


def _jwt(until: int) -> str:
    now = until - 3600
    claims = {"iss": "https://sts.windows.net/tenant/", "aud": "https://storage.azure.com", "nbf": now, "iat": now}
    parts = ({"alg": "none", "typ": "JWT"}, claims | {"exp": until, "oid": "me", "tid": "tenant"})
    texts = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join([*texts, "c2lnbmF0dXJl"])


@pytest.fixture
def identity(certificate: Certificate, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, list[str]]]]:
    """A machine with a managed identity; yields what was asked of its token endpoint."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Tokens)
    _Tokens.asked.clear()
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"http://127.0.0.1:{server.server_port}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", HEADER)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate.file))
    monkeypatch.setattr(certifi, "where", lambda: str(certificate.file))  # what the services' caller trusts
    # The studio's transport reads no environment, so that no caller's proxy is used; it trusts what the library trusts.
    monkeypatch.setattr(requests.adapters, "DEFAULT_CA_BUNDLE_PATH", str(certificate.file))
    storage_account._credential.cache_clear()
    yield _Tokens.asked
    storage_account._credential.cache_clear()
    server.shutdown()
    server.server_close()


@pytest.fixture
def connection(https_azurite: Azurite, identity: object) -> Secret:
    """The app's storage as addresses and an identity; containers and tables were made by somebody with a key."""
    create_storage(Secret(https_azurite.connection_string))
    return Secret(f"{addresses(https_azurite)};Credential=managedidentity;ClientId={CLIENT_ID}")
