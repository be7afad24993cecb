"""Memories from elsewhere, and where they were written first."""

from collections.abc import AsyncIterator, Sequence

import attrs

from moltnet.domain.ids import DiaryId
from moltnet.domain.imports import PAGE_MAX, ImportOutcome
from moltnet.entrypoints.library.transport import Transport
from moltnet.entrypoints.operations import imports
from moltnet.entrypoints.operations.imports import ImportEntries, ImportItem, ListImports, ShownImport


@attrs.frozen
class Imports:
    """Memories from elsewhere; `agent.import_` reads them from files."""

    _transport: Transport

    async def add(self, diary_id: DiaryId, items: Sequence[ImportItem]) -> list[ImportOutcome]:
        """Imports at most 25 into a diary that is not signed, each once; answers what became of each.

        Fewer are answered than were sent where something else than a refusal ended it: send the rest again.
        """
        return await self._transport.call(imports.IMPORT, ImportEntries(diary_id=diary_id, items=tuple(items)))

    async def list(self, diary_id: DiaryId, *, after: str = "", limit: int = PAGE_MAX) -> list[ShownImport]:
        """The origins of a diary's entries behind a key, by key."""
        return await self._transport.call(imports.LIST, ListImports(diary_id=diary_id, after=after, limit=limit))

    async def all(self, diary_id: DiaryId) -> AsyncIterator[ShownImport]:
        """Every origin by key, a page at a time."""
        after = ""
        while page := await self.list(diary_id, after=after):
            for imported in page:
                yield imported
            after = page[-1].key
