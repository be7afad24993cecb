"""The tables `log_pending`, `log_leaves`, `log_subjects`, `log_tiles`, `log_head` and `log_key`."""

from collections.abc import Collection, Mapping, Sequence

from moltnet.adapters.postgres.rows import columns_of
from moltnet.adapters.postgres.session import Repository, Row
from moltnet.domain.checkpoints import Checkpoint
from moltnet.domain.ids import DiaryId
from moltnet.domain.keys import PublicKey
from moltnet.domain.merkle import Range
from moltnet.domain.tiles import Tile
from moltnet.domain.transparency import Leaf, LoggedLeaf
from moltnet.ports.transparency import LogHead, LogKey, PendingLeaf

# One row.
ADD = "insert into log_pending (leaf, subjects) values (%(leaf)s, %(subjects)s)"
# One row, or none of a diary that is not public. Its visibility belongs to diaries_id_visibility_key, so that this lock
# of the row keeps it as it is until the commit.
ADD_HEAD = """
    insert into log_pending (leaf, subjects)
    select %(leaf)s, %(subjects)s
    from (select from diaries where id = %(diary_id)s and visibility = 'public' for key share) as public
"""
FIND_KEY = "select origin, public_key, sealed, created_at from log_key"
# One row, or none when there is a key; log_key_pkey.
ADD_FIRST_KEY = """
    insert into log_key (origin, public_key, sealed, created_at)
    values (%(origin)s, %(public_key)s, %(sealed)s, %(created_at)s)
    on conflict do nothing
"""
REPLACE_SEALED = "update log_key set sealed = %(sealed)s"
HEAD = "select signed, published from log_head"
HOLD = "select signed, published from log_head for update"
# In the order in which they were added; log_pending_pkey.
PENDING = "select number, leaf from log_pending order by number limit %(limit)s"
# All that was pending is in the tree, or nothing of it; log_pending_pkey, log_leaves_pkey, log_subjects_pkey.
EXTEND = """
    with moved as (
        select pending.number, pending.leaf, pending.subjects, places.index
        from unnest(%(numbers)s::bigint[], %(indexes)s::bigint[]) as places (number, index)
        join log_pending pending on pending.number = places.number
    ), gone as (
        delete from log_pending where number = any(%(numbers)s::bigint[])
    ), added as (
        insert into log_leaves (index, leaf) select index, leaf from moved
    ), named as (
        insert into log_subjects (subject, index) select unnest(subjects), index from moved
    )
    update log_head set signed = %(signed)s
"""
# log_tiles_pkey.
PUT_TILES = """
    insert into log_tiles (level, index, hashes)
    select * from unnest(%(levels)s::smallint[], %(indexes)s::bigint[], %(hashes)s::bytea[])
    on conflict (level, index) do update set hashes = excluded.hashes
"""
PUBLISH = """
    update log_head set published = %(published)s, size = %(size)s where published is null or size <= %(size)s
"""
# log_tiles_pkey.
TILES = """
    select tiles.level, tiles.index, tiles.hashes
    from unnest(%(levels)s::smallint[], %(indexes)s::bigint[]) as asked (level, index)
    join log_tiles tiles on tiles.level = asked.level and tiles.index = asked.index
"""
# log_leaves_pkey.
LEAVES = "select leaf from log_leaves where index >= %(start)s and index < %(end)s order by index"
# log_subjects_pkey, log_leaves_pkey.
OF_SUBJECT = """
    select leaves.index, leaves.leaf from log_subjects subjects
    join log_leaves leaves on leaves.index = subjects.index
    where subjects.subject = %(subject)s and subjects.index > %(after)s
    order by subjects.index limit %(limit)s
"""


class PostgresTransparencyLog(Repository):
    """What is stored of the open log."""

    async def add(self, leaf: Leaf) -> None:
        await self._session.run(ADD, leaf=leaf.data, subjects=sorted(leaf.subjects))

    async def add_head(self, diary_id: DiaryId, leaf: Leaf) -> None:
        await self._session.run(ADD_HEAD, leaf=leaf.data, subjects=sorted(leaf.subjects), diary_id=diary_id)

    async def key(self) -> LogKey | None:
        return await self._session.first(_key, FIND_KEY)

    async def add_first_key(self, key: LogKey) -> bool:
        columns = columns_of(key) | {"public_key": key.public_key.raw}
        return await self._session.run(ADD_FIRST_KEY, **columns) > 0

    async def replace_sealed(self, sealed: bytes) -> None:
        await self._session.run(REPLACE_SEALED, sealed=sealed)

    async def head(self) -> LogHead:
        return await self._session.first(_head, HEAD) or LogHead()

    async def hold(self) -> LogHead:
        return await self._session.first(_head, HOLD) or LogHead()

    async def pending(self, limit: int) -> list[PendingLeaf]:
        return await self._session.all(_pending, PENDING, limit=limit)

    async def extend(
        self, first: int, leaves: Sequence[PendingLeaf], tiles: Mapping[Tile, bytes], signed: Checkpoint
    ) -> None:
        numbers, indexes = [each.number for each in leaves], list(range(first, first + len(leaves)))
        await self._session.run(EXTEND, numbers=numbers, indexes=indexes, signed=signed.text)
        await self._session.run(PUT_TILES, **_columns(tiles), hashes=list(tiles.values()))

    async def publish(self, checkpoint: Checkpoint) -> None:
        await self._session.run(PUBLISH, published=checkpoint.text, size=checkpoint.size)

    async def tiles(self, tiles: Collection[Tile]) -> dict[Tile, bytes]:
        return dict(await self._session.all(_tile, TILES, **_columns(tiles)))

    async def leaves(self, leaves: Range) -> list[bytes]:
        return await self._session.all(lambda row: bytes(row["leaf"]), LEAVES, start=leaves.start, end=leaves.end)

    async def of_subject(self, subject: str, after: int, limit: int) -> list[LoggedLeaf]:
        return await self._session.all(_logged, OF_SUBJECT, subject=subject, after=after, limit=limit)


def _columns(tiles: Collection[Tile]) -> dict[str, list[int]]:
    return {"levels": [tile.level for tile in tiles], "indexes": [tile.index for tile in tiles]}


def _key(row: Row) -> LogKey:
    return LogKey(**{**row, "public_key": PublicKey(row["public_key"])})


def _head(row: Row) -> LogHead:
    signed, published = row["signed"], row["published"]
    return LogHead(
        signed=Checkpoint.parse(signed) if signed else None,
        published=Checkpoint.parse(published) if published else None,
    )


def _pending(row: Row) -> PendingLeaf:
    return PendingLeaf(number=row["number"], leaf=Leaf.parse(row["leaf"]))


def _tile(row: Row) -> tuple[Tile, bytes]:
    return Tile(row["level"], row["index"]), bytes(row["hashes"])


def _logged(row: Row) -> LoggedLeaf:
    return LoggedLeaf(index=row["index"], data=bytes(row["leaf"]))
