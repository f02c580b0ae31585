"""Keys of the host: taken from settings, or made for this run."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from local.host.settings import Settings
from shared.secret import Secret

MASTER_KEY, FUNCTION_KEY, BLOBS_KEY = "LOCAL_HOST_MASTER_KEY", "LOCAL_HOST_FUNCTION_KEY", "LOCAL_HOST_BLOBS_KEY"
KEY_SETTINGS = (MASTER_KEY, FUNCTION_KEY, BLOBS_KEY)


@dataclass(frozen=True)
class Keys:
    """
    The host's keys.

    `master` opens everything; `function` is the host key `default`, for every function; `blobs` is the system key
    `blobs_extension`, for the Event Grid webhook.
    """

    master: Secret
    function: Secret
    blobs: Secret

    @classmethod
    def from_settings(cls, settings: Settings) -> Keys:
        """Take each key from its setting, or make one."""
        return cls(*(Secret(settings.get(name) or secrets.token_urlsafe(32)) for name in KEY_SETTINGS))

    def is_master(self, offered: str) -> bool:
        """Whether this is the master key."""
        return self.master.matches(offered)

    def opens_function(self, offered: str, auth_level: str) -> bool:
        """Whether a key opens a function of an auth level (`anonymous`, `function`, `admin`)."""
        if auth_level == "anonymous" or self.is_master(offered):
            return True
        return auth_level == "function" and self.function.matches(offered)

    def opens_webhook(self, offered: str) -> bool:
        """Whether a key opens the Event Grid webhook."""
        return self.is_master(offered) or self.blobs.matches(offered)
