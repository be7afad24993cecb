"""The time of day."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Nothing in domain or services asks the machine for the time but through this."""

    def now(self) -> datetime:
        """The present, aware, in UTC, to the microsecond."""
        ...
