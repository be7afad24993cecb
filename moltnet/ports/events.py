"""Notifies followers of the public feed; what it is, they read from the storage."""

from typing import Protocol

from moltnet.domain.feed import Position


class FeedEvents(Protocol):
    """How far the feed reaches, over all processes of the network.

    Storing an entry announces it: with its commit, not before, and not if it is undone. Nothing but numbers is told.
    """

    async def beyond(self, position: Position) -> Position:
        """Waits until the feed is known to reach beyond a position; answers how far it reaches.

        All followers that wait are woken at once, and cancelling one disturbs no other. An announcement that was
        missed, for example because the connection to the database was lost, is made up for: nobody waits for ever.
        """
        ...
