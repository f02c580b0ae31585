"""An OTLP/HTTP collector on loopback that keeps what it receives, decoded by OpenTelemetry's own messages."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from opentelemetry.proto.trace.v1.trace_pb2 import Span

_REQUESTS = {"/v1/traces": ExportTraceServiceRequest, "/v1/metrics": ExportMetricsServiceRequest}


class Collector:
    """A context manager; `url` is what OTEL_EXPORTER_OTLP_ENDPOINT names."""

    def __init__(self) -> None:
        self._received: list[ExportTraceServiceRequest | ExportMetricsServiceRequest] = []
        received = self._received

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                kind = _REQUESTS.get(self.path)
                is_ours = kind is not None and self.headers["Content-Type"] == "application/x-protobuf"
                if kind is not None and is_ours:
                    received.append(kind.FromString(body))
                self.send_response(200 if is_ours else 400)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Collector:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def spans(self) -> Iterator[tuple[str, Span]]:
        """Each span, with the name of the program that sent it."""
        for request in self._received:
            if isinstance(request, ExportTraceServiceRequest):
                for resource in request.resource_spans:
                    program = values(resource.resource.attributes)["service.name"]
                    yield from ((program, span) for scope in resource.scope_spans for span in scope.spans)

    def metrics(self) -> Iterator[Metric]:
        """Each metric of each export."""
        for request in self._received:
            if isinstance(request, ExportMetricsServiceRequest):
                for resource in request.resource_metrics:
                    yield from (metric for scope in resource.scope_metrics for metric in scope.metrics)


def values(attributes: list[KeyValue]) -> dict[str, str]:
    """Attributes that are texts, by name."""
    return {each.key: each.value.string_value for each in attributes}
