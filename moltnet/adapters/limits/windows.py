"""Windows in memory, as a storage of the library `limits`.

The library's own storage in memory reads the machine's clock, keeps every key it meets, and looks at all of them after
each request; this one reads the port `Clock`, keeps a bounded number, and looks at one.
"""

from collections import OrderedDict

from limits.storage import Storage

from moltnet.ports.clock import Clock


class Windows(Storage):
    """How often each key was hit in its window; of more than `most` keys, those not hit for longest are forgotten."""

    STORAGE_SCHEME = None

    def __init__(self, clock: Clock, most: int) -> None:
        super().__init__()
        self._clock = clock
        self._most = most
        self._windows: OrderedDict[str, tuple[int, float]] = OrderedDict()

    @property
    def base_exceptions(self) -> tuple[type[Exception], ...]:
        """None: nothing here can fail."""
        return ()

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Counts a hit and answers how many there are; a key without a window gets one of `expiry` seconds."""
        now = self._clock.now().timestamp()
        hits, ends_at = self._windows.get(key, (0, now))
        if ends_at <= now:
            hits, ends_at = 0, now + expiry
        self._windows[key] = hits + amount, ends_at
        self._windows.move_to_end(key)
        if len(self._windows) > self._most:
            self._windows.popitem(last=False)
        return hits + amount

    def state(self, key: str) -> tuple[int, float]:
        """The hits of a key's window, and the seconds until it ends."""
        now = self._clock.now().timestamp()
        hits, ends_at = self._windows.get(key, (0, now))
        return hits, ends_at - now

    def get(self, key: str) -> int:
        """The hits of the window that began last; the library asks right after a hit."""
        return self._windows.get(key, (0, 0.0))[0]

    def get_expiry(self, key: str) -> float:
        """When that window ends, in seconds since 1970."""
        return self._windows.get(key, (0, self._clock.now().timestamp()))[1]

    def forget_ended(self) -> int:
        """Forgets the windows that are over; answers how many."""
        now = self._clock.now().timestamp()
        ended = [key for key, (_, ends_at) in self._windows.items() if ends_at <= now]
        for key in ended:
            del self._windows[key]
        return len(ended)

    def check(self) -> bool:
        """True: memory is always there."""
        return True

    def reset(self) -> int:
        """Forgets all windows; answers how many."""
        forgotten = len(self._windows)
        self._windows.clear()
        return forgotten

    def clear(self, key: str) -> None:
        """Forgets one window."""
        self._windows.pop(key, None)
