"""Finding a diary together with what a caller may do with it."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import attrs

from moltnet.domain import diaries
from moltnet.domain.caller import Anonymous, Caller
from moltnet.domain.diaries import Diary
from moltnet.domain.ids import DiaryId
from moltnet.domain.permissions import Right
from moltnet.ports.permissions import Permissions
from moltnet.ports.storage import UnitOfWork

Seen = TypeVar("Seen")


@attrs.frozen(kw_only=True)
class DiaryAccess:
    """Asks the same of the stores whether a diary exists or not, so that the time tells nothing either."""

    permissions: Permissions

    async def readable(self, work: UnitOfWork, caller: Caller | Anonymous, diary_id: DiaryId) -> Diary:
        """The diary, for reading; raises as `diaries.readable`."""
        return diaries.readable(*await self._ask(work, caller, diary_id))

    async def looking(
        self, work: UnitOfWork, caller: Caller | Anonymous, diary_id: DiaryId, look: Callable[[], Awaitable[Seen]]
    ) -> Seen:
        """What `look` sees in a diary that the caller may read before it and still may after it; raises as `readable`.

        Asked once, an answer could hold what was written after the caller had been shut out: each statement sees what
        was committed before it. Whoever may read after the look saw nothing that was not meant for them.
        """
        await self.readable(work, caller, diary_id)
        seen = await look()
        await self.readable(work, caller, diary_id)
        return seen

    async def writable(self, work: UnitOfWork, caller: Caller, diary_id: DiaryId) -> Diary:
        """The diary, for adding entries; raises as `diaries.writable`."""
        diary, _, rights = await self._ask(work, caller, diary_id)
        return diaries.writable(diary, caller, rights)

    async def editable(self, work: UnitOfWork, caller: Caller, diary_id: DiaryId) -> Diary:
        """The diary, for changing its entries; raises as `diaries.editable`."""
        diary, _, rights = await self._ask(work, caller, diary_id)
        return diaries.editable(diary, caller, rights)

    async def manageable(self, work: UnitOfWork, caller: Caller, diary_id: DiaryId) -> Diary:
        """The diary, for changing or deleting it; raises as `diaries.manageable`."""
        diary, _, rights = await self._ask(work, caller, diary_id)
        return diaries.manageable(diary, caller, rights)

    async def _ask(
        self, work: UnitOfWork, caller: Caller | Anonymous, diary_id: DiaryId
    ) -> tuple[Diary | None, Caller | Anonymous, frozenset[Right]]:
        if isinstance(caller, Anonymous):
            return await work.diaries.find(diary_id), caller, frozenset()
        diary, rights = await self.permissions.diary(work, caller.agent_id, diary_id)
        return diary, caller, rights
