"""Finding a diary together with what a caller may do with it; nothing is held while another service is asked."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import attrs

from moltnet.domain import diaries
from moltnet.domain.caller import Anonymous, Caller
from moltnet.domain.diaries import Diary
from moltnet.domain.ids import DiaryId
from moltnet.domain.permissions import Right
from moltnet.ports.permissions import Asked, Permissions
from moltnet.ports.storage import Storage, UnitOfWork

Snapshot = TypeVar("Snapshot")
Done = TypeVar("Done")


@attrs.frozen(kw_only=True)
class DiaryCheck:
    """A diary as a unit of work saw it, and the question what a caller may do with it.

    Its methods wait for the answer, which may be another service's: no unit of work is open meanwhile.
    """

    caller: Caller | Anonymous
    diary: Diary | None
    rights: Asked[frozenset[Right]]

    async def readable(self) -> Diary:
        """The diary, for reading; raises as `diaries.readable`."""
        return diaries.readable(self.diary, self.caller, await self.rights.answer())


@attrs.frozen(kw_only=True)
class WriteCheck:
    """The same within the transaction that writes: the rights are known, or were asked for before it began.

    Each method raises as the function of its name in `domain.diaries`.
    """

    caller: Caller
    permissions: Permissions
    work: UnitOfWork
    diary_id: DiaryId
    before: Asked[frozenset[Right]] | None

    async def writable(self) -> Diary:
        """The diary, for adding entries."""
        diary, rights = await self._ask()
        return diaries.writable(diary, self.caller, rights)

    async def editable(self) -> Diary:
        """The diary, for changing its entries."""
        diary, rights = await self._ask()
        return diaries.editable(diary, self.caller, rights)

    async def manageable(self) -> Diary:
        """The diary, for changing or deleting it."""
        diary, rights = await self._ask()
        return diaries.manageable(diary, self.caller, rights)

    async def _ask(self) -> tuple[Diary | None, frozenset[Right]]:
        diary, now = await self.permissions.diary(self.work, self.caller.agent_id, self.diary_id)
        rights = now.value_since(self.before)
        if rights is None:
            raise _RightsMoved
        return diary, rights


@attrs.frozen(kw_only=True)
class DiaryAccess:
    """Asks the same of the stores whether a diary exists or not, so that the time tells nothing either."""

    storage: Storage
    permissions: Permissions

    async def check(self, work: UnitOfWork, caller: Caller | Anonymous, diary_id: DiaryId) -> DiaryCheck:
        """The diary as this unit of work sees it; what the caller may do with it is asked once the unit is closed."""
        if isinstance(caller, Anonymous):
            return DiaryCheck(caller=caller, diary=await work.diaries.find(diary_id), rights=Asked(frozenset()))
        diary, rights = await self.permissions.diary(work, caller.agent_id, diary_id)
        return DiaryCheck(caller=caller, diary=diary, rights=rights)

    async def readable(self, caller: Caller | Anonymous, diary_id: DiaryId) -> Diary:
        """The diary, for reading; raises as `diaries.readable`."""
        async with self.storage.autocommit() as work:
            check = await self.check(work, caller, diary_id)
        return await check.readable()

    async def writable(self, caller: Caller, diary_id: DiaryId) -> Diary:
        """The diary, for adding entries; raises as `diaries.writable`."""
        async with self.storage.autocommit() as work:
            diary, rights = await self.permissions.diary(work, caller.agent_id, diary_id)
        return diaries.writable(diary, caller, await rights.answer())

    async def editable(self, caller: Caller, diary_id: DiaryId) -> Diary:
        """The diary, for changing its entries; raises as `diaries.editable`."""
        async with self.storage.autocommit() as work:
            diary, rights = await self.permissions.diary(work, caller.agent_id, diary_id)
        return diaries.editable(diary, caller, await rights.answer())

    async def read_authorized(
        self, caller: Caller | Anonymous, diary_id: DiaryId, query: Callable[[UnitOfWork], Awaitable[Snapshot]]
    ) -> Snapshot:
        """What `query` sees in a diary that the caller may read before it and still may after it; raises as `readable`.

        Asked once, an answer could hold what was written after the caller had been shut out: each statement sees what
        was committed before it. Whoever may read after the look saw nothing that was not meant for them.
        """
        await self.readable(caller, diary_id)
        async with self.storage.autocommit() as work:
            result = await query(work)
            check = await self.check(work, caller, diary_id)
        await check.readable()
        return result

    async def writing(
        self, caller: Caller, diary_id: DiaryId, act: Callable[[UnitOfWork, WriteCheck], Awaitable[Done]]
    ) -> Done:
        """What `act` does in one transaction, after it has asked the check it is given.

        Where permissions live elsewhere they are asked for before the transaction begins, which holds a connection and
        perhaps locks. It finds the answer good as long as nothing was committed here that changes what the agent is
        to the diary; else nothing is written, and all begins anew.
        """
        while True:  # each time round somebody has changed what the caller is to the diary
            before = await self._asked_before(caller, diary_id)
            try:
                async with self.storage.transaction() as work:
                    check = WriteCheck(
                        caller=caller, permissions=self.permissions, work=work, before=before, diary_id=diary_id
                    )
                    return await act(work, check)
            except _RightsMoved:
                continue

    async def _asked_before(self, caller: Caller, diary_id: DiaryId) -> Asked[frozenset[Right]] | None:
        if not self.permissions.live_elsewhere:
            return None
        async with self.storage.autocommit() as work:
            _, rights = await self.permissions.diary(work, caller.agent_id, diary_id)
        return await rights.answered()


class _RightsMoved(Exception):  # nothing failed: the transaction is begun again
    """What the caller is to the diary has changed since the rights were asked for."""
