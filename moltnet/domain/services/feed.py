"""The public feed, open to everyone: its pages, a search of it, and what comes into it from now on."""

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
    page,
)
from moltnet.domain.ids import EntryId
from moltnet.domain.services.feed_subscription import FeedSubscription, SharedReads
from moltnet.domain.services.retrieval import Retrieval
from moltnet.ports.feed import FeedEvents
from moltnet.ports.storage import Storage


@attrs.frozen(kw_only=True)
class FeedService:
    """Shows what stands in public diaries; entries the injection scan marked only on demand.

    Source: docs/reference/feed.md, "Flagged entries".
    """

    storage: Storage
    events: FeedEvents
    retrieval: Retrieval
    _reads: SharedReads = attrs.field(init=False, factory=SharedReads)

    async def page(self, after: Cursor | None, selection: Selection, limit: int) -> FeedPage:
        """A page, newest first."""
        async with self.storage.autocommit() as work:
            found = await work.entries.public_page(after, selection.tag, limit + 1, flagged=selection.include_flagged)
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
        async with self.storage.snapshot() as work:
            ranked = await self.retrieval.best_public(work, question, search.limit)
            return await work.feed.find_many([each.entry_id for each in ranked])

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
