"""The table of metrics: a row per scored data set, in the classic service's columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from studio.engine.number_text import number_text
from studio.engine.schema import ColumnType
from studio.engine.table_file import ResultTable


@dataclass(frozen=True)
class Evaluation:
    """Metrics of one scored data set, in the order of their columns."""

    metrics: Mapping[str, float]


def metrics_table(*evaluations: Evaluation) -> ResultTable:
    """
    Write a row of numbers per scored data set, under the first one's columns; `NaN` and `Infinity` are spelled out.

    Source: docs/protocol.md.
    """
    columns = tuple((name, ColumnType.NUMERIC) for name in evaluations[0].metrics)
    return ResultTable.of(columns, (list(map(number_text, one.metrics.values())) for one in evaluations))
