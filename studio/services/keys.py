"""API keys, identifiers, and the vault that keeps keys and job requests unreadable at rest."""

from __future__ import annotations

import base64
import os
import re
import uuid

from cryptography.fernet import Fernet, InvalidToken

from shared.secret import Secret

_ID = re.compile(r"[0-9a-f]{32}")
_KEY_BYTES = 64  # 88 characters of base64, as the classic service issued


class VaultError(Exception):
    """Something stored cannot be opened: STUDIO_SECRET is not the one it was stored under."""


class Vault:
    """
    Encrypts and authenticates what is stored (Fernet: AES-128-CBC with HMAC-SHA256).

    Args:
        secret: 32 bytes in urlsafe base64.

    Raises:
        ValueError: The secret has another length or alphabet.
    """

    def __init__(self, secret: Secret) -> None:
        self._fernet = Fernet(secret.reveal().encode())

    def lock(self, data: bytes) -> bytes:
        """Return the encrypted form of `data`, about a third longer."""
        return self._fernet.encrypt(data)

    def unlock(self, data: bytes) -> bytes:
        """Return what `lock` was given; VaultError when another secret locked it or it was altered."""
        try:
            return self._fernet.decrypt(data)
        except InvalidToken:
            raise VaultError(
                "what is stored was encrypted under another STUDIO_SECRET; start the service with the secret it was "
                "published with"
            ) from None


def new_key() -> Secret:
    """Draw an API key: 64 random bytes in base64."""
    return Secret(base64.b64encode(os.urandom(_KEY_BYTES)).decode())


def new_id() -> str:
    """Draw an identifier: 32 lower-case hex digits."""
    return uuid.uuid4().hex


def is_id(text: str) -> bool:
    """Whether a text has the form of an identifier."""
    return _ID.fullmatch(text) is not None


def bearer_key(authorization: str) -> str:
    """Return the key of an `Authorization: Bearer …` header, the scheme in any case; empty for any other header."""
    scheme, _, key = authorization.strip().partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""
