"""The emulator's account, named as an account without key is."""

from __future__ import annotations

from local.azurite import Azurite

CLIENT_ID = "11111111-2222-3333-4444-555555555555"


def addresses(azurite: Azurite) -> str:
    """The endpoints alone."""
    return ";".join(part for part in azurite.connection_string.split(";") if "Endpoint=" in part)


def own_settings(azurite: Azurite) -> dict[str, str]:
    """The same as app settings, as infra/modules/functions.bicep writes them."""
    found = dict(part.split("=", 1) for part in addresses(azurite).split(";"))
    return {
        **{f"DATA_STORAGE__{name}ServiceUri": found[f"{name.title()}Endpoint"] for name in ("blob", "queue", "table")},
        "DATA_STORAGE__credential": "managedidentity",
        "DATA_STORAGE__clientId": CLIENT_ID,
    }
