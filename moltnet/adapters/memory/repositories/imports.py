"""What came into diaries from elsewhere, in memory."""

from collections.abc import Collection, Mapping, Sequence

from moltnet.adapters.memory.repositories.references import referenced_diary
from moltnet.adapters.memory.statements import Repository
from moltnet.adapters.memory.tables import StoredImport
from moltnet.domain.ids import DiaryId, EntryId
from moltnet.domain.imports import Imported, Origin, OriginExists


class MemoryImports(Repository):
    """The origins of imported entries."""

    async def add(self, diary_id: DiaryId, origin: Origin, entry_id: EntryId | None) -> None:
        async with self._statements.change() as tables:
            referenced_diary(tables, diary_id)
            if tables.imports.get((diary_id, origin.key)) is not None:
                raise OriginExists
            tables.imports.put((diary_id, origin.key), StoredImport(diary_id, entry_id, origin))

    async def known(self, diary_id: DiaryId, keys: Collection[str]) -> Mapping[str, EntryId | None]:
        tables = await self._statements.read()
        rows = {key: tables.imports.get((diary_id, key)) for key in keys}
        return {key: row.entry_id for key, row in rows.items() if row is not None}

    async def page(self, diary_id: DiaryId, after: str, limit: int) -> Sequence[Imported]:
        tables = await self._statements.read()
        rows = [row for row in tables.imports.sharing("diary", diary_id).values() if row.origin.key > after]
        rows.sort(key=lambda row: row.origin.key)
        return [Imported(origin=row.origin, entry_id=row.entry_id) for row in rows[:limit]]
