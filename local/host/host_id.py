"""The host's id: it names leases, receipts and the blob queue, so that two apps may share a storage account."""

from __future__ import annotations

import hashlib
import platform
import re
from pathlib import Path

from local.host.settings import Settings

_LONGEST = 32
_N_HASH = 8


def host_id(directory: Path, settings: Settings) -> str:
    """Return the setting `AzureFunctionsWebHost__hostid`, else this machine's name and a hash of the app's folder."""
    given = settings.get("AzureFunctionsWebHost__hostid")
    if given:
        return given.lower()
    machine = re.sub(r"[^a-z0-9]+", "-", platform.node().lower()).strip("-") or "local"
    digest = hashlib.sha256(str(directory.resolve()).encode()).hexdigest()[:_N_HASH]
    return f"{machine[: _LONGEST - _N_HASH - 1].strip('-')}-{digest}"
