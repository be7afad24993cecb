"""Telemetry whose spans are kept."""

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, ParentBased, Sampler

from moltnet.adapters.otel.telemetry import OtelTelemetry


class Telling:
    """The telemetry, and the spans that have ended, by name."""

    def __init__(self, sampler: Sampler = ALWAYS_ON) -> None:
        self._exporter = InMemorySpanExporter()
        provider = TracerProvider(sampler=ParentBased(sampler))
        provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.telemetry = OtelTelemetry(provider.get_tracer("test"), None, None)

    @property
    def spans(self) -> dict[str, ReadableSpan]:
        """Of several of a name, the last."""
        return {span.name: span for span in self._exporter.get_finished_spans()}
