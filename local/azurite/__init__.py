"""
Azurite, Microsoft's storage emulator, pinned and started on loopback ports.

`package.json` and `package-lock.json` fix every version by integrity hash; `install` puts them into `.local` once, on
the machine's Node or the one from PyPI; `Azurite` runs it. Data outlives a stop by SIGTERM, which flushes; a kill right
after a write may lose it.
"""

from __future__ import annotations

from local.azurite.errors import AzuriteError
from local.azurite.process import Azurite, Certificate, Ports

__all__ = ["Azurite", "AzuriteError", "Certificate", "Ports"]
