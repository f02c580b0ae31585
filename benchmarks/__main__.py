"""
Measures Relearn beside its peers.

    python -m benchmarks [NAME|all] [--rounds N] [--quick] [--data FILE]     # names: benchmarks/README.md
"""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmarks import beside, cold_start, endpoints, interval, scoring, swap, training
from benchmarks.bench import Bench
from benchmarks.errors import BenchError
from benchmarks.figures import Figure
from benchmarks.gate import comparison
from benchmarks.peer import Pipelines
from benchmarks.places import DATA, RESULTS, ROOT
from benchmarks.report import write
from benchmarks.setup import prepare, rows_of
from local.errors import LocalError
from local.places import short

_BENCHMARKS: Mapping[str, Callable[[Bench], list[Figure]]] = {
    "scoring": scoring.run,
    "swap": swap.run,
    "cold-start": cold_start.run,
    "training": training.run,
    "beside": beside.run,
    "endpoints": endpoints.run,
    "interval": interval.run,
}
_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmarks asked for; 0 when they ran, whatever the figures; 1 with one message when they could not."""
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # servers are stopped on the way out
    try:
        return _run(options)
    except (BenchError, LocalError, subprocess.TimeoutExpired) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return _INTERRUPTED


def _run(options: argparse.Namespace) -> int:
    if options.name == "gate":
        return _compare_gates(options)
    kit = prepare(options.data, _say)
    bench = Bench(kit, Pipelines(kit), options.rounds, options.quick, _say)
    names = list(_BENCHMARKS) if options.name == "all" else [options.name]
    results: dict[str, list[Figure]] = {}
    for name in names:
        _say(f"\n{name}")
        results[name] = _BENCHMARKS[name](bench)
        report = write(RESULTS, kit.source, results, quick=options.quick)
    print(f"\n{report}\nAll samples are in {short(RESULTS)}.")
    return 0


def _compare_gates(options: argparse.Namespace) -> int:
    """Compare verdicts; that needs neither servers nor peers."""
    DATA.mkdir(parents=True, exist_ok=True)
    RESULTS.mkdir(parents=True, exist_ok=True)
    data, source = rows_of(options.data)
    target = RESULTS if options.quick else ROOT / "docs"
    print(comparison.run(data, source, quick=options.quick, target=target, say=_say))
    return 0


def _say(line: str) -> None:
    print(line, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measures Relearn beside its peers.")
    parser.add_argument(
        "name", nargs="?", choices=[*_BENCHMARKS, "gate", "all"], default="all", help="default: %(default)s"
    )
    parser.add_argument("--rounds", type=_rounds, help="how often each measure is taken; each benchmark has its own")
    parser.add_argument("--quick", action="store_true", help="see that everything works, in a few minutes")
    parser.add_argument("--data", type=Path, help="a CSV file with the columns of UCI Adult")
    return parser


def _rounds(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 100:
        raise argparse.ArgumentTypeError(f"expected a number from 1 to 100, got '{text}'")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
