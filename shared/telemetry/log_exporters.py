"""Spans and measurements as events of the log, where there is no collector."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from opentelemetry.sdk.metrics import Counter, Histogram
from opentelemetry.sdk.metrics.export import AggregationTemporality, MetricExporter, MetricExportResult, MetricsData
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from shared.logs import event

_log = logging.getLogger("relearn.telemetry")
_NS_PER_MS, _NS_PER_S = 1e6, 1e9
# Each event counts what came since the one before, so that a query may add them up.
_DELTA: dict[type, AggregationTemporality] = {
    Counter: AggregationTemporality.DELTA,
    Histogram: AggregationTemporality.DELTA,
}


class LogSpanExporter(SpanExporter):
    """Logs `span.ended` for each span."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Log the spans."""
        for span in spans:
            event(_log, "span.ended", **_fields(span))
        return SpanExportResult.SUCCESS


class LogMetricExporter(MetricExporter):
    """Logs `metric.recorded` for each metric and set of attributes that has something new."""

    def __init__(self) -> None:
        super().__init__(preferred_temporality=_DELTA)

    def export(self, metrics_data: MetricsData, timeout_millis: float = 0, **options: Any) -> MetricExportResult:
        """Log the measurements."""
        for resource in metrics_data.resource_metrics:
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    for point in metric.data.data_points:
                        event(_log, "metric.recorded", metric=metric.name, unit=metric.unit, **_point(point))
        return MetricExportResult.SUCCESS

    def force_flush(self, timeout_millis: float = 0) -> bool:
        """Hold nothing back."""
        return True

    def shutdown(self, timeout_millis: float = 0, **options: Any) -> None:
        """End; nothing is open."""


def _fields(span: ReadableSpan) -> dict[str, Any]:
    context = span.get_span_context()
    began, ended = span.start_time or 0, span.end_time or 0
    return {
        "span": span.name,
        "trace_id": f"{context.trace_id:032x}" if context else None,
        "span_id": f"{context.span_id:016x}" if context else None,
        "parent_id": f"{span.parent.span_id:016x}" if span.parent else None,
        "began_at": datetime.fromtimestamp(began / _NS_PER_S, UTC).isoformat(timespec="milliseconds"),
        "duration_ms": round((ended - began) / _NS_PER_MS, 1),
        "ok": span.status.is_ok,
        **dict(span.attributes or {}),
    }


def _point(point: Any) -> Mapping[str, Any]:
    if hasattr(point, "sum"):
        return {**point.attributes, "count": point.count, "sum": round(point.sum, 4), "most": round(point.max, 4)}
    return {**point.attributes, "count": point.value}
