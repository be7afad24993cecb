import logging
import subprocess
import sys

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

from moltnet.adapters.otel.telemetry import OtelTelemetry
from moltnet.ports.telemetry import ENTRIES, RATE_LIMITED
from tests.support.telling import Telling

# What a server that is not asked for telemetry has loaded.
WITHOUT = """
import sys
import moltnet.entrypoints.cli.commands.serve, moltnet.adapters.postgres.storage, moltnet.adapters.onnx.embedding
print(*[name for name in sys.modules if name.startswith(("opentelemetry.sdk", "opentelemetry.exporter", "prometheus"))])
"""


def test_part_without_a_whole_is_nothing():
    telling = Telling()
    with telling.telemetry.span("statement"):
        telling.telemetry.past("wait", 1, 2)
    assert telling.spans == {}
    assert (telling.telemetry.trace(), telling.telemetry.carrier()) == ("", {})


def test_parts_of_what_is_not_sampled_are_nothing_and_others_are_reported_so():
    telling = Telling(ALWAYS_OFF)
    with telling.telemetry.continued({}, "request"), telling.telemetry.span("statement"):
        assert int(telling.telemetry.carrier()["traceparent"].rpartition("-")[2], 16) & 1 == 0
    assert telling.spans == {}


@pytest.mark.parametrize("header", ["", "00-0-0-01", "\x00", "00-" + "0" * 32 + "-" + "0" * 16 + "-01", "é" * 5000])
def test_malformed_parent_begins_a_new_trace(header):
    telling = Telling()
    with telling.telemetry.continued({"traceparent": header}, "request"):
        pass
    assert telling.spans["request"].parent is None


def test_span_that_raises_states_the_class_of_the_error_and_nothing_of_its_text():
    telling = Telling()
    with pytest.raises(ValueError, match="planted"), telling.telemetry.continued({}, "request"):
        raise ValueError("planted")
    span = telling.spans["request"]
    assert (dict(span.attributes), span.status.description, span.events) == ({"error.type": "ValueError"}, None, ())


def test_trace_goes_on_where_its_carrier_is_taken():
    telling = Telling()
    with telling.telemetry.continued({}, "request"):
        carrier = telling.telemetry.carrier()
    with telling.telemetry.continued(carrier, "workflow"), telling.telemetry.span("step"):
        pass
    spans = telling.spans
    assert spans["workflow"].parent.span_id == spans["request"].context.span_id
    assert spans["step"].parent.span_id == spans["workflow"].context.span_id


def test_numbers_are_reported_and_lines_are_not_where_only_numbers_are_sent():
    reader = InMemoryMetricReader()
    telemetry = OtelTelemetry(None, MeterProvider([reader]).get_meter("test"), None)
    telemetry.count(RATE_LIMITED, {"bucket": "vouch"}, 2)
    telemetry.count(RATE_LIMITED, {"bucket": "vouch"})
    telemetry.observe(ENTRIES, lambda: [({}, 7)])
    telemetry.log(logging.LogRecord("moltnet", logging.INFO, "", 1, "line", (), None))
    with telemetry.continued({}, "request"):
        assert telemetry.trace() == ""
    metrics = reader.get_metrics_data().resource_metrics[0].scope_metrics[0].metrics
    assert {metric.name: metric.data.data_points[0].value for metric in metrics} == {
        RATE_LIMITED.name: 3,
        ENTRIES.name: 7,
    }


def test_nothing_is_imported_where_it_is_off():
    assert subprocess.run([sys.executable, "-c", WITHOUT], check=True, capture_output=True, text=True).stdout == "\n"
