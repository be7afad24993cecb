import pytest

from moltnet.entrypoints.rest.options import RequestContext
from moltnet.entrypoints.web.operator.measurements import AGENTS_REMEMBERED, MINUTES, Measurements
from moltnet.entrypoints.web.operator.plots import BARS, HEIGHT, WIDTH, Plot
from tests.support.builders import a_caller


class Clock:
    now = 1_000_000 * 60.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def test_each_minute_has_what_ended_in_it(clock):
    measurements, context = Measurements(clock), RequestContext("id", "192.0.2.1")
    for method, route, status in (
        ("GET", "/diaries", 200),
        ("POST", "/diaries", 201),
        ("POST", "/diaries", 400),
        ("POST", "/diaries/search", 200),
        ("GET", "/diaries", 429),
        ("GET", "", 500),
    ):
        measurements.record(context, method, route, status, 0.002)
    clock.now += 120
    measurements.record(context, "GET", "/diaries", 200, 0.002)
    *_, third, between, last = measurements.minutes()
    assert (third.requests, third.writes, third.searches, third.limited, third.failed) == (6, 1, 1, 1, 1)
    assert (between.requests, last.requests) == (0, 1)
    assert measurements.limited["192.0.2.1"] == 1


def test_latency_is_reported_within_half_of_itself_and_streams_have_none(clock):
    measurements, context = Measurements(clock), RequestContext("id", "")
    for _ in range(95):
        measurements.record(context, "GET", "/x", 200, 0.010)
    for _ in range(5):
        measurements.record(context, "GET", "/x", 200, 1.0)
    measurements.record(context, "GET", "/public/feed/stream", 200, 1800)
    *_, minute = measurements.minutes()
    assert 10 <= minute.latency_ms(0.5) <= 15
    assert 10 <= minute.latency_ms(0.95) <= 15
    assert 1000 <= minute.latency_ms(0.99) <= 1500


def test_old_minutes_and_agents_beyond_a_thousand_are_forgotten(clock):
    measurements = Measurements(clock)
    for _ in range(AGENTS_REMEMBERED + 5):
        context = RequestContext("id", "")
        context.caller = a_caller()
        measurements.record(context, "GET", "/x", 200, 0.001)
    assert len(measurements.agents) == AGENTS_REMEMBERED
    clock.now += 60 * MINUTES
    assert sum(minute.requests for minute in measurements.minutes()) == 0


def test_a_plot_keeps_peaks_and_stays_in_its_box():
    plot = Plot.of("x", unit="y", values=[0, 7, *[1] * 358], since="", until="")
    assert len(plot.figures) == BARS
    assert plot.greatest == 7
    for bar in plot.bars:
        assert 0 <= bar.x <= bar.x + bar.width <= WIDTH
        assert 0 <= bar.y <= bar.y + bar.height <= HEIGHT
    assert Plot.of("x", unit="y", values=[0] * 360, since="", until="").bars == []
    assert len(Plot.of("x", unit="y", values=[1] * 30, since="", until="").bars) == 30
