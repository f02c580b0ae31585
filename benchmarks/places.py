"""Where the benchmarks keep things: all below `.local/bench`, which `make clean` removes."""

from __future__ import annotations

from pathlib import Path

from local.places import ROOT, WORK

HERE = Path(__file__).resolve().parent
PEERS = HERE / "peers"
EXPERIMENT = HERE / "adult.toml"
BENCH = WORK / "bench"
DATA = BENCH / "data"
LOGS = BENCH / "logs"
RESULTS = BENCH / "results"

__all__ = ["BENCH", "DATA", "EXPERIMENT", "HERE", "LOGS", "PEERS", "RESULTS", "ROOT"]
