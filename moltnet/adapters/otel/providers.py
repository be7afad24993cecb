"""Sets OpenTelemetry's SDK up by the variables of its specification, and ends it in time."""

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from uuid import uuid4

from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from moltnet.adapters.otel.telemetry import OtelTelemetry

NAME = "moltnet"
# What is still to be sent then is lost: a process ends in time, whether or not its receiver answers.
ENDED_WITHIN_S = 2.0


@contextmanager
def opened_telemetry(
    *, traces: bool, metrics: bool, prometheus: bool, logs: bool, variables: Mapping[str, str]
) -> Iterator[OtelTelemetry]:
    """Telemetry that sends these signals by OTLP until the context is left; `prometheus` also serves the numbers.

    Everything else (where to, how often, how many are sampled) is read from `variables` and the environment by the SDK
    itself, as the specification says. Raises OSError when no port is free for Prometheus.
    """
    for name, value in variables.items():
        os.environ.setdefault(name, value)  # the SDK reads no other place, and `.env` is one
    resource, ending = _resource(), list[Callable[[], object]]()
    tracing = _tracing(resource, ending) if traces else None
    metering = _metering(resource, ending, otlp=metrics, prometheus=prometheus) if metrics or prometheus else None
    logging = _logging(resource, ending) if logs else None
    try:
        yield OtelTelemetry(
            tracing.get_tracer(NAME) if tracing else None,
            metering.get_meter(NAME) if metering else None,
            logging.get_logger(NAME) if logging else None,
        )
    finally:
        threads = [threading.Thread(target=end, name="moltnet-telemetry-end", daemon=True) for end in ending]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(ENDED_WITHIN_S / len(threads))


def _resource() -> Resource:
    """Who sends; what the variables say wins over ours."""
    ours = {"service.name": NAME, "service.version": version(NAME), "service.instance.id": str(uuid4())}
    if named := os.environ.get("OTEL_SERVICE_NAME"):
        ours["service.name"] = named
    return Resource.create({**ours, **OTELResourceDetector().detect().attributes})


def _tracing(resource: Resource, ending: list[Callable[[], object]]) -> TracerProvider:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415  # if it is used

    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    ending.append(provider.shutdown)
    return provider


def _metering(resource: Resource, ending: list[Callable[[], object]], *, otlp: bool, prometheus: bool) -> MeterProvider:
    readers: list[MetricReader] = []
    if otlp:
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter  # noqa: PLC0415  # as above

        readers.append(PeriodicExportingMetricReader(OTLPMetricExporter()))
    if prometheus:
        from moltnet.adapters.otel.prometheus import served_reader  # noqa: PLC0415  # as above

        reader, end = served_reader()
        readers.append(reader)
        ending.append(end)
    provider = MeterProvider(readers, resource, shutdown_on_exit=False)
    ending.append(provider.shutdown)
    return provider


def _logging(resource: Resource, ending: list[Callable[[], object]]) -> LoggerProvider:
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter  # noqa: PLC0415  # if it is used

    provider = LoggerProvider(resource, shutdown_on_exit=False)
    provider.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter()))
    ending.append(provider.shutdown)
    return provider
