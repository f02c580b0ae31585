"""The figures of a run as JSON with every sample, and as a Markdown table of ratios for people."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.figures import Comparison, Figure, Observation, Samples
from benchmarks.quiet import CALM

_CPU_INFO = Path("/proc/cpuinfo")


def write(folder: Path, source: str, results: Mapping[str, Sequence[Figure]], *, quick: bool) -> str:
    """
    Write `NAME.json` for each benchmark and `report.md` over all that the folder holds; returns the report.

    Args:
        source: Where the rows came from.
    """
    for name, figures in results.items():
        body = {
            "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": machine(),
            "data": source,
            "quick": quick,
            "figures": [figure.to_json() for figure in figures],
        }
        (folder / f"{name}.json").write_text(json.dumps(body, indent=1), encoding="utf-8")
    text = markdown([figure for figures in results.values() for figure in figures], source, quick=quick)
    (folder / "report.md").write_text(text, encoding="utf-8")
    return text


def markdown(figures: Sequence[Figure], source: str, *, quick: bool) -> str:
    """Write what was compared, then what was only observed."""
    compared = [figure for figure in figures if isinstance(figure, Comparison)]
    observed = [figure for figure in figures if isinstance(figure, Observation)]
    lines = [
        f"{machine()}. {source[0].upper()}{source[1:]}. Medians; in brackets the least and the most of the rounds."
    ]
    if quick:
        lines += ["", "**A quick run: it shows that everything works; its figures are not to be quoted.**"]
    if compared:
        lines += ["", *_table(_COMPARED, [_compared(figure) for figure in compared])]
    if observed:
        lines += ["", *_table(_OBSERVED, [_observed(figure) for figure in observed])]
    return "\n".join(lines) + "\n"


def machine() -> str:
    """Describe this machine in one line."""
    models = [line for line in _CPU_INFO.read_text().splitlines() if "model name" in line] if _CPU_INFO.exists() else []
    processor = models[0].partition(": ")[2] if models else platform.processor() or platform.machine()
    return f"{os.cpu_count()} cores of {processor}, {platform.system()}, Python {platform.python_version()}"


_COMPARED = ("measure", "ours", "peer", "against", "times better", "at least", "aim", "met", "others' cores", "note")
_OBSERVED = ("measure", "ours", "others' cores", "note")


def _compared(figure: Comparison) -> Sequence[str]:
    goal = figure.goal
    return (
        figure.measure,
        _shown(figure.ours, figure.unit),
        _shown(figure.peer, figure.unit),
        figure.against,
        _number(figure.advantage),
        _number(goal.at_least) if goal else "–",
        _number(goal.aim) if goal else "–",
        {True: "yes", False: "**no**", None: "–"}[figure.is_met],
        _disturbance(figure.ours, figure.peer),
        figure.note,
    )


def _observed(figure: Observation) -> Sequence[str]:
    return figure.measure, _shown(figure.ours, figure.unit), _disturbance(figure.ours), figure.note


def _shown(samples: Samples, unit: str) -> str:
    least, most = min(samples.values), max(samples.values)
    spread = f" ({_number(least)}–{_number(most)})" if len(samples.values) > 1 else ""
    return f"{_number(samples.median)} {unit}{spread}"


def _disturbance(*all_samples: Samples) -> str:
    found = [samples.disturbance for samples in all_samples if samples.disturbance is not None]
    if not found:
        return "unknown"
    return f"{max(found):.2f}" + (" (disturbed)" if max(found) > CALM else "")


def _number(value: float) -> str:
    """Write three significant digits, without an exponent."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value >= 0.001 or value == 0 else f"{value:.5f}"


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [columns, ["---"] * len(columns), *rows]
    return [f"| {' | '.join(cells)} |" for cells in lines]
