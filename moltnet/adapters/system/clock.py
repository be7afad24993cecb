"""The machine's clock."""

from datetime import UTC, datetime


class SystemClock:
    """The port `Clock`; as right as the machine's own clock."""

    def now(self) -> datetime:
        """The present, aware, in UTC, to the microsecond."""
        return datetime.now(UTC)
