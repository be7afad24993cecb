"""Entries: write, read, change, delete."""

from collections.abc import Callable

import attrs

from moltnet.domain import diaries
from moltnet.domain.agents import Author
from moltnet.domain.caller import UNLIMITED, Anonymous, Caller, Quota, Usage
from moltnet.domain.constraints import Page
from moltnet.domain.credentials import Scope
from moltnet.domain.diaries import Diary, DiaryNotFound, Visibility
from moltnet.domain.digest import Listing
from moltnet.domain.entries import (
    CONTENT_MAX,
    Entry,
    EntryEdit,
    EntryNotFound,
    EntryWriteConflict,
    Kept,
    NewEntry,
    PublicContentTooLong,
    Similar,
)
from moltnet.domain.ids import ANY_VERSION, DiaryId, EntryId, Expected
from moltnet.domain.indexing import EntryIndex
from moltnet.domain.permissions import Right
from moltnet.domain.search import Filters
from moltnet.domain.services.access import Check, DiaryAccess
from moltnet.domain.services.indexing import Indexing, Vectors
from moltnet.domain.services.relations import RelationService
from moltnet.domain.services.requests import SaveResponse, unrecorded
from moltnet.domain.services.statistics import ViewCounter
from moltnet.domain.text import IfDuplicate
from moltnet.ports.permissions import Asked, Pending, Permissions
from moltnet.ports.storage import Storage, UnitOfWork, together
from moltnet.ports.system import Clock, Randomness, Workers

EDIT_ATTEMPTS = 5


@attrs.frozen(kw_only=True)
class EntryService:
    """What an agent does with its memories. `content_max` is the most code points of one entry."""

    storage: Storage
    access: DiaryAccess
    permissions: Permissions
    relations: RelationService
    indexing: Indexing
    view_counter: ViewCounter
    clock: Clock
    randomness: Randomness
    workers: Workers
    content_max: int = CONTENT_MAX
    quota: Quota = UNLIMITED

    async def create(
        self, caller: Caller, diary_id: DiaryId, new: NewEntry, record: SaveResponse[Entry] = unrecorded
    ) -> Entry:
        """Stores a memory, findable once this returns, or answers with the first that says the same; see `keep`."""

        async def record_entry(work: UnitOfWork, kept: Kept) -> None:
            await record(work, kept.entry)

        return (await self.keep(caller, diary_id, new, record_entry)).entry

    async def keep(
        self, caller: Caller, diary_id: DiaryId, new: NewEntry, record: SaveResponse[Kept] = unrecorded
    ) -> Kept:
        """Stores a memory, and tells a caller that may read what it resembles.

        The right is checked before the costly work, and again with it. Raises DiaryNotFound, InsufficientPermissions,
        SignatureRequired, ContentTooLong, EntryOutOfLimits, AllowanceUsedUp, and MissingScope where the first that says
        the same is wanted by a caller that may not read.
        """
        if new.if_duplicate is IfDuplicate.RETURN:
            caller.require(Scope.DIARY_READ)
        vectors = self.indexing.vectors_for(caller)
        for _ in range(EDIT_ATTEMPTS):
            kept = await self.indexing.models.retry_on_model_change(
                lambda: self._create(caller, diary_id, new, record, vectors)
            )
            if kept is not None:
                return kept
        raise EntryWriteConflict

    async def _create(
        self, caller: Caller, diary_id: DiaryId, new: NewEntry, record: SaveResponse[Kept], vectors: Vectors
    ) -> Kept | None:
        await self.access.check_first(caller, diary_id, _writable)
        if (usage := await self.usage(caller)) is not None:  # before the costly work
            self.quota.check(attrs.evolve(usage, entries=usage.entries + 1))
        at = self.clock.now()
        entry_id, author = EntryId(self.randomness.row_id(at)), Author.of(caller)
        entry = await self.written(
            lambda: attrs.evolve(new.written(entry_id, diary_id, at, self.content_max), author=author), new.content
        )
        if len(entry.content) > CONTENT_MAX:  # what may be too long for a public diary is not embedded in vain
            check_public(await self.access.check(caller, diary_id, _writable), entry.content)
        is_repeated = await self._first_like(new, entry) is not None
        index = await (self.indexing.beginning(entry, vectors) if is_repeated else self.index(entry, vectors))

        async def write(work: UnitOfWork, check: Check) -> tuple[Kept | None, Pending]:
            first = await work.entries.first_like(entry) if new.if_duplicate is IfDuplicate.RETURN else None
            if first is None and is_repeated:
                return None, ()  # it was removed meanwhile: the new one is stored instead, and needs all of its index
            resembling = _similar(work, entry, index, first) if Scope.DIARY_READ in caller.scopes else _nothing()
            adding = work.entries.add(entry, index) if first is None else _nothing()
            # Checked after the look: each statement sees what was committed before it, and what it saw is answered.
            # What was added is undone with the transaction if the check raises.
            similar, diary, _ = await together(resembling, check(_writable), adding)
            check_public(diary, entry.content)
            kept = Kept(entry=first or entry, repeated=first is not None, similar=similar or ())
            await record(work, kept)
            if first is not None:
                return kept, ()
            await self.check_quota(work, caller)
            return kept, await self.permissions.relate_entry(work, diary_id, entry.id)

        kept, pending = await self.access.write_authorized(caller, diary_id, write)
        await self.relations.complete(pending)
        return kept

    async def browse(
        self, caller: Caller | Anonymous, diary_id: DiaryId, listing: Listing, page: Page
    ) -> tuple[list[Entry], int]:
        """A page of a diary in the order of a listing, and how many it shows; raises as `list`."""
        return await self.access.read_diary(caller, diary_id, lambda work: work.entries.browse(diary_id, listing, page))

    async def list(
        self, caller: Caller | Anonymous, diary_id: DiaryId, filters: Filters, page: Page
    ) -> tuple[list[Entry], int]:
        """A page of a diary, newest first, and how many entries match; raises DiaryNotFound and Unauthenticated."""
        return await self.access.read_diary(
            caller, diary_id, lambda work: work.entries.newest([diary_id], filters, page)
        )

    async def get(self, caller: Caller | Anonymous, diary_id: DiaryId, entry_id: EntryId) -> Entry:
        """A memory as it was before this look at it, which is counted afterwards; raises EntryNotFound."""
        try:
            entry = await self.access.read_entry(caller, diary_id, entry_id)
        except DiaryNotFound as hidden:
            raise EntryNotFound from hidden
        if entry is None:
            raise EntryNotFound
        self.view_counter.record([entry_id])
        return entry

    async def find(self, caller: Caller, entry_id: EntryId) -> Entry | None:
        """A memory in whichever diary the caller may read by a relation, as `get` answers it; None if in none.

        As much is asked whether there is such an entry or not, and however many diaries the caller has.
        """

        async def ask(work: UnitOfWork) -> tuple[Entry | None, Asked[frozenset[Right]]]:
            found = await work.entries.find_many([entry_id])
            diary_id = found[0].diary_id if found else DiaryId(entry_id)
            _, rights = await self.permissions.diary(work, caller.agent_id, diary_id)
            return (found[0] if found else None), rights

        async def check(_: UnitOfWork, entry: Entry | None, rights: frozenset[Right]) -> Entry | None:
            return entry if Right.READ in rights else None

        entry = await self.access.read_authorized(ask, check)
        if entry is not None:
            self.view_counter.record([entry_id])
        return entry

    async def update(
        self, caller: Caller, diary_id: DiaryId, entry_id: EntryId, edit: EntryEdit, expected: Expected = ANY_VERSION
    ) -> Entry:
        """The entry after the edit; edits that meet are merged, one after the other.

        Raises DiaryNotFound, InsufficientPermissions, EntryNotFound, StaleVersion, ContentTooLong, UnknownSuccessor,
        and AllowanceUsedUp.
        """
        change = _Change(caller, entry_id, edit, expected, self.indexing.vectors_for(caller))
        edited = None
        while edited is None:
            change.attempts += 1
            edited = await self.indexing.models.retry_on_model_change(lambda: self._edit_once(diary_id, change))
        if edit.changes_text:
            self.view_counter.record([entry_id])
        return edited

    async def delete(
        self, caller: Caller, diary_id: DiaryId, entry_id: EntryId, expected: Expected = ANY_VERSION
    ) -> None:
        """Removes a memory; raises DiaryNotFound, InsufficientPermissions, EntryNotFound, StaleVersion."""

        async def remove(work: UnitOfWork, check: Check) -> Pending:
            (await check(diaries.editable)).check_unsigned()
            if not await _removed(work, diary_id, entry_id, expected):
                raise EntryNotFound("Entry not found")
            return await self.permissions.forget_entry(work, diary_id, entry_id)

        await self.relations.complete(await self.access.write_authorized(caller, diary_id, remove))

    async def _edit_once(self, diary_id: DiaryId, change: "_Change") -> Entry | None:
        diary = await self.access.check(change.caller, diary_id, diaries.editable)
        diary.check_unsigned()
        async with self.storage.autocommit() as work:
            entry = await work.entries.find(diary_id, change.entry_id)
        if entry is None:
            raise EntryNotFound("Entry not found")
        edited = await self._applied(change, entry)
        if change.edit.content is not None:
            check_public(diary, edited.content)
        index = await self._index_after(entry, edited, change.vectors)

        async def write(work: UnitOfWork, check: Check) -> Entry | None:
            await check(diaries.editable)
            stored: Entry | None = edited
            if not await work.entries.replace(edited, index, unless_changed_since=entry.updated_at):
                stored = await self._merge(work, change, edited, index)
            if change.edit.content is not None and edited.writer.id == change.caller.agent_id:
                await self.check_quota(work, change.caller)
            return stored

        return await self.access.write_authorized(change.caller, diary_id, write)

    async def usage(self, caller: Caller) -> Usage | None:
        """How much of what the caller wrote is stored; None where nobody counts."""
        if not self.quota.is_set:
            return None
        async with self.storage.autocommit() as work:
            return await work.entries.usage_of(caller.agent_id)

    async def check_quota(self, work: UnitOfWork, caller: Caller) -> None:
        """Raises QuotaExceeded, within the transaction that wrote what is too much, which is undone by that."""
        if self.quota.is_set:
            self.quota.check(await work.entries.usage_of(caller.agent_id))

    async def _applied(self, change: "_Change", entry: Entry) -> Entry:
        change.expected.check(entry)
        edit, at, editor = change.edit, self.clock.now(), Author.of(change.caller)
        return await self.written(
            lambda: edit.credited(entry, edit.applied_to(entry, at, self.content_max), editor),
            edit.content or entry.content,
        )

    async def _merge(
        self, work: UnitOfWork, change: "_Change", edited: Entry, index: EntryIndex | None
    ) -> Entry | None:
        """Applies the edit to what somebody else wrote meanwhile, which nobody changes until this transaction ends.

        None where that needs vectors that are not there: they are made first, and the edit begins again. After
        EDIT_ATTEMPTS of those it is stored without: found by its words, and embedded later.
        """
        locked = await work.entries.hold(edited.diary_id, edited.id)
        if locked is None:
            raise EntryNotFound("Entry not found")
        merged = await self._applied(change, locked)
        if _has_same_text(merged, locked):
            index = None
        elif index is None or not _has_same_text(merged, edited):
            if change.attempts < EDIT_ATTEMPTS:
                return None
            index = await self.indexing.terms_only(merged)
        return merged if await work.entries.replace(merged, index, unless_changed_since=locked.updated_at) else None

    async def written(self, make: Callable[[], Entry], content: str) -> Entry:
        """An entry, made where reading its text through holds up nobody."""
        return await self.workers.run(lambda: make().with_fold(), len(content))

    async def _first_like(self, new: NewEntry, entry: Entry) -> Entry | None:
        """What a memory repeats, where the caller asks: a look ahead, so that what is stored is not embedded again."""
        if new.if_duplicate is not IfDuplicate.RETURN:
            return None
        async with self.storage.autocommit() as work:
            return await work.entries.first_like(entry)

    async def index(self, entry: Entry, vectors: Vectors) -> EntryIndex:
        """What an entry is found by, ready to be stored."""
        index = await self.indexing.index(entry, vectors)
        return await self.workers.run(lambda: self.storage.prepared(index), len(entry.content))

    async def _index_after(self, entry: Entry, edited: Entry, vectors: Vectors) -> EntryIndex | None:
        """The index of an edited entry, None when its text is as before; vectors of unchanged passages stay."""
        if _has_same_text(edited, entry):
            return None
        async with self.storage.autocommit() as work:
            stored = await work.models.further_passages(entry)
        await self.indexing.know(entry, stored, vectors)
        return await self.index(edited, vectors)


@attrs.define(eq=False)
class _Change:
    """What one request changes, and the vectors it needs: those of an attempt that came too late are not lost."""

    caller: Caller
    entry_id: EntryId
    edit: EntryEdit
    expected: Expected
    vectors: Vectors
    attempts: int = 0


def _writable(diary: Diary | None, caller: Caller, rights: frozenset[Right]) -> Diary:
    """The diary, if the caller may write it as it is; raises as `diaries.writable`, and SignatureRequired."""
    found = diaries.writable(diary, caller, rights)
    found.check_unsigned()
    return found


def _has_same_text(one: Entry, other: Entry) -> bool:
    return (one.text, one.heading) == (other.text, other.heading)


async def _similar(work: UnitOfWork, entry: Entry, index: EntryIndex, first: Entry | None) -> tuple[Similar, ...]:
    if index.model is None or not index.passages:
        return ()
    found = await work.candidates.similar(index.passages[0].vector, index.model, entry.diary_id)
    return tuple(each for each in found if first is None or each.entry_id != first.id)


async def _nothing() -> None:
    """Where nothing is to be asked."""


async def _removed(work: UnitOfWork, diary_id: DiaryId, entry_id: EntryId, expected: Expected) -> bool:
    if expected.is_any:
        return await work.entries.remove(diary_id, entry_id)
    while entry := await work.entries.find(diary_id, entry_id):
        if await work.entries.remove(diary_id, entry_id, expected.unless_changed_since(entry)):
            return True
    return False


def check_public(diary: Diary, content: str) -> None:
    """Raises PublicContentTooLong."""
    if diary.visibility is Visibility.PUBLIC and len(content) > CONTENT_MAX:
        raise PublicContentTooLong
