"""The open log, in memory."""

from collections.abc import Collection, Mapping, Sequence

import attrs

from moltnet.adapters.memory.statements import Repository
from moltnet.adapters.memory.tables import Tables
from moltnet.domain.checkpoints import Checkpoint
from moltnet.domain.diaries import Visibility
from moltnet.domain.ids import DiaryId
from moltnet.domain.merkle import Range
from moltnet.domain.tiles import Tile
from moltnet.domain.transparency import Leaf, LoggedLeaf
from moltnet.ports.transparency import LogHead, LogKey, PendingLeaf


class MemoryTransparencyLog(Repository):
    """What is stored of the open log."""

    async def add(self, leaf: Leaf) -> None:
        async with self._statements.change() as tables:
            _add(tables, leaf)

    async def add_head(self, diary_id: DiaryId, leaf: Leaf) -> None:
        async with self._statements.change() as tables:
            diary = tables.diaries.get(diary_id)
            if diary is not None and diary.visibility is Visibility.PUBLIC:
                _add(tables, leaf)

    async def key(self) -> LogKey | None:
        return (await self._statements.read()).log_keys.get(None)

    async def add_first_key(self, key: LogKey) -> bool:
        async with self._statements.change() as tables:
            if tables.log_keys.get(None) is not None:
                return False
            tables.log_keys.put(None, key)
            return True

    async def replace_sealed(self, sealed: bytes) -> None:
        async with self._statements.change() as tables:
            key = tables.log_keys.get(None)
            if key is not None:
                tables.log_keys.put(None, attrs.evolve(key, sealed=sealed))

    async def head(self) -> LogHead:
        return (await self._statements.read()).log_heads.get(None) or LogHead()

    async def hold(self) -> LogHead:
        """The last checkpoints; writers wait in line anyway."""
        return await self.head()

    async def pending(self, limit: int) -> list[PendingLeaf]:
        rows = (await self._statements.read()).log_pending.rows()
        return [PendingLeaf(number=number, leaf=rows[number]) for number in sorted(rows)[:limit]]

    async def extend(
        self, first: int, leaves: Sequence[PendingLeaf], tiles: Mapping[Tile, bytes], signed: Checkpoint
    ) -> None:
        async with self._statements.change() as tables:
            for index, pending in enumerate(leaves, first):
                tables.log_pending.drop(pending.number)
                tables.log_leaves.add(index, pending.leaf.data)
                for subject in pending.leaf.subjects:
                    tables.log_subjects.put((subject, index), (subject, index))
            for tile, hashes in tiles.items():
                tables.log_tiles.put(tile, hashes)
            tables.log_heads.put(None, attrs.evolve(_head(tables), signed=signed))

    async def publish(self, checkpoint: Checkpoint) -> None:
        async with self._statements.change() as tables:
            head = _head(tables)
            if head.published is None or head.published.size <= checkpoint.size:
                tables.log_heads.put(None, attrs.evolve(head, published=checkpoint))

    async def tiles(self, tiles: Collection[Tile]) -> dict[Tile, bytes]:
        stored = (await self._statements.read()).log_tiles
        found = ((tile, stored.get(tile)) for tile in tiles)
        return {tile: hashes for tile, hashes in found if hashes is not None}

    async def leaves(self, leaves: Range) -> list[bytes]:
        stored = (await self._statements.read()).log_leaves
        found = (stored.get(index) for index in range(leaves.start, leaves.end))
        return [data for data in found if data is not None]

    async def of_subject(self, subject: str, after: int, limit: int) -> list[LoggedLeaf]:
        tables = await self._statements.read()
        indexes = sorted(index for _, index in tables.log_subjects.sharing("subject", subject) if index > after)
        return [LoggedLeaf(index=each, data=tables.log_leaves.get(each) or b"") for each in indexes[:limit]]


def _add(tables: Tables, leaf: Leaf) -> None:
    number = (tables.counters.get("log") or 0) + 1
    tables.counters.put("log", number)
    tables.log_pending.put(number, leaf)


def _head(tables: Tables) -> LogHead:
    return tables.log_heads.get(None) or LogHead()
