"""Random acts of several agents, done both to the use cases and to the model; every way to look must agree with it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeAlias, TypeVar

import attrs

from moltnet.domain.caller import Caller
from moltnet.domain.constraints import Page
from moltnet.domain.diaries import Diary, DiaryEdit, DiaryNotFound, Visibility
from moltnet.domain.digest import Reflection
from moltnet.domain.entries import Entry, NewEntry
from moltnet.domain.errors import MoltNetError
from moltnet.domain.ids import DiaryId
from moltnet.domain.permissions import InsufficientPermissions
from moltnet.domain.search import Filters, Search
from moltnet.domain.services import Services
from moltnet.domain.sharing import (
    InvitationAnswered,
    InvitationLimits,
    InvitationNotFound,
    SelfShare,
    Share,
    SharedDiaryNotFound,
    ShareExists,
    ShareNotFound,
    ShareRole,
    ShareStatus,
)
from moltnet.ports.storage import Storage
from tests.support.builders import a_caller
from tests.support.sharing_model import ModelDiary, ModelShare, SharingModel
from tests.support.stored import joined

AGENTS = 3
# More would make it rarer that two acts meet in one diary, which is where permissions go wrong.
DIARIES_MAX, ENTRIES_MAX = 3, 3
EVERYTHING = 50
QUERY = Search(query="memory", limit=EVERYTHING)
LIST = Search(include_shared=True, limit=EVERYTHING)
KINDS = ("create", "write", "write", "share", "share", "accept", "accept", "decline", "revoke", "delete", "show")

# Few agents say no to one another all the time; how often they may is for other tests.
FORGIVING = InvitationLimits(refusals=1_000_000)

Answer = TypeVar("Answer")
Refusal: TypeAlias = type[MoltNetError] | None


@attrs.frozen
class SharingStep:
    """An act: who does it, to which of the diaries there have been lately, with whom; numbers are taken modulo."""

    kind: str
    agent: int
    diary: int
    other: int


@attrs.define(kw_only=True)
class SharingWorld:
    """The use cases, the callers, and the model beside them."""

    services: Services
    callers: list[Caller]
    model: SharingModel = attrs.field(factory=SharingModel)
    taken: int = 0
    _ids: dict[int, DiaryId] = attrs.field(factory=dict)
    _shares: dict[tuple[int, int], Share] = attrs.field(factory=dict)

    @classmethod
    async def over(cls, storage: Storage, services: Services) -> "SharingWorld":
        """A world of three new members."""
        callers = [a_caller(agent=await joined(storage)) for _ in range(AGENTS)]
        return cls(services=services, callers=callers)

    async def take(self, step: SharingStep) -> None:
        """Does an act, and looks at everything it may have changed with the eyes of every agent."""
        self.taken += 1
        agent, other = step.agent % AGENTS, step.other % AGENTS
        number = self._chosen(step.diary)
        if step.kind == "create" or number is None:
            number = await self._create(agent, other)
        else:
            acts: dict[str, Callable[[int, int, int], Awaitable[None]]] = {
                "write": self._write,
                "share": self._share,
                "accept": self._accept,
                "decline": self._decline,
                "revoke": self._revoke,
                "delete": self._delete,
                "show": self._show,
            }
            await acts[step.kind](agent, number, other)
        await asyncio.gather(*(self._compare(each, number) for each in range(AGENTS)))

    # Acts

    async def _create(self, agent: int, other: int) -> int:
        if len(self.model.diaries) >= DIARIES_MAX:
            oldest = min(self.model.diaries)
            await self._delete(agent, oldest, other)
            return oldest
        number = len(self._ids)
        visibility = list(Visibility)[other]
        self._ids[number] = (
            await self.services.diaries.create(self.callers[agent], name="A diary", visibility=visibility)
        ).id
        self.model.diaries[number] = ModelDiary(agent, visibility)
        return number

    async def _write(self, agent: int, number: int, _: int) -> None:
        diary = self.model.diaries.get(number)
        if diary and diary.entries >= ENTRIES_MAX:
            return
        new = NewEntry(content=f"memory {self.taken}")
        refusal = None if self.model.writes(agent, number) else self._denied(agent, number)
        await _done(self.services.entries.create(self.callers[agent], self._ids[number], new), refusal)
        if diary and refusal is None:
            diary.entries += 1

    async def _share(self, agent: int, number: int, other: int) -> None:
        role = list(ShareRole)[self.taken % 2]
        share = self.model.share(other, number)
        refusal: Refusal = None
        if not self.model.owns(agent, number):
            refusal = SharedDiaryNotFound
        elif agent == other:
            refusal = SelfShare
        elif share and share.status.is_open:
            refusal = ShareExists
        fingerprint = self.callers[other].public_key.fingerprint
        sharing = self.services.sharing.share(self.callers[agent], self._ids[number], fingerprint, role)
        answer = await _done(sharing, refusal)
        if answer is not None:
            self._shares[number, other] = answer
            self.model.diaries[number].shares[other] = ModelShare(role)

    async def _accept(self, agent: int, number: int, _: int) -> None:
        await self._answer(agent, number, ShareStatus.ACCEPTED)

    async def _decline(self, agent: int, number: int, _: int) -> None:
        await self._answer(agent, number, ShareStatus.DECLINED)

    async def _answer(self, agent: int, number: int, status: ShareStatus) -> None:
        known = self._shares.get((number, agent))
        if known is None:
            return
        share = self.model.share(agent, number)
        refusal: Refusal = None
        if share is None:
            refusal = InvitationNotFound
        elif share.status is not ShareStatus.PENDING:
            refusal = InvitationAnswered
        sharing = self.services.sharing
        answer = sharing.accept if status is ShareStatus.ACCEPTED else sharing.decline
        await _done(answer(self.callers[agent], known.id), refusal)
        if share and refusal is None:
            share.status = status

    async def _revoke(self, agent: int, number: int, other: int) -> None:
        share = self.model.share(other, number)
        refusal: Refusal = None
        if not self.model.owns(agent, number):
            refusal = SharedDiaryNotFound
        elif share is None:
            refusal = ShareNotFound
        fingerprint = self.callers[other].public_key.fingerprint
        await _done(self.services.sharing.revoke(self.callers[agent], self._ids[number], fingerprint), refusal)
        if share and refusal is None:
            share.status = ShareStatus.REVOKED

    async def _delete(self, agent: int, number: int, _: int) -> None:
        refusal = None if self.model.owns(agent, number) else self._denied(agent, number)
        await _done(self.services.diaries.delete(self.callers[agent], self._ids[number]), refusal)
        if refusal is None:
            del self.model.diaries[number]

    async def _show(self, agent: int, number: int, other: int) -> None:
        edit = DiaryEdit(visibility=list(Visibility)[other])
        refusal = None if self.model.owns(agent, number) else self._denied(agent, number)
        await _done(self.services.diaries.update(self.callers[agent], self._ids[number], edit), refusal)
        if refusal is None and edit.visibility:
            self.model.diaries[number].visibility = edit.visibility

    def _denied(self, agent: int, number: int) -> Refusal:
        return InsufficientPermissions if self.model.reads(agent, number) else DiaryNotFound

    def _chosen(self, place: int) -> int | None:
        # The living, and the one that was made last even when it is gone: what is gone must stay gone.
        known = sorted({*self.model.diaries, len(self._ids) - 1} if self._ids else {*self.model.diaries})
        return known[place % len(known)] if known else None

    # Looking

    async def _compare(self, agent: int, touched: int) -> None:
        caller, model = self.callers[agent], self.model
        mine = await self.services.diaries.mine(caller)
        assert {diary.id for diary in mine} == {self._ids[number] for number in model.owned(agent)}
        invitations = await self.services.sharing.invitations(caller)
        assert {share.diary_id for share in invitations} == {self._ids[each] for each in model.invitations(agent)}
        for search in (QUERY, LIST):
            found = await self.services.search.search(caller, search)
            self._check_entries([hit.entry for hit in found.hits], model.related(agent))
        for number in {touched, self.taken % len(self._ids)}:
            await self._compare_diary(agent, number)
        if model.owns(agent, touched):
            shares = await self.services.sharing.shares(caller, self._ids[touched])
            told = {(share.shared_with, share.role, share.status) for share in shares}
            expected = model.open_shares(touched)
            assert told == {(self.callers[guest].agent_id, role, status) for guest, role, status in expected}

    async def _compare_diary(self, agent: int, number: int) -> None:
        caller, diary_id = self.callers[agent], self._ids[number]
        refusal = None if self.model.reads(agent, number) else DiaryNotFound
        diary: Diary | None = await _done(self.services.diaries.get(caller, diary_id), refusal)
        assert diary is None or diary.visibility is self.model.diaries[number].visibility
        page = Page(EVERYTHING)
        listed = await _done(self.services.entries.list(caller, diary_id, Filters(), page), refusal)
        digest = await _done(self.services.search.reflect(caller, diary_id, Reflection()), refusal)
        if listed and digest:
            self._check_entries(listed[0], {number})
            self._check_entries(list(digest.entries), {number})
            if listed[0]:
                await self.services.entries.get(caller, diary_id, listed[0][0].id)

    def _check_entries(self, entries: list[Entry], numbers: set[int]) -> None:
        told = sorted(entry.diary_id for entry in entries)
        assert told == sorted(
            self._ids[number] for number in numbers for _ in range(self.model.diaries[number].entries)
        )


async def _done(act: Awaitable[Answer], refusal: Refusal) -> Answer | None:
    try:
        answer = await act
    except MoltNetError as error:
        assert type(error) is refusal, f"expected {refusal}, got {error!r}"  # noqa: PT017
        return None
    assert refusal is None, f"expected {refusal.__name__ if refusal else None}, got an answer"
    return answer
