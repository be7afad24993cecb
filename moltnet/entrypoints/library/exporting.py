"""Diaries into one file, which another network can take in (docs/archive.md)."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from moltnet.domain.archive_lines import (
    entry_line,
    import_line,
    parse_entry,
    parse_import,
    parse_shown_record,
    record_line,
)
from moltnet.domain.archives import PAYLOAD_TYPE, VERSION, ArchivedDiary, Exported, Manifest, Part, Progress
from moltnet.domain.constraints import LIST_MAX, PAGE_LIMIT_MAX
from moltnet.domain.diaries import Diary
from moltnet.domain.entries import Entry
from moltnet.domain.ids import DiaryId, EntryId
from moltnet.domain.imports import Imported
from moltnet.domain.records import EMPTY, signed_bytes
from moltnet.entrypoints.container import archives
from moltnet.entrypoints.library.archive_log import log_parts

if TYPE_CHECKING:
    from moltnet.entrypoints.library.agent import Agent


def no_progress(_: str, __: int) -> None:
    """Shows nothing."""


async def export(
    agent: "Agent",
    path: Path,
    diary_ids: Collection[DiaryId] | None,
    encrypt_for: Sequence[str],
    progress: Progress,
) -> Exported:
    """Writes diaries into a new file; see `Agent.export`."""
    encrypt = archives.encryption(encrypt_for, agent.keys)
    diaries = await own_diaries(agent) if diary_ids is None else [await agent.diaries.get(each) for each in diary_ids]
    network = _address(await agent.public.network_info())
    key = (await agent.agents.whoami()).public_key
    chosen = [str(diary.id) for diary in diaries] if diary_ids else None
    scope = {"version": VERSION, "network": network, "agent": key.text, "diaries": chosen}
    with archives.draft(path, json.dumps(scope).encode()) as draft:
        done = [await _Export(agent, draft, diary, progress).run() for diary in diaries]
        logged = await log_parts(agent, draft, done, key.fingerprint)
        manifest = Manifest(
            created_at=datetime.now(UTC), network=network, agent=key, diaries=logged.diaries, log=logged.of_agent
        )
        names, payload = [part.name for part in manifest.parts], manifest.payload
        size = await asyncio.to_thread(draft.finish, payload, _signature(agent, payload), names, encrypt)
    return Exported(path=path, size=size, diaries=manifest.diaries)


@attrs.frozen
class _Export:
    _agent: "Agent"
    _draft: archives.Draft
    _diary: Diary
    _progress: Progress

    async def run(self) -> ArchivedDiary:
        entries, imports = f"diaries/{self._diary.id}.jsonl", f"imports/{self._diary.id}.jsonl"
        await self._write(entries, self._records if self._diary.signed else self._entries)
        await self._write(imports, self._imports)
        origins = await self._part(imports)
        return ArchivedDiary.of(
            self._diary,
            await self._head(entries) if self._diary.signed else None,
            await self._part(entries),
            origins if origins.lines else None,
        )

    async def _write(self, name: str, pages: Callable[[int, list[bytes]], AsyncIterator[Iterable[bytes]]]) -> None:
        count, tail = await asyncio.to_thread(self._draft.resume, name)
        self._progress(self._diary.name, count)
        async for page in pages(count, tail):
            lines = list(page)
            await asyncio.to_thread(self._draft.append, name, lines)
            self._progress(self._diary.name, len(lines))

    async def _records(self, _: int, tail: list[bytes]) -> AsyncIterator[Iterable[bytes]]:
        after = parse_shown_record(tail[-1]).sequence if tail else 0
        while page := await self._agent.records.list(self._diary.id, after=after):
            yield [record_line(record.signed) for record in page]
            after = page[-1].sequence

    async def _imports(self, _: int, tail: list[bytes]) -> AsyncIterator[Iterable[bytes]]:
        after = parse_import(tail[-1]).origin.key if tail else ""
        while page := await self._agent.imports.list(self._diary.id, after=after):
            yield [import_line(Imported(origin=each.origin, entry_id=each.entry_id)) for each in page]
            after = page[-1].key

    async def _entries(self, count: int, tail: list[bytes]) -> AsyncIterator[Iterable[bytes]]:
        """Pages that overlap by an entry, newest first: what comes or goes meanwhile moves all that is behind it."""
        written = _Written()
        for each in map(parse_entry, tail):
            written.add(each.id, each.created_at)
        offset = max(0, count - 1)
        while True:
            page, _ = await self._agent.diary.list(self._diary.id, limit=LIST_MAX, offset=offset)
            fresh = [entry for entry in page if not written.covers(entry)]
            if offset and page and fresh[:1] == page[:1]:
                offset = max(0, offset - LIST_MAX)  # something newer was deleted: what moved up is looked for
                continue
            for entry in fresh:
                written.add(entry.id, entry.created_at)
            if fresh:
                yield map(entry_line, fresh)
            if len(page) < LIST_MAX:
                return
            offset += len(page) - 1

    async def _part(self, name: str) -> Part:
        return await asyncio.to_thread(self._draft.part, name)

    async def _head(self, name: str) -> Any:
        _, tail = await asyncio.to_thread(self._draft.resume, name)
        return parse_shown_record(tail[-1]).head if tail else EMPTY


@attrs.define
class _Written:
    """Which entries are written, newest first: all that are newer than the last one, and some of its millisecond."""

    _last: datetime | None = None
    _ids: set[EntryId] = attrs.field(factory=set)

    def add(self, entry_id: EntryId, created_at: datetime) -> None:
        at = _millisecond(created_at)
        if at != self._last:
            self._last, self._ids = at, set()
        self._ids.add(entry_id)

    def covers(self, entry: Entry) -> bool:
        if self._last is None:
            return False
        at = _millisecond(entry.created_at)
        return at > self._last or (at == self._last and entry.id in self._ids)


def _millisecond(at: datetime) -> datetime:
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


async def own_diaries(agent: "Agent") -> list[Diary]:
    """All of the agent's own, oldest first."""
    found: list[Diary] = []
    while page := await agent.diaries.list(limit=PAGE_LIMIT_MAX, offset=len(found)):
        found += page
        if len(page) < PAGE_LIMIT_MAX:
            break
    return sorted(found, key=lambda diary: (diary.created_at, diary.id))


def _address(document: Any) -> str:
    try:
        return str(document["endpoints"]["rest"]["url"])
    except (KeyError, TypeError):
        return ""


def _signature(agent: "Agent", manifest: bytes) -> bytes | None:
    if agent.keys is None:
        return None
    signature = {
        "payloadType": PAYLOAD_TYPE,
        "keyid": str(agent.keys.public_key.fingerprint),
        "sig": agent.keys.sign(signed_bytes(manifest, PAYLOAD_TYPE)),
    }
    return json.dumps(signature, indent=1).encode() + b"\n"
