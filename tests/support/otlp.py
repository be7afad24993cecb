"""A receiver of OTLP over HTTP: it decodes the protocol's own messages and keeps them, bytes and all."""

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import attrs
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span

_MESSAGES: dict[str, Any] = {
    "/v1/traces": ExportTraceServiceRequest,
    "/v1/metrics": ExportMetricsServiceRequest,
    "/v1/logs": ExportLogsServiceRequest,
}


@attrs.frozen
class SentSpan:
    """A span, and which process sent it."""

    span: Span
    process: str

    @property
    def attributes(self) -> dict[str, str | int]:
        """Its attributes that are texts or whole numbers."""
        return {each.key: each.value.string_value or each.value.int_value for each in self.span.attributes}


@attrs.define
class Receiver:
    """What was sent to an address."""

    url: str
    raw: list[bytes] = attrs.field(factory=list)
    spans: list[SentSpan] = attrs.field(factory=list)
    metrics: set[str] = attrs.field(factory=set)
    logs: list[LogRecord] = attrs.field(factory=list)

    def find(self, trace_id: str, name: str) -> SentSpan | None:
        """The first span of a name, or that begins so, in a trace."""
        spans = (sent for sent in self.spans if sent.span.trace_id.hex() == trace_id)
        return next((sent for sent in spans if sent.span.name.startswith(name)), None)

    def ancestors(self, sent: SentSpan) -> list[str]:
        """The names of the spans that a span is a part of, the nearest first."""
        names, by_id = list[str](), {each.span.span_id: each for each in self.spans}
        while parent := by_id.get(sent.span.parent_span_id):
            names.append(parent.span.name)
            sent = parent
        return names

    def take(self, path: str, body: bytes) -> None:
        """Takes a request's body in; raises DecodeError for what is none."""
        message: Any = _MESSAGES[path]()
        message.ParseFromString(body)
        self.raw.append(body)
        if path == "/v1/traces":
            for sent in message.resource_spans:
                process = next(a.value.string_value for a in sent.resource.attributes if a.key == "service.instance.id")
                self.spans += [SentSpan(span, process) for scope in sent.scope_spans for span in scope.spans]
        elif path == "/v1/metrics":
            scopes = [scope for sent in message.resource_metrics for scope in sent.scope_metrics]
            self.metrics |= {metric.name for scope in scopes for metric in scope.metrics}
        else:
            scopes = [scope for sent in message.resource_logs for scope in sent.scope_logs]
            self.logs += [record for scope in scopes for record in scope.log_records]


@contextmanager
def a_receiver() -> Iterator[Receiver]:
    """A receiver on a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.take(self.path, gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body)
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver = Receiver(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
