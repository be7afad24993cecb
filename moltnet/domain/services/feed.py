"""The public feed, open to everyone: its pages, a search of it, and what comes into it from now on.

There is one reader for each follower, and one read for all that are at the same position.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Self, TypeVar

import attrs

from moltnet.domain.caller import ANONYMOUS, Anonymous, Caller
from moltnet.domain.feed import (
    Cursor,
    FeedPage,
    FeedSearch,
    Position,
    PublicEntry,
    PublicEntryNotFound,
    Selection,
    Stretch,
    page,
)
from moltnet.domain.ids import EntryId
from moltnet.domain.services.retrieval import Retrieval
from moltnet.ports.feed import FeedEvents
from moltnet.ports.storage import Replicas, Storage, UnitOfWork

# How many positions are read at once.
STRETCH = 50
# How old what everybody may read may be, where a replica is asked.
BEHIND_AT_MOST_S = 1.0

Result = TypeVar("Result")
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


@attrs.frozen(kw_only=True)
class FeedService:
    """Shows what stands in public diaries; entries the injection scan marked only on demand.

    Source: docs/reference/feed.md, "Flagged entries".
    """

    storage: Storage
    events: FeedEvents
    retrieval: Retrieval
    replicas: Replicas | None = None
    _reads: SharedReads = attrs.field(init=False, factory=SharedReads)

    async def page(self, after: Cursor | None, selection: Selection, limit: int) -> FeedPage:
        """A page, newest first."""

        async def query(work: UnitOfWork) -> list[PublicEntry]:
            return list(
                await work.entries.public_page(after, selection.tag, limit + 1, flagged=selection.include_flagged)
            )

        found = await self._of_replica(query)
        if found is None:
            async with self.storage.autocommit() as work:
                found = await query(work)
        return page(found, limit)

    async def entry(self, entry_id: EntryId) -> PublicEntry:
        """One entry; raises PublicEntryNotFound for a missing and for a non-public one alike."""
        async with self.storage.autocommit() as work:
            found = await work.entries.public_entry(entry_id)
        if found is None:
            raise PublicEntryNotFound
        return found

    async def search(self, search: FeedSearch, caller: Caller | Anonymous = ANONYMOUS) -> list[PublicEntry]:
        """The best of all public diaries, best first (`CandidateSearch.best_public`). No view is counted."""
        return await self.retrieval.models.retry_on_model_change(lambda: self._search(search, caller.asker))

    async def _search(self, search: FeedSearch, asker: str) -> list[PublicEntry]:
        question = await self.retrieval.question(search.query, search.selection.filters, asker)
        ranked = await self._of_replica(lambda work: self.retrieval.best_public(work, question, search.limit))
        async with self.storage.snapshot() as work:
            if ranked is None:
                ranked = await self.retrieval.best_public(work, question, search.limit)
                return [PublicEntry(entry=each.entry) for each in ranked]
            return await work.feed.find_many([each.entry_id for each in ranked])

    async def _of_replica(self, query: Callable[[UnitOfWork], Awaitable[Result]]) -> Result | None:
        """What a replica answers that is a second behind at most; None where there is none."""
        if self.replicas is None:
            return None
        return await self.replicas.read(await self.replicas.committed(BEHIND_AT_MOST_S), query)

    async def follow(self, after: Cursor | None, selection: Selection) -> FeedSubscription:
        """What comes into the feed after an entry, or from now on: each entry once, in the order they could be seen.

        Which moment "now" is, is decided before this returns. An entry that is written to a public diary is told;
        those of a diary that is made public are not: they were written before, and stand in the pages of the feed.
        """
        async with self.storage.snapshot() as work:
            start: Position = await work.feed.end() if after is None else await work.feed.resume(after)
        return FeedSubscription(
            storage=self.storage, events=self.events, reads=self._reads, selection=selection, position=start
        )
