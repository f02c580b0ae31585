"""
One way to call a service of the classic protocol: timeouts, bounded and jittered retries, and errors by class.

Retries within a call are short. Anything slower is the next tick's business.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit

import certifi
import urllib3
from urllib3.exceptions import HTTPError, MaxRetryError
from urllib3.util import Retry, Timeout

from shared.domain.lifecycle.remedies import Remedy, remedy_of
from shared.errors import ServiceRejected, ServiceUnavailable
from shared.logs import masked
from shared.secret import Secret
from shared.telemetry.recorder import Recorder
from shared.wire import Fault

_TIMEOUT_S = (5.0, 95.0)  # connect, read: a scoring call may take 90 s
_THIS_MACHINE = frozenset({"127.0.0.1", "localhost", "::1"})
_REPEATED_AT_ONCE = frozenset({408, 429, 500, 502, 503, 504})
_RETRIES = Retry(
    total=4,
    status_forcelist=_REPEATED_AT_ONCE,
    allowed_methods=None,
    backoff_factor=0.2,
    backoff_jitter=0.3,
    backoff_max=5,
    retry_after_max=10,
    raise_on_status=False,
)
_ONCE = Retry(total=0, raise_on_status=False)
_CONNECTIONS = 64  # kept for each service; more than a tick has threads


class ServiceCaller:
    """Sends requests with a key; safe to share between threads."""

    def __init__(self, recorder: Recorder | None = None, hidden: Iterable[Secret] = ()) -> None:
        """
        Args:
            recorder: Told of calls that belong to a run.
            hidden: Secrets that are cut out of whatever a service says: one that is confused may repeat them.
        """
        self._recorder = recorder or Recorder()
        self._hidden = tuple(secret.reveal() for secret in hidden if secret)
        # Not `requests`: a tick asks about thousands of jobs, and half of its time would go into that library.
        self._pool = urllib3.PoolManager(maxsize=_CONNECTIONS, ca_certs=certifi.where())

    def shown(self, said: str) -> str:
        """Return a service's words without credentials."""
        for secret in self._hidden:
            said = said.replace(secret, "****")
        return masked(said)

    def call(
        self,
        operation: str,
        method: str,
        url: str,
        key: Secret,
        *,
        body: Any = None,
        run_id: str = "",
        repeat: bool = True,
    ) -> Any:
        """
        Send one request.

        Args:
            operation: What is being done, for errors: "submit job of census".
            body: Sent as JSON; None sends no body.
            run_id: Correlation id, sent as the client's request id.
            repeat: Whether the call may be sent again when it failed on the way.

        Returns:
            The parsed JSON answer; None when the answer has no body.

        Raises:
            ServiceUnavailable: No answer, none that can be read, or a refusal that may pass (see `domain.remedies`).
            ServiceRejected: Any other refusal, or a redirect.
        """
        headers = {"Authorization": f"Bearer {key.reveal()}", "Accept": "application/json"}
        if run_id:
            headers["x-ms-client-request-id"] = run_id
        data = None if body is None else json.dumps(body).encode()
        if data is not None:
            headers["Content-Type"] = "application/json"
        with self._recorder.call(operation, run_id) as context:
            try:
                response = self._request(method, url, {**headers, **context}, data, _RETRIES if repeat else _ONCE)
            except (HTTPError, OSError) as failed:
                # The library's text can repeat the address; its class is what a person needs.
                raise ServiceUnavailable(operation, f"no answer ({_kind(failed)})") from None
            return self._answer(operation, response)

    def _request(
        self,
        method: str,
        url: str,
        headers: dict[str, str],
        data: bytes | None,
        retries: Retry,
        *,
        preload: bool = True,
    ) -> urllib3.BaseHTTPResponse:
        return self._pool.request(
            method,
            url,
            headers=headers,
            body=data,
            retries=retries,
            timeout=Timeout(*_TIMEOUT_S),
            redirect=False,
            preload_content=preload,
        )

    def fetch(self, operation: str, signed_url: Secret, *, limit: int) -> bytes:
        """
        Download a blob that a service named, by its address with token.

        Args:
            limit: The most bytes that are taken.

        Raises:
            ServiceUnavailable: No answer, or one that may change.
            ServiceRejected: An address that is neither https nor on this machine, a blob above the limit, or any other
                status; 401 and 403 mean that the token is no good any more.
        """
        address = urlsplit(signed_url.reveal())
        if address.scheme != "https" and address.hostname not in _THIS_MACHINE:
            raise ServiceRejected(operation, f"the service named a blob on '{address.hostname}' without https")
        response = None
        try:
            response = self._request("GET", address.geturl(), {}, None, _RETRIES, preload=False)
            if response.status != 200:
                raise self._failure(operation, response, Fault("", "the blob cannot be read"))
            data = b"".join(_bounded(response, limit))
        except (HTTPError, OSError) as failed:
            raise ServiceUnavailable(operation, f"no answer ({_kind(failed)})") from None
        finally:
            if response is not None:
                response.close()
        if len(data) > limit:
            raise ServiceRejected(operation, f"the blob has more than {limit} bytes")
        return data

    def _answer(self, operation: str, response: urllib3.BaseHTTPResponse) -> Any:
        try:
            body = json.loads(response.data) if response.data.strip() else None
        except ValueError:
            body = None
            if response.status < 400:
                raise ServiceUnavailable(operation, "the answer is no JSON", status=response.status) from None
        if response.status >= 300:
            raise self._failure(operation, response, Fault.from_wire(body))
        return body

    def _failure(
        self, operation: str, response: urllib3.BaseHTTPResponse, fault: Fault
    ) -> ServiceUnavailable | ServiceRejected:
        passing = remedy_of(fault.detail_code, response.status) in (Remedy.RETRY, Remedy.RETRY_BRIEFLY)
        return (ServiceUnavailable if passing else ServiceRejected)(
            operation,
            self.shown(fault.sentence()) or "the service gave no reason",
            status=response.status,
            code=fault.detail_code,
            request_id=response.headers.get("x-ms-request-id", ""),
        )


def _bounded(response: urllib3.BaseHTTPResponse, limit: int) -> Iterator[bytes]:
    """Yield a body up to the first piece that goes beyond the limit."""
    taken = 0
    for piece in response.stream(1 << 16):
        yield piece
        taken += len(piece)
        if taken > limit:
            return


def _kind(failed: Exception) -> str:
    reason = failed.reason if isinstance(failed, MaxRetryError) else failed
    return type(reason or failed).__name__
