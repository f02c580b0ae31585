"""
What Azure costs, from counted transactions and list prices: `python -m infra.cost` prints the tables of docs/azure.md.

Prices are US dollars, East US, pay as you go, locally redundant storage. Quantities are counted where they can be
(`tests/integration/count_transactions.py`); durations are assumptions, and say so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

_SECONDS = 30 * 86400  # of a month
_POLLS, _SWEEPS = _SECONDS // 30, _SECONDS // 300  # with the default schedules
_RUNS = 1000

# Counted operations: an idle poll, an idle announcement, a sweep; a promoted run.
POLL_TABLE, ANNOUNCEMENT_TABLE, SWEEP_TABLE, SWEEP_LISTINGS = 1, 1, 8, 1
RUN_BLOB_READS, RUN_BLOB_WRITES, RUN_TABLE = 15, 10, 30

EXECUTION, EXECUTIONS_FREE = 0.40 / 1e6, 250_000
GB_SECOND, GB_SECONDS_FREE = 0.000026, 100_000
TABLE_OPERATION = 0.00036 / 1e4
BLOB_WRITE, BLOB_READ = 0.05 / 1e4, 0.004 / 1e4  # a listing is billed as a write
VCPU_SECOND, VCPU_IDLE, GIB_SECOND = 0.000024, 0.000003, 0.000003
VCPU_SECONDS_FREE, GIB_SECONDS_FREE = 180_000, 360_000
REGISTRY_DAY, ALERT_MONTH = 0.167, 1.50
ACTIVITY_RUN = 1.00 / 1000

_MEMORY_GB = 2
_TRAINER = 2 * VCPU_SECOND + 4 * GIB_SECOND  # a second of 2 vCPU and 4 GiB
_EXECUTIONS = 2 * _POLLS + _SWEEPS


@dataclass(frozen=True)
class Line:
    """One row of a table; `cost` in US dollars."""

    what: str
    quantity: str
    price: str
    cost: float


def a_month_idle() -> tuple[Line, ...]:
    """Return what a month costs in which no file arrives, with the defaults of infra/main.bicep."""
    executions, gb_seconds = _EXECUTIONS, _EXECUTIONS * _MEMORY_GB
    table = _POLLS * (POLL_TABLE + ANNOUNCEMENT_TABLE) + _SWEEPS * SWEEP_TABLE
    listings = _SWEEPS * SWEEP_LISTINGS
    beyond = max(executions - EXECUTIONS_FREE, 0), max(gb_seconds - GB_SECONDS_FREE, 0)
    return (
        Line(
            "function executions",
            f"{executions:,} (two timers each 30 s, one each 5 min)",
            "0.40 per million, 250,000 free",
            beyond[0] * EXECUTION,
        ),
        Line(
            "function time",
            f"{gb_seconds:,} GB-s (1 s billed × 2 GB each)",
            "0.000026, 100,000 free",
            beyond[1] * GB_SECOND,
        ),
        Line("table operations", f"{table:,}", "0.00036 per 10,000", table * TABLE_OPERATION),
        Line("blob listings", f"{listings:,}", "0.05 per 10,000", listings * BLOB_WRITE),
        Line(
            "scoring, one idle replica (0.5 vCPU, 1 GiB)",
            f"{_SECONDS / 1e6:.1f} million s",
            "0.000003 per vCPU-s and GiB-s, 180,000 and 360,000 free",
            (0.5 * _SECONDS - VCPU_SECONDS_FREE) * VCPU_IDLE + (_SECONDS - GIB_SECONDS_FREE) * GIB_SECOND,
        ),
        Line("registry, Basic", "30 days", "0.167 a day", 30 * REGISTRY_DAY),
        Line("four log alerts, each 5 min", "4", "1.50", 4 * ALERT_MONTH),
    )


def promoted_runs() -> tuple[Line, ...]:
    """Return what 1,000 promoted runs cost; the last two are two ways of training, of which one counts."""
    blobs = _RUNS * (RUN_BLOB_WRITES * BLOB_WRITE + RUN_BLOB_READS * BLOB_READ)
    counts = f"{_RUNS * RUN_BLOB_WRITES:,}, {_RUNS * RUN_BLOB_READS:,}, {_RUNS * RUN_TABLE:,}"
    time = _RUNS * 10 * _MEMORY_GB
    return (
        Line(
            "blob writes and reads, table operations", counts, "as above", blobs + _RUNS * RUN_TABLE * TABLE_OPERATION
        ),
        Line("function time, about 10 s × 2 GB each", f"{time:,} GB-s", "0.000026", time * GB_SECOND),
        Line("training, one after the other: 10 s each", f"{_RUNS * 10:,} s", "0.00006", _RUNS * 10 * _TRAINER),
        Line("training, each alone: 60 s, and 300 s idle", f"{_RUNS * 360:,} s", "0.00006", _RUNS * 360 * _TRAINER),
    )


def rows(lines: tuple[Line, ...]) -> Iterator[str]:
    """Yield the rows as they stand in docs/azure.md."""
    for line in lines:
        cost = f"{line.cost:.2f}" if 0 < line.cost < 0.1 else f"{line.cost:.1f}".removesuffix(".0") or "0"
        yield f"| {line.what} | {line.quantity} | {line.price} | {cost} |"


if __name__ == "__main__":
    for title, lines in (("a month, idle, defaults", a_month_idle()), ("1,000 promoted retrains", promoted_runs())):
        print(f"| {title} | quantity | price | cost |", *rows(lines), sep="\n")
    idle, (operations, functions, together, alone) = sum(line.cost for line in a_month_idle()), promoted_runs()
    small = operations.cost + functions.cost
    print(f"together: {idle:.1f} a month; {small + together.cost:.1f} to {small + alone.cost:.1f} per 1,000 retrains")
    print(f"Data Factory, 6 activity runs each: {6 * _RUNS * ACTIVITY_RUN:.1f}")
