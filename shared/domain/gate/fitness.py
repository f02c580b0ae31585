"""Whether two models' answers to a holdout can be compared at all."""

from __future__ import annotations

import numpy as np

from shared.domain.gate.verdict import Fault
from shared.domain.measuring.paired import PairedScores
from shared.domain.task import Task


def unfitness(rows: PairedScores) -> tuple[Fault, str] | None:
    """Name what keeps these rows from being judged, with a sentence; None where nothing does."""
    n_rows = len(rows.labels)
    if n_rows == 0:
        return Fault.HOLDOUT_EMPTY, "the holdout has no rows"
    if not n_rows == len(rows.champion) == len(rows.challenger) or rows.champion.shape != rows.challenger.shape:
        return (
            Fault.ROWS_DO_NOT_MATCH,
            f"the holdout has {n_rows} rows, {len(rows.champion)} and {len(rows.challenger)} were scored",
        )
    if rows.anchor is not None and rows.anchor.shape != rows.champion.shape:
        return Fault.ROWS_DO_NOT_MATCH, f"the last approved model answered {len(rows.anchor)} of {n_rows} holdout rows"
    for fault, who, answers in (
        (Fault.CHAMPION_UNSCORABLE, "the champion", rows.champion),
        (Fault.CHALLENGER_UNSCORABLE, "the challenger", rows.challenger),
        (Fault.ANCHOR_UNSCORABLE, "the last approved model", rows.anchor),
    ):
        if answers is None:
            continue
        odd = int(np.sum(~np.isfinite(answers).reshape(n_rows, -1).all(axis=1)))
        if odd:
            return fault, f"{who} scored {odd} of {n_rows} holdout rows with something that is no finite number"
    return _unfit_labels(rows)


def _unfit_labels(rows: PairedScores) -> tuple[Fault, str] | None:
    if rows.task is Task.REGRESSION:
        if not np.isfinite(rows.labels).all():
            return Fault.LABEL_NOT_FINITE, "a holdout row's label is no finite number"
        if np.ptp(rows.labels) == 0:
            return Fault.HOLDOUT_CONSTANT, "all holdout rows have the same label"
    elif len(np.unique(rows.labels)) < 2:
        return Fault.HOLDOUT_ONE_CLASS, "the holdout has rows of one class only"
    return None
