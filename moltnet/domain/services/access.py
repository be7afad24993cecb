"""Finding a diary together with what a caller may do with it; nothing is held while another service is asked."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeAlias, TypeVar

import attrs

from moltnet.domain import diaries
from moltnet.domain.caller import Anonymous, Caller
from moltnet.domain.diaries import Diary
from moltnet.domain.entries import Entry
from moltnet.domain.errors import MoltNetError
from moltnet.domain.ids import AgentId, DiaryId, EntryId
from moltnet.domain.permissions import Right
from moltnet.ports.permissions import Asked, Permissions
from moltnet.ports.storage import Storage, UnitOfWork, together

Subject = TypeVar("Subject")
Granted = TypeVar("Granted")
Result = TypeVar("Result")
Asker = TypeVar("Asker", Caller, Caller | Anonymous)
Rule: TypeAlias = Callable[[Diary | None, Asker, frozenset[Right]], Diary]
Check: TypeAlias = Callable[[Rule[Caller]], Awaitable[Diary]]

LET_IN_MAX = 4_096  # whom early refusals let in, remembered for fewer round trips: half a megabyte


@attrs.frozen(kw_only=True)
class DiaryAccess:
    """Asks the same of the stores whether a diary exists or not, so that the time tells nothing either."""

    storage: Storage
    permissions: Permissions
    _let_in: set[tuple[object, AgentId, DiaryId]] = attrs.field(init=False, factory=set, eq=False)

    async def check_first(self, caller: Asker, diary_id: DiaryId, rule: Rule[Asker]) -> None:
        """The early refusal by itself, before costly work, of what is checked again in the end.

        Whom it let in before is not asked for: that later check decides, and who is refused there is asked for here
        again. So at most one costly work is in vain for each right that ends. Nothing is returned or stored by what is
        remembered.
        """
        if isinstance(caller, Anonymous):
            await self.check(caller, diary_id, rule)
        elif (rule, caller.agent_id, diary_id) not in self._let_in:
            await self.check(caller, diary_id, rule)
            if len(self._let_in) >= LET_IN_MAX:
                self._let_in.clear()
            self._let_in.add((rule, caller.agent_id, diary_id))

    async def check(self, caller: Asker, diary_id: DiaryId, rule: Rule[Asker]) -> Diary:
        """The diary by a rule of `domain.diaries`, for the moment of the call: an early refusal, before costly work."""
        async with self.storage.autocommit() as work:
            diary, asked = await self.ask(work, caller, diary_id)
        return rule(diary, caller, await asked.answer())

    async def ask(
        self, work: UnitOfWork, caller: Caller | Anonymous, diary_id: DiaryId
    ) -> tuple[Diary | None, Asked[frozenset[Right]]]:
        """The diary as this unit of work sees it, and what the caller may do with it beyond its visibility."""
        if isinstance(caller, Anonymous):
            return await work.diaries.find(diary_id), Asked(frozenset())
        return await self.permissions.diary(work, caller.agent_id, diary_id)

    async def read_authorized(
        self,
        ask: Callable[[UnitOfWork], Awaitable[tuple[Subject, Asked[Granted]]]],
        query: Callable[[UnitOfWork, Subject, Granted], Awaitable[Result]],
        *,
        is_one_statement: bool = False,
    ) -> Result:
        """What `query` sees in the same snapshot in which the permissions hold that `ask` asks for.

        So an agent that was shut out sees nothing that was written afterwards. Where permissions live elsewhere, they
        are asked for while no snapshot is open. The next snapshot accepts the answer if nothing was committed that
        changes it (`Asked.basis`); else it is asked for again. What one statement sees is one state anyway.
        """
        before: Asked[Granted] | None = None
        while True:
            async with self.storage.autocommit() if is_one_statement else self.storage.snapshot() as work:
                subject, asked = await ask(work)
                granted = asked.value_since(before)
                if granted is not None:
                    return await query(work, subject, granted)
            before = await asked.answered()

    async def read_expecting(
        self,
        expected: Granted,
        ask: Callable[[UnitOfWork], Awaitable[Asked[Granted]]],
        query: Callable[[UnitOfWork, Granted], Awaitable[Result]],
    ) -> Result:
        """The same for who had these permissions a moment ago, stored with the data: both are asked together.

        Where they are others now, what was seen by the earlier ones is dropped, and `query` sees the same snapshot
        again.
        """
        async with self.storage.snapshot() as work:
            asked, result = await together(ask(work), query(work, expected))
            granted = await asked.answer()
            return result if granted == expected else await query(work, granted)

    async def read_diary(
        self, caller: Caller | Anonymous, diary_id: DiaryId, query: Callable[[UnitOfWork], Awaitable[Result]]
    ) -> Result:
        """What `query` sees of a diary that the caller may read (`read_authorized`); raises as `diaries.readable`."""

        async def query_if_readable(work: UnitOfWork, diary: Diary | None, rights: frozenset[Right]) -> Result:
            self._decide(diaries.readable, diary_id, diary, caller, rights)
            return await query(work)

        return await self.read_authorized(lambda work: self.ask(work, caller, diary_id), query_if_readable)

    async def read_checked_diary(
        self, caller: Caller | Anonymous, diary_id: DiaryId, query: Callable[[UnitOfWork], Awaitable[Result]]
    ) -> Result:
        """The same for a caller that might read it a moment ago: the answer waits for the right, the query does not."""
        if self.permissions.live_elsewhere:
            return await self.read_diary(caller, diary_id, query)
        async with self.storage.snapshot() as work:
            (diary, asked), result = await together(self.ask(work, caller, diary_id), query(work))
        self._decide(diaries.readable, diary_id, diary, caller, await asked.answer())
        return result

    async def read_entry(self, caller: Caller | Anonymous, diary_id: DiaryId, entry_id: EntryId) -> Entry | None:
        """An entry of a diary that the caller may read; raises as `diaries.readable`, entry or not.

        As much is asked whether the diary may be read or not, so that the time tells nothing.
        """

        async def ask(work: UnitOfWork) -> tuple[tuple[Diary | None, Entry | None], Asked[frozenset[Right]]]:
            if isinstance(caller, Anonymous):
                entry, diary, _ = await work.entries.find_with_relations(diary_id, entry_id, None)
                return (diary, entry), Asked(frozenset())
            diary, entry, asked = await self.permissions.entry(work, caller.agent_id, diary_id, entry_id)
            return (diary, entry), asked

        async def check(
            _: UnitOfWork, found: tuple[Diary | None, Entry | None], rights: frozenset[Right]
        ) -> Entry | None:
            diaries.readable(found[0], caller, rights)
            return found[1]

        return await self.read_authorized(ask, check, is_one_statement=not self.permissions.live_elsewhere)

    async def write_authorized(
        self, caller: Caller, diary_id: DiaryId, act: Callable[[UnitOfWork, Check], Awaitable[Result]]
    ) -> Result:
        """What `act` does in one transaction, after the check it is given has let it: `await check(diaries.writable)`.

        The check raises as its rule. Where permissions live elsewhere they are asked for before the transaction begins,
        which holds a connection and perhaps locks. The check accepts the answer as `read_authorized` does; else nothing
        is written, and all begins again.
        """
        while True:  # each time round somebody has changed what the caller is to the diary
            before = await self._asked_before(caller, diary_id)
            try:
                async with self.storage.transaction() as work:
                    return await act(work, partial(self._check, work, caller, diary_id, before))
            except _RightsChanged:
                continue

    async def _check(
        self,
        work: UnitOfWork,
        caller: Caller,
        diary_id: DiaryId,
        before: Asked[frozenset[Right]] | None,
        rule: Rule[Caller],
    ) -> Diary:
        diary, asked = await self.ask(work, caller, diary_id)
        rights = asked.value_since(before)
        if rights is None:
            raise _RightsChanged
        return self._decide(rule, diary_id, diary, caller, rights)

    def _decide(
        self, rule: Rule[Asker], diary_id: DiaryId, diary: Diary | None, caller: Asker, rights: frozenset[Right]
    ) -> Diary:
        """By the rule; whom it refuses is refused early from now on."""
        try:
            return rule(diary, caller, rights)
        except MoltNetError:
            if not isinstance(caller, Anonymous):
                self._let_in.discard((rule, caller.agent_id, diary_id))
            raise

    async def _asked_before(self, caller: Caller, diary_id: DiaryId) -> Asked[frozenset[Right]] | None:
        if not self.permissions.live_elsewhere:
            return None
        async with self.storage.snapshot() as work:
            _, asked = await self.ask(work, caller, diary_id)
        return await asked.answered()


class _RightsChanged(Exception):  # nothing failed: the transaction is started again
    """What the caller is to the diary has changed since the rights were asked for."""
