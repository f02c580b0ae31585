"""
How a storage account is opened: by the key in a connection string, or by its addresses and an identity.

The second form is a connection string without key: `BlobEndpoint=…;QueueEndpoint=…;TableEndpoint=…`, with
`Credential=managedidentity` and perhaps `ClientId=…` where the identity is a managed one; else whoever is signed in.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from shared.secret import Secret

if TYPE_CHECKING:  # each library is imported by what needs it: some programs use one alone
    from azure.core.credentials import TokenCredential
    from azure.data.tables import TableServiceClient
    from azure.storage.blob import BlobSasPermissions, BlobServiceClient, UserDelegationKey

_BACKDATED = timedelta(minutes=5)  # the clocks of storage and service may differ
_LONGEST_KEY = timedelta(days=7)  # what storage grants at most
_KEY_LIFE = timedelta(days=1)  # beyond what the first token needs, so that later tokens find the key still good

_MANAGED = "managedidentity"


def fields_of(connection: Secret) -> dict[str, str]:
    """Return a connection string's fields, names in lower case."""
    pairs = (part.partition("=") for part in connection.reveal().split(";") if part.strip())
    return {key.strip().lower(): value.strip() for key, _, value in pairs}


def is_keyless(connection: Secret) -> bool:
    """Whether an identity, and no secret of the connection string, opens the account."""
    fields = fields_of(connection)
    return "blobendpoint" in fields and not {"accountkey", "sharedaccesssignature"} & fields.keys()


def keyless(blob: str, queue: str, table: str, *, credential: str = "", client_id: str = "") -> Secret:
    """Write the second form from the addresses of an account's three services."""
    text = f"BlobEndpoint={blob};QueueEndpoint={queue};TableEndpoint={table}"
    text += f";Credential={credential}" if credential else ""
    return Secret(text + (f";ClientId={client_id}" if client_id else ""))


def blob_service(connection: Secret, **options: Any) -> BlobServiceClient:
    """Open an account's blobs."""
    from azure.storage.blob import BlobServiceClient

    if not is_keyless(connection):
        return BlobServiceClient.from_connection_string(connection.reveal(), **options)
    return BlobServiceClient(fields_of(connection)["blobendpoint"], credential=credential_of(connection), **options)


def table_service(connection: Secret, **options: Any) -> TableServiceClient:
    """Open an account's tables."""
    from azure.data.tables import TableServiceClient

    if not is_keyless(connection):
        return TableServiceClient.from_connection_string(connection.reveal(), **options)
    return TableServiceClient(fields_of(connection)["tableendpoint"], credential=credential_of(connection), **options)


def credential_of(connection: Secret) -> TokenCredential:
    """Return the identity that a keyless connection names; it asks for a token at first use, and keeps it."""
    fields = fields_of(connection)
    return _credential(fields.get("credential", "").lower(), fields.get("clientid", ""))


@lru_cache
def _credential(kind: str, client_id: str) -> TokenCredential:
    # Imported only here: with a connection string nobody waits for it.
    from azure.identity import DefaultAzureCredential, ManagedIdentityCredential

    if kind == _MANAGED:
        return ManagedIdentityCredential(client_id=client_id or None)
    return DefaultAzureCredential(managed_identity_client_id=client_id) if client_id else DefaultAzureCredential()


@dataclass(frozen=True)
class _DelegationKey:
    key: UserDelegationKey
    until: datetime


class BlobSigner:
    """
    Signs tokens for single blobs of one account, with its key or with a key delegated to the identity.

    A delegated key is fetched once a day; a token ends with the key that signed it. Safe to share between threads.
    """

    def __init__(self, service: BlobServiceClient) -> None:
        self._service = service
        self._delegated: _DelegationKey | None = None
        self._lock = threading.Lock()

    def token(
        self, container: str, blob: str, permission: BlobSasPermissions, lifetime: timedelta, now: datetime
    ) -> Secret:
        """
        Return a token for one blob, without question mark.

        Args:
            lifetime: From now; one of an identity ends after seven days at the latest.
        """
        from azure.storage.blob import generate_blob_sas

        until = now + lifetime
        signing: dict[str, Any] = {}
        account_key = getattr(self._service.credential, "account_key", None)
        if account_key is not None:
            signing["account_key"] = account_key
        else:
            delegated = self._delegated_until(until, now)
            signing["user_delegation_key"], until = delegated.key, min(until, delegated.until)
        return Secret(
            generate_blob_sas(
                str(self._service.account_name),
                container,
                blob,
                permission=permission,
                start=now - _BACKDATED,
                expiry=until,
                **signing,
            )
        )

    def _delegated_until(self, until: datetime, now: datetime) -> _DelegationKey:
        with self._lock:
            known = self._delegated
            latest = now + _LONGEST_KEY - _BACKDATED
            if known is None or known.until < min(until, latest - _KEY_LIFE):
                end = min(until + _KEY_LIFE, latest).astimezone(UTC).replace(microsecond=0)
                known = _DelegationKey(self._service.get_user_delegation_key(now - _BACKDATED, end), end)
                self._delegated = known
            return known
