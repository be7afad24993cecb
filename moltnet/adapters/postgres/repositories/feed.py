"""The table `feed`, and everything else that only public diaries have."""

from collections.abc import Sequence

from moltnet.adapters.postgres.rows import public_entry_from_row
from moltnet.adapters.postgres.session import Row, Session
from moltnet.domain.feed import Cursor, Position, PublicEntry, Stretch
from moltnet.domain.ids import EntryId

# The entries of some ids in their order, with their authors; diary_entries_pkey.
FIND_MANY = """
    select public_entries.* from unnest(%(ids)s::uuid[]) with ordinality as wanted (id, place)
    join public_entries on public_entries.id = wanted.id order by wanted.place
"""
# One row; feed_pkey from its end.
END = "select coalesce(max(position), 0) as position from feed"
# One row: by feed_entry_id_key, by feed_time, or as END.
RESUME = """
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
BETWEEN = """
    select stretch.position, shown.* from (
        select position, entry_id from feed where position > %(after)s and position <= %(until)s
        order by position limit %(limit)s
    ) as stretch
    left join lateral (select * from public_entries where id = stretch.entry_id) as shown on true
    order by stretch.position
"""


class PostgresFeed:
    """The public feed; positions are given by the trigger `diary_entries_feed`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def find_many(self, entry_ids: Sequence[EntryId]) -> list[PublicEntry]:
        """The entries of these ids, in their order."""
        return await self._session.all(public_entry_from_row, FIND_MANY, ids=list(entry_ids))

    async def end(self) -> Position:
        """The greatest position, 0 when there is none."""
        return await self._session.first(_position, END) or Position(0)

    async def resume(self, after: Cursor) -> Position:
        """The position to continue from."""
        values = {"created_at": after.created_at, "entry_id": after.entry_id}
        return await self._session.first(_position, RESUME, **values) or Position(0)

    async def between(self, after: Position, until: Position, limit: int) -> Stretch:
        """What is public in a stretch, from at most `limit` positions."""
        rows = await self._session.all(_placed, BETWEEN, after=after, until=until, limit=limit)
        return Stretch(items=tuple(item for _, item in rows if item), end=rows[-1][0] if len(rows) == limit else until)


def _position(row: Row) -> Position:
    return Position(row["position"])


def _placed(row: Row) -> tuple[Position, PublicEntry | None]:
    item = {name: value for name, value in row.items() if name != "position"}
    return _position(row), None if row["id"] is None else public_entry_from_row(item)
