"""Conversations in a diary: JSON items in their order, each in as many entries as it is long."""

import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from typing import Any
from uuid import uuid4

import attrs

from moltnet.domain.entries import Entry, EntryType
from moltnet.domain.errors import NotFound
from moltnet.domain.ids import DiaryId
from moltnet.entrypoints.integrations.named_entries import PAGE, pieces, tag_of
from moltnet.entrypoints.integrations.stored_items import json_text
from moltnet.entrypoints.library.agent import Agent

MARK = "conversation"
IMPORTANCE = 3
_TITLE = re.compile(r"(?P<item>[0-9a-f]{32}) (?P<part>\d+)/(?P<parts>\d+)")


@attrs.frozen
class NewItem:
    """An item that is to be stored once, however often that is tried."""

    value: Mapping[str, Any]
    id: str = attrs.field(factory=lambda: uuid4().hex)


@attrs.frozen
class Transcript:
    """One conversation in a diary."""

    _agent: Agent
    _diary_id: DiaryId
    _name: str

    async def add(self, item: NewItem) -> None:
        """Stores an item behind all others; it is there whole or, after a failure, not at all."""
        parts = pieces(json_text(item.value))
        for number, part in enumerate(parts, start=1):
            await self._agent.diary.create(
                self._diary_id,
                content=part,
                title=f"{item.id} {number}/{len(parts)}",
                tags=self._tags,
                importance=IMPORTANCE,
                entry_type=EntryType.EPISODIC,
                key=f"{item.id}-{number}",
            )

    async def read(self, limit: int | None = None) -> list[Any]:
        """The last items, the oldest of them first."""
        newest_first: list[Any] = []
        async for entries in self._newest_first():
            if limit is not None and len(newest_first) >= limit:
                break
            newest_first.append(json.loads("".join(entry.content for entry in entries)))
        return newest_first[::-1]

    async def pop(self) -> Any | None:
        """Removes the last item and returns it; None if there is none."""
        async for entries in self._newest_first():
            await self._delete(entries)
            return json.loads("".join(entry.content for entry in entries))
        return None

    async def clear(self) -> None:
        """Removes everything."""
        while True:
            page, _ = await self._agent.diary.list(self._diary_id, tags=self._tags, limit=PAGE)
            if not page:
                return
            await self._delete(page)

    async def _newest_first(self) -> AsyncIterator[list[Entry]]:
        """The entries of each whole item, in the order of its text."""
        parts: dict[str, list[Entry]] = {}
        async for entry in self._entries():
            title = _TITLE.fullmatch(entry.title or "")
            if title is None:
                continue
            found = parts.setdefault(title["item"], [])
            found.insert(0, entry)
            if len(found) == int(title["parts"]):
                yield parts.pop(title["item"])

    async def _entries(self) -> AsyncIterator[Entry]:
        offset = 0
        while True:
            page, total = await self._agent.diary.list(self._diary_id, tags=self._tags, limit=PAGE, offset=offset)
            for entry in page:
                yield entry
            offset += PAGE
            if offset >= total:
                return

    async def _delete(self, entries: list[Entry]) -> None:
        for entry in entries:
            with suppress(NotFound):
                await self._agent.diary.delete(self._diary_id, entry.id)

    @property
    def _tags(self) -> tuple[str, str]:
        return MARK, tag_of("session", self._name)
