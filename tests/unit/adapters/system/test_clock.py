"""The machine's clock."""

from datetime import UTC, datetime

from moltnet.adapters.system import SystemClock


def test_it_shows_the_machines_time():
    before = datetime.now(UTC)
    shown = SystemClock().now()
    assert before <= shown <= datetime.now(UTC)
