"""Where the public descriptions lie that the checks compare with."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
INFRA = ROOT / "infra"


def shared(name: str) -> Path:
    """Return a folder of ../shared/data, or skip the tests that need it."""
    for parent in ROOT.parents:
        if (parent / "shared" / "data" / name).is_dir():
            return parent / "shared" / "data" / name
    pytest.skip(f"../shared/data/{name} is not here: nothing to compare with", allow_module_level=True)
