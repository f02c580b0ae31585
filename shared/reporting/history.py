"""The judged runs of a model, one after the other, and the rollbacks and overrides between them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from shared.domain.gate import is_unpaired
from shared.domain.lifecycle.runs import Run, RunKind, RunState

_SHOWN = 20
_VALUES = ("metric", "champion", "challenger", "gain", "lower", "upper", "n_rows")

Json = dict[str, Any]


def history_of(runs: Iterable[Run]) -> list[Json]:
    """List the newest runs that were judged, or in which a person put a model live; oldest first."""
    told = sorted((run for run in runs if _is_told(run)), key=lambda run: run.created_at)
    return [_entry(run, told) for run in told[-_SHOWN:]]


def _is_told(run: Run) -> bool:
    if run.kind is RunKind.TRAINING:
        return is_unpaired(run.verdict) or bool(run.verdict and run.verdict.get("challenger") is not None)
    return run.state is RunState.PROMOTED


def _entry(run: Run, told: Sequence[Run]) -> Json:
    verdict = run.verdict or {}
    values = {name: verdict.get(name) for name in _VALUES}
    if run.kind is not RunKind.TRAINING:
        values["challenger"] = _last_measured(run, told)
    return {
        "run": run.id,
        "kind": run.kind.value,
        "at": run.created_at.isoformat(),
        "state": run.state.value,
        "unpaired": is_unpaired(run.verdict),
        **values,
    }


def _last_measured(run: Run, told: Sequence[Run]) -> float | None:
    """Return what the model that a person put live was last measured at, before that."""
    before = [known for known in told if known.created_at < run.created_at and known.verdict]
    for known in reversed(before):
        for who, made_by in (("challenger", known.id), ("champion", known.judged_champion)):
            value = (known.verdict or {}).get(who)
            if made_by == run.restores and value is not None:
                return float(value)
    return None
