"""The table `feed`, and what is public of others."""

from collections.abc import Sequence
from operator import itemgetter

from moltnet.adapters.postgres.rows import beside, diary_from_row, public_entry_from_row
from moltnet.adapters.postgres.session import Repository
from moltnet.domain.diaries import Diary
from moltnet.domain.feed import Cursor, Figures, Position, PublicEntry, Stretch
from moltnet.domain.ids import AgentId, EntryId

# The entries of some ids in their order, with their authors; diary_entries_pkey.
FIND_MANY_PUBLIC = """
    select public_entries.* from unnest(%(ids)s::uuid[]) with ordinality as wanted (id, place)
    join public_entries on public_entries.id = wanted.id order by wanted.place
"""
# One row: agent_keys_pkey, agent_vouchers_redeemer and diary_entries_feed, each read through, but not their tables.
FIGURES = """
    select (select count(*) from agent_keys) as agents,
        (select count(*) from agent_vouchers where redeemed_by is not null) as vouches,
        (select count(*) from diary_entries where diary_visibility = 'public') as public_entries
"""
# An owner's public diaries, newest first; diaries_owner gives the order.
DIARIES_OF = """
    select id, owner_id, name, visibility, signed, injection_risk, created_at, updated_at
    from diaries where owner_id = %(owner_id)s and visibility = 'public'
    order by created_at desc, id desc limit %(limit)s
"""
# The public entries that an entry replaces, newest first; diary_entries_successor.
SUPERSEDED_BY = """
    select * from public_entries where superseded_by = %(id)s order by created_at desc, id desc limit %(limit)s
"""
# One row; feed_pkey from its end.
END_OF_FEED = "select coalesce(max(position), 0) as position from feed"
# One row: by feed_entry_id_key, by feed_time, or as END.
RESUME_FEED = """
    select coalesce(
        (select position from feed where entry_id = %(entry_id)s),
        (
            select min(position) - 1 from (
                select position from feed where (created_at, entry_id) > (%(created_at)s, %(entry_id)s::uuid)
                order by created_at, entry_id limit 100
            ) as later
        ),
        (select max(position) from feed),
        0
    ) as position
"""
# The first positions of a stretch, each beside its entry and author, or beside nulls when it is not public; feed_pkey
# gives the order.
FEED_BETWEEN = """
    select stretch.position, shown.* from (
        select position, entry_id from feed where position > %(after)s and position <= %(until)s
        order by position limit %(limit)s
    ) as stretch
    left join lateral (select * from public_entries where id = stretch.entry_id) as shown on true
    order by stretch.position
"""


class PostgresFeed(Repository):
    """The public feed; positions are given by the trigger `diary_entries_feed`."""

    async def find_many(self, entry_ids: Sequence[EntryId]) -> list[PublicEntry]:
        return await self._session.all(public_entry_from_row, FIND_MANY_PUBLIC, ids=list(entry_ids))

    async def figures(self) -> Figures:
        (figures,) = await self._session.all(lambda row: Figures(**row), FIGURES)
        return figures

    async def diaries_of(self, owner: AgentId, limit: int) -> list[Diary]:
        return await self._session.all(diary_from_row, DIARIES_OF, owner_id=owner, limit=limit)

    async def superseded_by(self, entry_id: EntryId, limit: int) -> list[PublicEntry]:
        return await self._session.all(public_entry_from_row, SUPERSEDED_BY, id=entry_id, limit=limit)

    async def end(self) -> Position:
        return await self._session.first(itemgetter("position"), END_OF_FEED) or Position(0)

    async def resume(self, after: Cursor) -> Position:
        values = {"created_at": after.created_at, "entry_id": after.entry_id}
        return await self._session.first(itemgetter("position"), RESUME_FEED, **values) or Position(0)

    async def between(self, after: Position, until: Position, limit: int) -> Stretch:
        rows = await self._session.all(
            beside("position", public_entry_from_row), FEED_BETWEEN, after=after, until=until, limit=limit
        )
        return Stretch(items=tuple(item for item, _ in rows if item), end=rows[-1][1] if len(rows) == limit else until)
