"""The port `Telemetry` over OpenTelemetry's own providers; none of them is made the process's global one.

So libraries that speak to the global ones send nothing: what is told of an agent's request is told by this program.
"""

import logging
import threading
import traceback
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from types import MappingProxyType, TracebackType
from typing import Any, Self, TypeVar

from opentelemetry import context as contexts
from opentelemetry import propagate, trace
from opentelemetry._logs import Logger, SeverityNumber
from opentelemetry.context import Context
from opentelemetry.metrics import CallbackOptions, Meter, Observation
from opentelemetry.trace import NonRecordingSpan, SpanContext, StatusCode, TraceFlags, Tracer

from moltnet.ports.telemetry import Attributes, Metric, NoTelemetry, Sample, Span, SpanKind

Instrument = TypeVar("Instrument")

_KINDS: Mapping[SpanKind, trace.SpanKind] = MappingProxyType({kind: trace.SpanKind[kind.name] for kind in SpanKind})
_NOTHING: AbstractContextManager[Span] = nullcontext(NoTelemetry())
# Upper ends of classes of a duration, in seconds.
_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
# As the log data model numbers them (OpenTelemetry, "Severity Fields").
_SEVERITIES = ((50, SeverityNumber.FATAL), (40, SeverityNumber.ERROR), (30, SeverityNumber.WARN))
# Of the senders themselves: sent on, each failed attempt would be the next one's subject.
_OWN_LOGGERS = ("opentelemetry", "urllib3", "requests")


class _Recorded:
    """A span of the SDK that is the current one within its block."""

    __slots__ = ("_ended", "_span", "_token")

    def __init__(self, span: trace.Span) -> None:
        self._span = span

    def __enter__(self) -> Self:
        self._token = contexts.attach(trace.set_span_in_context(self._span))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        contexts.detach(self._token)
        if kind is not None:
            self.fail(kind.__name__)  # the text of an exception may repeat what an agent sent
        self._span.end()

    def set(self, attributes: Attributes) -> None:
        self._span.set_attributes(dict(attributes))

    def fail(self, kind: str) -> None:
        self._span.set_attribute("error.type", kind)
        self._span.set_status(StatusCode.ERROR)


class OtelTelemetry:
    """Spans, numbers and lines of the log for those of the three signals that are sent."""

    is_on = True

    def __init__(self, tracer: Tracer | None, meter: Meter | None, logger: Logger | None) -> None:
        self._tracer, self._meter, self._logger = tracer, meter, logger
        self._instruments: dict[Metric, Any] = {}
        self._making = threading.Lock()

    def span(
        self, name: str, attributes: Attributes | None = None, kind: SpanKind = SpanKind.INTERNAL
    ) -> AbstractContextManager[Span]:
        parent = trace.get_current_span().get_span_context()
        if self._tracer is None or not parent.is_valid or not parent.trace_flags.sampled:
            return _NOTHING
        return _Recorded(self._tracer.start_span(name, kind=_KINDS[kind], attributes=attributes))

    def continued(
        self,
        carrier: Mapping[str, str],
        name: str,
        attributes: Attributes | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
    ) -> AbstractContextManager[Span]:
        if self._tracer is None:
            return _NOTHING
        # From nothing: the code that asks may itself run within a span.
        parent = propagate.extract(carrier, Context())
        return _Recorded(self._tracer.start_span(name, context=parent, kind=_KINDS[kind], attributes=attributes))

    def past(self, name: str, began_ns: int, ended_ns: int) -> None:
        parent = trace.get_current_span().get_span_context()
        if self._tracer is not None and parent.is_valid and parent.trace_flags.sampled:
            self._tracer.start_span(name, start_time=began_ns).end(ended_ns)

    def carrier(self) -> dict[str, str]:
        carrier: dict[str, str] = {}
        if self._tracer is not None:
            propagate.inject(carrier)
        return carrier

    def trace(self) -> str:
        span = trace.get_current_span().get_span_context()
        return f"{span.trace_id:032x}-{span.span_id:016x}" if span.is_valid else ""

    def count(self, metric: Metric, attributes: Attributes, amount: int = 1) -> None:
        if self._meter is not None:
            self._instrument(metric, self._meter.create_counter).add(amount, attributes)

    def measure(self, metric: Metric, value: float, attributes: Attributes) -> None:
        if self._meter is not None:
            self._instrument(metric, self._histogram).record(value, attributes)

    def observe(self, metric: Metric, read: Callable[[], Iterable[Sample]]) -> None:
        def observed(_: CallbackOptions) -> Iterable[Observation]:
            return [Observation(value, attributes) for attributes, value in read()]

        if self._meter is not None:
            self._meter.create_observable_gauge(metric.name, [observed], metric.unit, metric.description)

    def log(self, record: logging.LogRecord) -> None:
        if self._logger is None or record.name.startswith(_OWN_LOGGERS):
            return
        self._logger.emit(
            timestamp=int(record.created * 1e9),
            context=_context_of(getattr(record, "trace", None) or self.trace()),
            severity_number=next((to for least, to in _SEVERITIES if record.levelno >= least), SeverityNumber.INFO),
            severity_text=record.levelname,
            body=record.getMessage(),
            attributes={"logger": record.name, **_of_error(record)},
        )

    def _histogram(self, name: str, unit: str, description: str) -> Any:
        assert self._meter is not None  # noqa: S101 - asked by `measure`
        return self._meter.create_histogram(name, unit, description, explicit_bucket_boundaries_advisory=_BOUNDS)

    def _instrument(self, metric: Metric, make: Callable[[str, str, str], Instrument]) -> Instrument:
        with self._making:
            if metric not in self._instruments:
                self._instruments[metric] = make(metric.name, metric.unit, metric.description)
            instrument: Instrument = self._instruments[metric]
            return instrument


def _context_of(ids: str) -> Context | None:
    if not ids:
        return None
    trace_id, _, span_id = ids.partition("-")
    span = SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=TraceFlags(1))
    return trace.set_span_in_context(NonRecordingSpan(span), Context())


def _of_error(record: logging.LogRecord) -> dict[str, str]:
    """The class of an exception and where it was raised; not its text, which may repeat what an agent sent."""
    kind, _, at = record.exc_info or (None, None, None)
    if kind is None:
        return {}
    return {"exception.type": kind.__name__, "exception.stacktrace": "".join(traceback.format_tb(at))}
