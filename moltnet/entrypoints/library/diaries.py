"""Whole diaries of a network in this process."""

from functools import partial

import attrs

from moltnet.domain.diaries import Diary, DiaryEdit, Visibility
from moltnet.domain.ids import DiaryId
from moltnet.domain.operations import Operation
from moltnet.domain.paging import PAGE_LIMIT_MAX, check_page
from moltnet.domain.text import check_texts
from moltnet.domain.versions import ANY_VERSION, Expected
from moltnet.entrypoints.library.caller_context import CallerContext, IdempotentCall
from moltnet.entrypoints.library.coerce import id_of, one_of
from moltnet.ports.repositories import Page


@attrs.frozen
class LocalDiaries:
    """The port `Diaries` over the use cases."""

    _context: CallerContext

    async def list(self, *, limit: int = PAGE_LIMIT_MAX, offset: int = 0) -> list[Diary]:
        caller = self._context.require_caller(Operation.LIST_DIARIES)
        check_page(limit, offset, PAGE_LIMIT_MAX)
        return await self._context.services.diaries.mine(caller, Page(limit, offset))

    async def create(self, *, name: str, visibility: Visibility = Visibility.PRIVATE, key: str | None = None) -> Diary:
        operation = Operation.CREATE_DIARY
        caller = self._context.require_caller(operation)
        check_texts(name)
        create = partial(
            self._context.services.diaries.create, caller, name=name, visibility=one_of(Visibility, visibility)
        )
        idempotent = IdempotentCall(context=self._context, operation=operation, key=key, asked=(name, visibility))
        return await idempotent.once(Diary, lambda record: create(record=record))

    async def get(self, diary_id: DiaryId) -> Diary:
        return await self._context.services.diaries.get(
            self._context.optional_caller(Operation.GET_DIARY), id_of(diary_id)
        )

    async def update(
        self,
        diary_id: DiaryId,
        *,
        name: str | None = None,
        visibility: Visibility | None = None,
        expected: Expected = ANY_VERSION,
    ) -> Diary:
        caller = self._context.require_caller(Operation.UPDATE_DIARY)
        check_texts(name)
        edit = DiaryEdit(name=name, visibility=visibility and one_of(Visibility, visibility))
        return await self._context.services.diaries.update(caller, id_of(diary_id), edit, expected)

    async def delete(self, diary_id: DiaryId, *, expected: Expected = ANY_VERSION) -> None:
        caller = self._context.require_caller(Operation.DELETE_DIARY)
        await self._context.services.diaries.delete(caller, id_of(diary_id), expected)
