"""The one error of this package; its text is a sentence for the person at the terminal."""

from __future__ import annotations


class AzuriteError(Exception):
    """Azurite cannot be installed or started; the message says why and what to do."""
