"""How threads of the learners' libraries wait for each other: the OpenMP runtime reads it when it loads."""

from __future__ import annotations

import os

# Rounds of GNU's waiting loop, some microseconds. Threads that never spin make a fit a quarter slower on a machine at
# rest; threads that spin as long as the runtime would have them, several times slower beside one busy program.
_ROUNDS = "1000"


def wait_briefly() -> None:
    """Have threads spin for a moment and then sleep, unless the environment says how they wait."""
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ["OMP_WAIT_POLICY"] = "passive"  # what other runtimes than GNU's read
        os.environ.setdefault("GOMP_SPINCOUNT", _ROUNDS)
