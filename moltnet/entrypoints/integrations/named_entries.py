"""Entries with a name of their own in a diary: what key-value stores and files are made of."""

import hashlib
from collections.abc import AsyncIterator, Collection
from contextlib import suppress

import attrs

from moltnet.domain.entries import CONTENT_MAX, TITLE_MAX, Entry, EntryType, EntryWriteConflict
from moltnet.domain.errors import Conflict, Invalid, NotFound
from moltnet.domain.ids import DiaryId, Expected
from moltnet.entrypoints.library.agent import Agent

PAGE = 100
_DIGITS = 16
_TRIES = 5


class NameTooLong(Invalid):
    """A name that no title can hold."""

    code = "NAME_TOO_LONG"
    sentence = f"The name of a memory has 1 to {TITLE_MAX} characters"


def tag_of(kind: str, text: str) -> str:
    """A tag that stands for a text of any length, and says nothing to a search."""
    return f"{kind}:{hashlib.sha256(text.encode(errors='surrogatepass')).hexdigest()[:_DIGITS]}"


def pieces(text: str) -> list[str]:
    """A text in parts that an entry of any network can hold."""
    return [text[start : start + CONTENT_MAX] for start in range(0, len(text), CONTENT_MAX)]


@attrs.frozen
class NamedEntries:
    """The entries of one diary that carry a mark, each under its name.

    Where several agents store a new name at the same moment, the oldest entry counts, and an agent that finds another
    one's before its own withdraws it.
    """

    _agent: Agent
    _diary_id: DiaryId
    _mark: str

    async def find(self, name: str) -> Entry | None:
        """The entry of a name."""
        return next(iter((await self._named(name))[::-1]), None)

    async def add(
        self, name: str, content: str, tags: Collection[str] = (), entry_type: EntryType = EntryType.SEMANTIC
    ) -> Entry | None:
        """Stores a content under a new name; None, and nothing stored, where another one was first.

        Raises NameTooLong, and what the diary refuses with: ContentTooLong, DiaryNotFound.
        """
        created = await self._agent.diary.create(
            self._diary_id, title=name, content=content, tags=self._tags(name, tags), entry_type=entry_type
        )
        *newer, oldest = await self._named(name) or [created]
        if oldest.id != created.id:
            await self._delete([created])
            return None
        await self._delete(newer)
        return created

    async def put(
        self, name: str, content: str, tags: Collection[str] = (), entry_type: EntryType = EntryType.SEMANTIC
    ) -> Entry:
        """Stores a content under a name, instead of what was there; raises what `add` does, and Conflict."""
        all_tags = self._tags(name, tags)
        for _ in range(_TRIES):
            existing = await self._named(name)
            if not existing:
                added = await self.add(name, content, tags, entry_type)
                if added:
                    return added
                continue
            # It may be deleted meanwhile, or edited by somebody else at the same moment.
            with suppress(NotFound, Conflict):
                return await self._agent.diary.update(
                    self._diary_id, existing[-1].id, content=content, tags=all_tags, entry_type=entry_type
                )
        raise EntryWriteConflict

    async def revise(self, entry: Entry, *, content: str | None = None, name: str | None = None) -> Entry:
        """Changes the content or the name of an entry that was found.

        Raises Conflict if it was changed since then, NotFound if it is gone, NameTooLong and ContentTooLong.
        """
        exact = await self._agent.diary.get(self._diary_id, entry.id)
        if (exact.title, exact.content) != (entry.title, entry.content):
            raise EntryWriteConflict
        tags = None if name is None else self._tags(name)
        return await self._agent.diary.update(
            self._diary_id, entry.id, content=content, title=name, tags=tags, expected=Expected.of(exact)
        )

    async def remove(self, name: str) -> bool:
        """Deletes what a name has; returns whether there was anything."""
        existing = await self._named(name)
        await self._delete(existing)
        return bool(existing)

    async def all(self) -> AsyncIterator[Entry]:
        """Every entry that has a name, newest first; a hundred for each request."""
        offset = 0
        while True:
            page, total = await self._agent.diary.list(self._diary_id, tags=[self._mark], limit=PAGE, offset=offset)
            for entry in page:
                yield entry
            offset += PAGE
            if offset >= total:
                return

    async def _named(self, name: str) -> list[Entry]:
        page, _ = await self._agent.diary.list(self._diary_id, tags=[self._mark, tag_of("key", name)], limit=PAGE)
        return [entry for entry in page if entry.title == name]

    def _tags(self, name: str, others: Collection[str] = ()) -> tuple[str, ...]:
        if not 1 <= len(name) <= TITLE_MAX:
            raise NameTooLong
        return self._mark, tag_of("key", name), *others

    async def _delete(self, entries: Collection[Entry]) -> None:
        for entry in entries:
            with suppress(NotFound):
                await self._agent.diary.delete(self._diary_id, entry.id)
