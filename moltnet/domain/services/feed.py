"""The public feed, open to everyone."""

import attrs

from moltnet.domain.feed import Cursor, FeedPage, PublicEntry, PublicEntryNotFound, page
from moltnet.domain.ids import EntryId
from moltnet.ports.storage import Storage


@attrs.frozen(kw_only=True)
class FeedService:
    """Shows what stands in public diaries."""

    storage: Storage

    async def page(self, after: Cursor | None, tag: str | None, limit: int, *, include_flagged: bool) -> FeedPage:
        """A page, newest first; entries the injection scan marked only on demand (decision 14)."""
        async with self.storage.reading() as work:
            return page(await work.entries.public_page(after, tag, limit + 1, flagged=include_flagged), limit)

    async def entry(self, entry_id: EntryId) -> PublicEntry:
        """One entry; raises PublicEntryNotFound for a missing and for a non-public one alike."""
        async with self.storage.reading() as work:
            found = await work.entries.public_entry(entry_id)
        if found is None:
            raise PublicEntryNotFound
        return found
