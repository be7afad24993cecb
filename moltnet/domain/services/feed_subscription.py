"""Following the public feed: one reader for each follower, and one read for all that are at the same position."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Self

import attrs

from moltnet.domain.feed import Position, PublicEntry, Selection, Stretch
from moltnet.ports.feed import FeedEvents
from moltnet.ports.storage import Storage

# How many positions are read at once.
STRETCH = 50

Read = Callable[[], Coroutine[Any, Any, Stretch]]


class SharedReads:
    """Followers who want the same stretch at the same time wait for one read of it.

    Nothing is stored beyond the read: an entry that left the feed is not shown because somebody else saw it before.
    """

    def __init__(self) -> None:
        self._under_way: dict[tuple[Position, Position], asyncio.Task[Stretch]] = {}

    async def get(self, after: Position, until: Position, read: Read) -> Stretch:
        """What `read` answers, or the same read that is under way. Cancelling one who waits disturbs no other."""
        stretch = after, until
        task = self._under_way.get(stretch)
        if task is None:
            task = self._under_way[stretch] = asyncio.create_task(read())
            task.add_done_callback(lambda _: self._under_way.pop(stretch))
        return await asyncio.shield(task)


@attrs.define(kw_only=True)
class FeedSubscription:
    """An endless iterator over what comes into the feed, by groups as they can be had; no group is empty.

    Cancelling a step loses nothing: the next one tells the same. Raises StorageUnavailable, and may be asked again.
    """

    _storage: Storage
    _events: FeedEvents
    _reads: SharedReads
    _selection: Selection
    _position: Position

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> tuple[PublicEntry, ...]:
        while True:
            stretch = await self._next_stretch()
            self._position = stretch.end
            shown = tuple(filter(self._selection.shows, stretch.items))
            if shown:
                return shown

    async def _next_stretch(self) -> Stretch:
        after = self._position
        until = await self._events.beyond(after)
        return await self._reads.get(after, until, lambda: self._read(after, until))

    async def _read(self, after: Position, until: Position) -> Stretch:
        async with self._storage.autocommit() as work:
            return await work.feed.between(after, until, STRETCH)
