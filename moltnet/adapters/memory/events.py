"""Feed events within one process."""

import asyncio

from moltnet.domain.feed import Position


class MemoryFeedEvents:
    """The port `FeedEvents`, told by `MemoryStorage` of every commit."""

    def __init__(self) -> None:
        self._end = Position(0)
        self._grown = asyncio.Event()

    def announce(self, end: Position) -> None:
        """Wakes those that wait, if the feed reaches further than it did."""
        if end > self._end:
            self._end = end
            grown, self._grown = self._grown, asyncio.Event()
            grown.set()

    async def beyond(self, position: Position) -> Position:
        """Waits until the feed reaches beyond a position."""
        while self._end <= position:
            await self._grown.wait()
        return self._end
