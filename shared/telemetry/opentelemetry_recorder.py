"""Records by the OpenTelemetry SDK."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Any

from opentelemetry import trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricExporter, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from shared.domain.data.dataset import Dataset
from shared.domain.lifecycle.runs import Run, RunState
from shared.errors import ServiceError
from shared.telemetry.identifiers import root_span_id_of, trace_id_of, traceparent_of
from shared.telemetry.recorder import LOG, Recorder

_EXPORTED_EVERY_MS = 10_000
_UNWELL = (RunState.FAILED, RunState.TIMED_OUT, RunState.ROLLED_BACK)
_root_of: ContextVar[str] = ContextVar("root_of", default="")  # the run whose own span is being made


class _RunIds(RandomIdGenerator):
    """Random identifiers, except for the span that is a run."""

    def generate_span_id(self) -> int:
        return root_span_id_of(run_id) if (run_id := _root_of.get()) else super().generate_span_id()

    def generate_trace_id(self) -> int:
        return trace_id_of(run_id) if (run_id := _root_of.get()) else super().generate_trace_id()


class OpenTelemetryRecorder(Recorder):
    """
    Records spans for runs, their stages and their calls, and five metrics.

    Args:
        destination: `log`, or `otlp` with the standard settings OTEL_EXPORTER_OTLP_ENDPOINT and so on.
    """

    def __init__(
        self, destination: str, spans: SpanExporter | None = None, metrics: MetricExporter | None = None
    ) -> None:
        own_spans, own_metrics = (spans, metrics) if spans and metrics else _exporters(destination)
        resource = Resource.create({"service.name": "relearn"})
        self._traces = TracerProvider(resource=resource, id_generator=_RunIds())
        # A thread of its own would log in vain: the Functions host drops what belongs to no invocation.
        self._is_told_at_once = is_logged = destination == LOG
        self._traces.add_span_processor(SimpleSpanProcessor(own_spans) if is_logged else BatchSpanProcessor(own_spans))
        every = math.inf if is_logged else _EXPORTED_EVERY_MS
        reader = PeriodicExportingMetricReader(own_metrics, export_interval_millis=every)
        self._measures = MeterProvider([reader], resource=resource)
        self._tracer = self._traces.get_tracer("relearn")
        meter = self._measures.get_meter("relearn")
        self._runs = meter.create_counter("relearn.runs", "1", "Runs that ended, by model and outcome")
        self._stages = meter.create_histogram("relearn.stage.duration", "s", "Time in a state, by model and state")
        self._files = meter.create_histogram("relearn.file.age", "s", "From first sight of a file to its final state")
        self._lag = meter.create_histogram("relearn.poll.lag", "s", "Between two looks of one worker at the open runs")
        self._margins = meter.create_histogram("relearn.gate.gain", "1", "Challenger minus champion, and its bounds")

    def run_saved(self, run: Run) -> None:
        """Record the stage that ended, and the whole run when it did."""
        if len(run.stages) < 2:
            return
        (stage, began), (_, ended) = run.stages[-2:]
        about = {"model": run.model, "state": stage}
        self._stages.record((ended - began).total_seconds(), about)
        self._span(stage, run, began, ended, about)
        if stage == RunState.EVALUATING.value and run.verdict:
            self._judged(run)
        if run.state.is_final:
            self._runs.add(1, {"model": run.model, "outcome": run.state.value})
            self._whole(run)
        self._tell()

    def file_settled(self, dataset: Dataset) -> None:
        """Record how long a file's fate was open; where it went into a run, as the first part of the run's trace."""
        if dataset.run_id:
            about = {"run_id": dataset.run_id, "model": dataset.model, "file": dataset.name}
            self._tracer.start_span(
                "file", _below(dataset.run_id), attributes=about, start_time=_ns(dataset.seen_at)
            ).end()
        if dataset.settled_at is not None:
            age = (dataset.settled_at - dataset.seen_at).total_seconds()
            self._files.record(age, {"model": dataset.model, "state": dataset.state.value})
            self._tell()

    def ticked(self, since_last_s: float) -> None:
        """Record how long nobody looked."""
        self._lag.record(since_last_s)
        self._tell()

    @contextmanager
    def call(self, operation: str, run_id: str) -> Iterator[Mapping[str, str]]:
        """Record a call as part of its run's trace."""
        if not run_id:
            yield {}
            return
        with self._tracer.start_as_current_span(
            operation, _below(run_id), SpanKind.CLIENT, {"run_id": run_id}, record_exception=False
        ) as span:
            try:
                yield {"traceparent": traceparent_of(run_id, span.get_span_context().span_id)}
            except ServiceError as failed:
                span.set_attributes({"http.response.status_code": failed.status or 0, "error.type": failed.code})
                span.set_attribute("service.request_id", failed.request_id)
                raise

    def flush(self) -> None:
        """Send what is still held back."""
        self._traces.force_flush()
        self._measures.force_flush()

    def _tell(self) -> None:
        if self._is_told_at_once:
            self._measures.force_flush()

    def _judged(self, run: Run) -> None:
        verdict = run.verdict or {}
        for name in ("gain", "lower", "upper"):
            value = verdict.get(name)
            if isinstance(value, int | float):
                self._margins.record(float(value), {"model": run.model, "bound": name})

    def _whole(self, run: Run) -> None:
        token = _root_of.set(run.id)
        try:
            about = {"run_id": run.id, "model": run.model, "outcome": run.state.value, "reason": run.reason}
            span = self._tracer.start_span(
                "run", trace.set_span_in_context(trace.INVALID_SPAN), attributes=about, start_time=_ns(run.created_at)
            )
        finally:
            _root_of.reset(token)
        span.set_status(Status(StatusCode.ERROR if run.state in _UNWELL else StatusCode.OK))
        span.end(_ns(run.updated_at))

    def _span(self, name: str, run: Run, began: datetime, ended: datetime, about: Mapping[str, str]) -> None:
        attributes = {**about, "run_id": run.id}
        span = self._tracer.start_span(name, _below(run.id), attributes=attributes, start_time=_ns(began))
        span.end(_ns(ended))


def _below(run_id: str) -> Any:
    """Return the context of a run's own span, which somebody else records, or will."""
    root = SpanContext(trace_id_of(run_id), root_span_id_of(run_id), True, TraceFlags(TraceFlags.SAMPLED))
    return trace.set_span_in_context(NonRecordingSpan(root))


def _ns(at: datetime) -> int:
    return int(at.timestamp() * 1e9)


def _exporters(destination: str) -> tuple[SpanExporter, MetricExporter]:
    if destination == LOG:
        from shared.telemetry.log_exporters import LogMetricExporter, LogSpanExporter

        return LogSpanExporter(), LogMetricExporter()
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return OTLPSpanExporter(), OTLPMetricExporter()
