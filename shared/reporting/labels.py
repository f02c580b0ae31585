"""How the label is spread in what was trained on, in the champion's data and in the holdout."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from shared.domain.data.contract import Contract
from shared.domain.data.drift import SPREAD, Profile, spread
from shared.domain.measuring.paired import PairedScores
from shared.domain.task import Task

_MOST_CLASSES = 30

Json = dict[str, Any]


def label_facts(
    contract: Contract, own: Profile | None, champion: Profile | None, rows: PairedScores | None, classes: Sequence[str]
) -> Json | None:
    """
    Describe the label.

    Args:
        own: Of the run's training data.
        rows: The holdout; None where none was scored.
        classes: Names of a multi-class model's classes, as positions in `rows` mean them.

    Returns:
        Shares of the rows by class, the commonest first; of a number its quartiles. None where no data is known.
    """
    if own is None or not own.label:
        return None
    is_number = contract.task is Task.REGRESSION
    sources = {
        "training": own.label,
        "champion": champion.label if champion else {},
        "holdout": _held(contract, own.label, rows, classes) if rows else {},
    }
    names = SPREAD if is_number else _commonest(sources)
    values = [{"name": name} | {who: _of(found, name, is_number) for who, found in sources.items()} for name in names]
    return {"column": contract.label, "kind": "value" if is_number else "share", "rows": values}


def _commonest(sources: Mapping[str, Mapping[str, float]]) -> list[str]:
    names = {name for found in sources.values() for name in found}
    return sorted(names, key=lambda name: (-sources["training"].get(name, 0.0), name))[:_MOST_CLASSES]


def _of(found: Mapping[str, float], name: str, is_number: bool) -> float | None:
    if not found:
        return None
    return found.get(name) if is_number else found.get(name, 0.0)


def _held(
    contract: Contract, trained: Mapping[str, float], rows: PairedScores, classes: Sequence[str]
) -> Mapping[str, float]:
    if contract.task is Task.REGRESSION:
        return spread(rows.labels.tolist())
    if contract.task is Task.MULTICLASS:
        counts = np.bincount(rows.labels.astype(np.int64), minlength=len(classes))
        return {name: float(count) / len(rows.labels) for name, count in zip(classes, counts, strict=True)}
    positive = float(np.mean(rows.labels))
    other = next((name for name in trained if name != contract.positive), f"not {contract.positive}")
    return {contract.positive: positive, other: 1 - positive}
