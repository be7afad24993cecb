"""A clock that is set by hand."""

from datetime import datetime, timedelta


class MemoryClock:
    """The port `Clock`; stands still except for what is set, or for a tick with every look at it."""

    def __init__(self, at: datetime, tick: timedelta = timedelta()) -> None:
        self._at = at
        self._tick = tick

    def now(self) -> datetime:
        """The time it shows; it moves on by the tick afterwards, so that with one no two looks are alike."""
        at = self._at
        self._at += self._tick
        return at

    def set(self, at: datetime) -> None:
        """Turns it to a time, earlier or later."""
        self._at = at

    def advance(self, by: timedelta) -> None:
        """Moves it on."""
        self._at += by
