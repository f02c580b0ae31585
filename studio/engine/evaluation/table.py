"""The table of metrics: a row per scored data set, in the classic service's columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from studio.engine.number_text import number_text


@dataclass(frozen=True)
class Evaluation:
    """Metrics of one scored data set, in the order of their columns."""

    metrics: Mapping[str, float]


def metrics_csv(*evaluations: Evaluation) -> bytes:
    """
    Write a header row and a row of numbers per scored data set; `NaN` and `Infinity` are spelled out.

    Source: docs/protocol.md.
    """
    header = ",".join(evaluations[0].metrics)
    rows = [",".join(map(number_text, evaluation.metrics.values())) for evaluation in evaluations]
    return "".join(f"{row}\n" for row in (header, *rows)).encode()
