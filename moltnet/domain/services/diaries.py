"""Diaries: create, read, rename, open or close, delete."""

import attrs

from moltnet.domain import diaries
from moltnet.domain.audit import AuditAction, AuditEvent
from moltnet.domain.caller import Anonymous, Caller
from moltnet.domain.constraints import LARGEST_PAGE, LIST_MAX, Page
from moltnet.domain.diaries import (
    DIARIES_MAX,
    Diary,
    DiaryEdit,
    DiaryLimitReached,
    Visibility,
    check_edit,
    check_opening,
)
from moltnet.domain.ids import ANY_VERSION, DiaryId, Expected
from moltnet.domain.permissions import Relation
from moltnet.domain.records import EMPTY
from moltnet.domain.services.access import Check, DiaryAccess
from moltnet.domain.services.relations import RelationService
from moltnet.domain.services.requests import SaveResponse, unrecorded
from moltnet.domain.transparency import Leaf
from moltnet.ports.permissions import Asked, Pending, Permissions
from moltnet.ports.storage import Storage, UnitOfWork
from moltnet.ports.system import Clock, Randomness


@attrs.frozen(kw_only=True)
class DiaryService:
    """What an agent does with whole diaries."""

    storage: Storage
    access: DiaryAccess
    permissions: Permissions
    relations: RelationService
    clock: Clock
    randomness: Randomness
    diaries_max: int = DIARIES_MAX

    async def create(
        self,
        caller: Caller,
        *,
        name: str,
        visibility: Visibility = Visibility.PRIVATE,
        signed: bool = False,
        record: SaveResponse[Diary] = unrecorded,
    ) -> Diary:
        """A new diary of the caller's.

        Raises MissingScope, MalformedDiaryName and DiaryLimitReached.
        """
        check_opening(caller, Visibility.PRIVATE, visibility)
        at = self.clock.now()
        diary = Diary(
            id=DiaryId(self.randomness.row_id(at)),
            owner_id=caller.agent_id,
            name=name,
            visibility=visibility,
            signed=signed,
            chain=EMPTY if signed else None,
            created_at=at,
            updated_at=at,
        )
        async with self.storage.transaction() as work:
            await record(work, diary)
            if await work.diaries.number_owned_by(caller.agent_id) >= self.diaries_max:
                raise DiaryLimitReached(self.diaries_max)
            await work.diaries.add(diary)
            await self._log(work, caller, Visibility.PRIVATE, diary)
            pending = await self.permissions.grant(work, diary.id, Relation.OWNER, caller.agent_id)
            await self._audit(work, caller, AuditAction.DIARY_CREATED, diary)
        await self.relations.complete(pending)
        return diary

    async def mine(self, caller: Caller, page: Page = LARGEST_PAGE) -> list[Diary]:
        """A page of the caller's own diaries, newest first; never shared ones."""
        async with self.storage.autocommit() as work:
            return await work.diaries.owned_by(caller.agent_id, page)

    async def shared_with(self, caller: Caller) -> list[Diary]:
        """Diaries of others that were shared with the caller, newest first; as many as a list shows."""

        async def ask(work: UnitOfWork) -> tuple[None, Asked[dict[DiaryId, frozenset[Relation]]]]:
            return None, await self.permissions.readable(work, caller.agent_id)

        async def query(work: UnitOfWork, _: None, related: dict[DiaryId, frozenset[Relation]]) -> list[Diary]:
            shared = sorted((each for each in related if Relation.OWNER not in related[each]), reverse=True)
            found = [await work.diaries.find(each) for each in shared[:LIST_MAX]]
            return [diary for diary in found if diary is not None]

        return await self.access.read_authorized(ask, query)

    async def get(self, caller: Caller | Anonymous, diary_id: DiaryId) -> Diary:
        """A diary the caller may read; raises DiaryNotFound and Unauthenticated."""
        return await self.access.check(caller, diary_id, diaries.readable)

    async def update(
        self, caller: Caller, diary_id: DiaryId, edit: DiaryEdit, expected: Expected = ANY_VERSION
    ) -> Diary:
        """The diary after the edit; edits that meet are merged, one after the other.

        Raises DiaryNotFound, InsufficientPermissions, StaleVersion and MissingScope.
        """

        async def write(work: UnitOfWork, check: Check) -> Diary:
            # Each time round somebody else's edit was written first.
            while True:
                diary = await check(diaries.manageable)
                expected.check(diary)
                edited = edit.applied_to(diary, self.clock.now())
                check_edit(caller, diary, edited)
                if await work.diaries.replace(edited, unless_changed_since=diary.updated_at):
                    if edited.visibility is not diary.visibility:
                        await self._audit(work, caller, AuditAction.VISIBILITY_CHANGED, edited)
                        await self._log(work, caller, diary.visibility, edited)
                    return edited

        return await self.access.write_authorized(caller, diary_id, write)

    async def delete(self, caller: Caller, diary_id: DiaryId, expected: Expected = ANY_VERSION) -> None:
        """Removes a diary with its entries, shares and relations; raises as `update`, but for MissingScope."""

        async def remove(work: UnitOfWork, check: Check) -> Pending:
            removed = False
            while not removed:
                diary = await check(diaries.manageable)
                removed = await work.diaries.remove(diary_id, expected.unless_changed_since(diary))
            await self._audit(work, caller, AuditAction.DIARY_DELETED, diary)
            await self._log(work, caller, diary.visibility, attrs.evolve(diary, visibility=Visibility.PRIVATE))
            return await self.permissions.forget_diary(work, diary_id)

        await self.relations.complete(await self.access.write_authorized(caller, diary_id, remove))

    async def _log(self, work: UnitOfWork, caller: Caller, before: Visibility, diary: Diary) -> None:
        """Puts into the open log that a diary became public, with its last record, or is public no more."""
        at, is_public = self.clock.now(), diary.visibility is Visibility.PUBLIC
        if is_public and before is not Visibility.PUBLIC:
            await work.transparency.add(Leaf.published(diary.id, caller.public_key.fingerprint, at))
            # Read after the change: from then on nobody appends who has not seen that the diary is public.
            head = await work.records.head(diary.id) if diary.signed else EMPTY
            if head.hash is not None:
                await work.transparency.add(Leaf.head(diary.id, head, at))
        if not is_public and before is Visibility.PUBLIC:
            await work.transparency.add(Leaf.withdrawn(diary.id, at))

    async def _audit(self, work: UnitOfWork, caller: Caller, action: AuditAction, diary: Diary) -> None:
        at, detail = self.clock.now(), diary.visibility.value
        await work.audit.add(AuditEvent.by(caller, action, at, diary_id=diary.id, detail=detail))
