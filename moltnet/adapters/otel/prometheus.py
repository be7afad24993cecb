"""`/metrics` for Prometheus, on an address and port of its own."""

import os
from collections.abc import Callable

from opentelemetry.exporter.prometheus import PrometheusMetricReader
from prometheus_client import CollectorRegistry, start_http_server

PORTS = 64


def served_reader() -> tuple[PrometheusMetricReader, Callable[[], None]]:
    """A reader whose numbers are served, and what ends that.

    By OTEL_EXPORTER_PROMETHEUS_HOST and _PORT, of which the defaults are localhost and 9464. Of several processes each
    takes the next free port. Raises OSError when none of 64 is free.
    """
    host = os.environ.get("OTEL_EXPORTER_PROMETHEUS_HOST") or "localhost"
    first = int(os.environ.get("OTEL_EXPORTER_PROMETHEUS_PORT") or 9464)
    registry = CollectorRegistry()
    reader = PrometheusMetricReader(scope_info_enabled=False, registry=registry)
    for port in range(first, first + PORTS):
        try:
            server, _ = start_http_server(port, host, registry)
        except OSError:
            if port == first + PORTS - 1:
                raise
        else:
            break
    return reader, server.shutdown
