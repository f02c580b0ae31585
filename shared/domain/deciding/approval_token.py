"""
The token of an approval link: whoever holds it may decide one held run, once, until it expires.

It is signed, holds no secret and needs no store: it names the moment at which the run was held, so it is worth nothing
once the run has been decided or is held anew.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import UTC, datetime

from shared.secret import Secret

_LEAST_SECRET = 32  # characters


@dataclass(frozen=True)
class Claim:
    """
    What a token says.

    Attributes:
        run_id: The run that it decides.
        held_at: When that run was held.
        expires_at: When the token stops counting.
        to: To whom it was sent; recorded as who decided.
    """

    run_id: str
    held_at: datetime
    expires_at: datetime
    to: str


def signed(claim: Claim, secret: Secret) -> str:
    """
    Return a token, fit for a URL.

    Raises:
        ValueError: The secret is too short to sign with.
    """
    if not is_strong(secret):
        raise ValueError(f"a signing secret has at least {_LEAST_SECRET} characters")
    fields = [claim.run_id, claim.held_at.isoformat(), int(claim.expires_at.timestamp()), claim.to]
    payload = _encoded(json.dumps(fields, ensure_ascii=False).encode())
    return f"{payload}.{_signature(payload, secret)}"


def read(token: str, secret: Secret, now: datetime) -> Claim | None:
    """Return what a token says; None where it is not ours or has expired."""
    payload, _, signature = token.partition(".")
    if not is_strong(secret) or not hmac.compare_digest(_signature(payload, secret).encode(), signature.encode()):
        return None
    try:
        run_id, held_at, expires, to = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        claim = Claim(run_id, datetime.fromisoformat(held_at), datetime.fromtimestamp(expires, UTC), to)
    except (binascii.Error, ValueError, TypeError):
        return None
    return claim if now < claim.expires_at else None


def is_strong(secret: Secret) -> bool:
    """Whether a secret is long enough to sign with."""
    return len(secret.reveal()) >= _LEAST_SECRET


def _signature(payload: str, secret: Secret) -> str:
    return _encoded(hmac.digest(secret.reveal().encode(), b"approval:" + payload.encode(), hashlib.sha256))


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
