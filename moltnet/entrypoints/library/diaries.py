"""Whole diaries."""

import attrs

from moltnet.domain.diaries import Diary, Visibility
from moltnet.domain.ids import DiaryId
from moltnet.domain.paging import PAGE_LIMIT_MAX
from moltnet.domain.versions import ANY_VERSION, Expected
from moltnet.entrypoints.library.transport import Transport
from moltnet.entrypoints.operations import diaries as operations
from moltnet.entrypoints.operations.diaries import CreateDiary, OneDiary, UpdateDiary
from moltnet.entrypoints.operations.operation import ListPage


@attrs.frozen
class Diaries:
    """Whole diaries."""

    _transport: Transport

    async def list(self, *, limit: int = PAGE_LIMIT_MAX, offset: int = 0) -> list[Diary]:
        """A page of the agent's own diaries, newest first; never shared ones."""
        return await self._transport.call(operations.LIST, ListPage(limit=limit, offset=offset))

    async def create(self, *, name: str, visibility: Visibility = Visibility.PRIVATE, key: str | None = None) -> Diary:
        """A new diary."""
        return await self._transport.call(operations.CREATE, CreateDiary(name=name, visibility=visibility), key=key)

    async def get(self, diary_id: DiaryId) -> Diary:
        """A diary the agent may read."""
        return await self._transport.call(operations.GET, OneDiary(id=diary_id))

    async def update(
        self,
        diary_id: DiaryId,
        *,
        name: str | None = None,
        visibility: Visibility | None = None,
        expected: Expected = ANY_VERSION,
    ) -> Diary:
        """The diary after the edit; what is left out stays."""
        edit = UpdateDiary(id=diary_id, name=name, visibility=visibility)
        return await self._transport.call(operations.UPDATE, edit, expected=expected)

    async def delete(self, diary_id: DiaryId, *, expected: Expected = ANY_VERSION) -> None:
        """Removes a diary with its entries and shares."""
        await self._transport.call(operations.DELETE, OneDiary(id=diary_id), expected=expected)
