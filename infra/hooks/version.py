"""
Write which commit is deployed into shared/VERSION: `python3 -m infra.hooks.version`.

azd runs it before it packs a service: neither the package nor the images' build context has the repository's history.
"""

from __future__ import annotations

import sys
from pathlib import Path

from infra.hooks.azure_cli import ROOT
from shared.version import BAKED, UNKNOWN, commit


def main(root: Path = ROOT) -> int:
    """Write the file; where no commit is to be had, it says so, and nothing stops."""
    version = commit(root) or UNKNOWN
    (root / "shared" / BAKED.name).write_text(version, encoding="utf-8")
    print(f"shared/{BAKED.name} says {version}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
