"""What the process that answers requests carries: not what only training needs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
HEAVY = ["numpy", "pyarrow", "pandas", "scipy", "sklearn", "lightgbm", "studio.engine.training"]


def test_the_server_and_the_worker_load_no_learner_and_no_data_library() -> None:
    code = (
        f"import json, sys, studio.server, studio.worker; print(json.dumps([m for m in {HEAVY} if m in sys.modules]))"
    )

    finished = subprocess.run(  # noqa: S603
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )

    assert json.loads(finished.stdout) == []
