"""Sends a signed message to a webhook: once, without following redirects; who tries again is the caller."""

from __future__ import annotations

import requests

from shared.errors import ServiceRejected, ServiceUnavailable
from shared.secret import Secret

_TIMEOUT_S = (5, 10)  # to connect; to answer
_PASSING = frozenset({408, 425, 429})


class WebhookSender:
    """POSTs messages; an address is never in an error, since who knows it may write to the channel."""

    def __init__(self) -> None:
        self._session = requests.Session()
        self._session.trust_env = False  # a .netrc would add credentials

    def send(self, operation: str, url: Secret, body: bytes, headers: dict[str, str]) -> None:
        """
        Deliver one message.

        Raises:
            ServiceUnavailable: No answer, or one that may change (408, 425, 429, 5xx).
            ServiceRejected: Any other answer than 2xx, a redirect too.
        """
        given = {"Content-Type": "application/json", "User-Agent": "Relearn", **headers}
        try:
            answer = self._session.post(
                url.reveal(), data=body, headers=given, timeout=_TIMEOUT_S, allow_redirects=False, stream=True
            )
        except requests.RequestException as failed:
            raise ServiceUnavailable(operation, f"no answer ({type(failed).__name__})") from None
        with answer:
            status = answer.status_code
        if status in _PASSING or status >= 500:
            raise ServiceUnavailable(operation, "the webhook cannot take it now", status=status)
        if not 200 <= status < 300:
            raise ServiceRejected(operation, "the webhook refused it: check its address", status=status)
