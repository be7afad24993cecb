"""The public feed in memory."""

import heapq
from collections.abc import Sequence
from itertools import islice

from moltnet.adapters.memory.repositories.references import public_entry
from moltnet.adapters.memory.statements import Statements
from moltnet.adapters.memory.tables import Tables
from moltnet.domain.feed import Cursor, Position, PublicEntry, Stretch
from moltnet.domain.ids import EntryId

LOOKED_AT_TO_RESUME = 100


class MemoryFeed:
    """Entries of public diaries; positions are given by `MemoryEntries.add`."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    async def find_many(self, entry_ids: Sequence[EntryId]) -> list[PublicEntry]:
        """The entries of these ids, in their order."""
        tables = await self._statements.read()
        return [item for entry_id in entry_ids if (item := public_entry(tables, entry_id))]

    async def end(self) -> Position:
        """The greatest position, 0 when there is none."""
        return _end(await self._statements.read())

    async def resume(self, after: Cursor) -> Position:
        """The position to continue from."""
        tables = await self._statements.read()
        sharing_keys = tables.feed.sharing("entry", after.entry_id)
        if sharing_keys:
            return next(iter(sharing_keys))
        later = [(cursor, position) for position, cursor in tables.feed.rows().items() if cursor > after]
        next_by_date = heapq.nsmallest(LOOKED_AT_TO_RESUME, later)
        return min((Position(position - 1) for _, position in next_by_date), default=_end(tables))

    async def between(self, after: Position, until: Position, limit: int) -> Stretch:
        """What is public in a stretch, from at most `limit` positions."""
        tables = await self._statements.read()
        numbers = map(Position, range(after + 1, until + 1))
        placed = ((position, cursor) for position in numbers if (cursor := tables.feed.get(position)))
        looked_at = list(islice(placed, limit))
        items = (public_entry(tables, cursor.entry_id) for _, cursor in looked_at)
        end = looked_at[-1][0] if len(looked_at) == limit else until
        return Stretch(items=tuple(filter(None, items)), end=end)


def _end(tables: Tables) -> Position:
    return max(tables.feed.rows(), default=Position(0))
