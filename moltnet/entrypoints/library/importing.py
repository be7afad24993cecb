"""Diaries out of files: archives of other networks, and what other programs have (docs/archive.md)."""

import asyncio
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from moltnet.domain.archives import ImportFormat, Progress
from moltnet.domain.errors import Invalid, MoltNetError, Unavailable
from moltnet.domain.ids import DiaryId, EntryId
from moltnet.domain.imports import (
    ITEMS_MAX,
    Candidate,
    ImportOutcome,
    ImportReport,
    Supersession,
    TargetDiary,
    Unreadable,
)
from moltnet.entrypoints.container import sources
from moltnet.entrypoints.library.exporting import own_diaries
from moltnet.entrypoints.operations.imports import ImportItem

if TYPE_CHECKING:
    from moltnet.entrypoints.library.agent import Agent

BATCH_BYTES = 512 * 1024  # half of what a request may have
PROBLEMS_MAX = 1000


class ImportStopped(Unavailable):
    """An import that ended before its end, and what it did until then; the same import again goes on."""

    code = "IMPORT_STOPPED"

    def __init__(self, error: MoltNetError, report: ImportReport) -> None:
        self.report = report
        super().__init__(
            f"The import stopped after {report.imported} entries: {error.detail}. Import the same again: it goes on"
        )


async def import_(  # noqa: PLR0913, PLR0917  # see `Agent.import_`
    agent: "Agent",
    path: Path,
    into: DiaryId | None,
    source_format: ImportFormat | None,
    identities: Sequence[Path],
    progress: Progress,
    *,
    dry_run: bool,
) -> ImportReport:
    """Imports what a file or folder has; see `Agent.import_`."""
    with sources.opened(path, source_format, identities, agent.keys) as source:
        running = _Import(agent, source, into, progress, dry_run=dry_run)
        try:
            return await running.run()
        except MoltNetError as error:
            raise ImportStopped(error, running.report()) from error


@attrs.define
class _Import:
    _agent: "Agent"
    _source: sources.Source
    _into: DiaryId | None
    _progress: Progress
    _dry_run: bool = attrs.field(kw_only=True)
    _targets: dict[int, DiaryId | None] = attrs.field(factory=dict)
    _own: dict[str, list[DiaryId]] = attrs.field(factory=dict)
    _supersessions: list[Supersession] = attrs.field(factory=list)
    _problems: list[Unreadable] = attrs.field(factory=list)
    _imported: int = 0
    _repeated: int = 0
    _refused: int = 0

    async def run(self) -> ImportReport:
        await self._list_own()
        if self._source.format == ImportFormat.MOLTNET and not self._dry_run:
            for number in range(len(self._source.diaries)):  # the empty ones, too
                await self._target(number)
        batches = _batches(self._source.found)
        while (batch := await asyncio.to_thread(next, batches, None)) is not None:
            await self._take(batch)
        if not self._dry_run:
            await self._supersede()
        return self.report()

    def report(self) -> ImportReport:
        names = enumerate(self._source.diaries)
        return ImportReport(
            format=self._source.format,
            dry_run=self._dry_run,
            imported=self._imported,
            repeated=self._repeated,
            refused=self._refused,
            diaries=tuple(TargetDiary(name=name, id=self._targets.get(number)) for number, name in names),
            problems=tuple(self._problems),
        )

    async def _list_own(self) -> None:
        """The agent's diaries that are not signed by name, oldest first."""
        for diary in await own_diaries(self._agent):
            if not diary.signed:
                self._own.setdefault(diary.name, []).append(diary.id)

    async def _take(self, batch: "list[Candidate | Unreadable | Supersession]") -> None:
        for each in batch:
            if isinstance(each, Unreadable):
                self._refuse(each)
            elif isinstance(each, Supersession):
                self._supersessions.append(each)
        items = [each for each in batch if isinstance(each, Candidate)]
        if not items:
            return
        number = items[0].diary or 0
        count = sum(each.origin.proof is None for each in items)  # a proof comes along with what it proves
        if self._dry_run:
            self._imported += count
        else:
            await self._send(await self._target(number), items)
        self._progress(self._source.diaries[number], count)

    async def _send(self, diary_id: DiaryId, items: list[Candidate]) -> None:
        while items:
            try:
                outcomes = await self._agent.imports.add(diary_id, [ImportItem.of(each) for each in items])
            except Invalid as error:
                if len(items) == 1:
                    self._refuse(Unreadable(items[0].position, error.detail))
                    return
                for each in items:  # the request as a whole was refused for one of them
                    await self._send(diary_id, [each])
                return
            for item, outcome in zip(items, outcomes, strict=False):
                self._count(item, outcome)
            items = items[len(outcomes) :]

    def _count(self, item: Candidate, outcome: ImportOutcome) -> None:
        if outcome.is_refused:
            self._refuse(Unreadable(item.position, outcome.reason or str(outcome.code)))
        elif item.origin.proof is not None:
            return
        elif outcome.repeated:
            self._repeated += 1
        else:
            self._imported += 1

    def _refuse(self, problem: Unreadable) -> None:
        self._refused += 1
        if len(self._problems) < PROBLEMS_MAX:
            self._problems.append(problem)

    async def _target(self, number: int) -> DiaryId:
        """The diary for the entries of one: of several of a name, the first for the first, and so on."""
        known = self._targets.get(number)
        if known is not None:
            return known
        if self._into is not None:
            self._targets[number] = self._into
            return self._into
        name = self._source.diaries[number]
        rank = self._source.diaries[:number].count(name)
        own = self._own.setdefault(name, [])
        while len(own) <= rank:
            own.append((await self._agent.diaries.create(name=name)).id)
        self._targets[number] = own[rank]
        return own[rank]

    async def _supersede(self) -> None:
        """Says of entries that they replace others, once all of them are there."""
        for number in sorted({each.diary or 0 for each in self._supersessions}):
            diary_id = await self._target(number)
            pairs = [each for each in self._supersessions if (each.diary or 0) == number]
            ids = await self._ids(diary_id, sorted({key for pair in pairs for key in (pair.old, pair.new)}))
            for pair in pairs:
                old, new = ids.get(pair.old), ids.get(pair.new)
                if old and new and (await self._agent.diary.get(diary_id, old)).superseded_by is None:
                    await self._agent.diary.update(diary_id, old, superseded_by=new)

    async def _ids(self, diary_id: DiaryId, keys: list[str]) -> dict[str, EntryId]:
        """The entries that are imports of these keys: one without a content is refused unless it is there."""
        found: dict[str, EntryId] = {}
        for at in range(0, len(keys), ITEMS_MAX):
            asked = [ImportItem(key=key, source=self._source.format) for key in keys[at : at + ITEMS_MAX]]
            outcomes = await self._agent.imports.add(diary_id, asked)
            found |= {each.key: each.entry_id for each in outcomes if each.entry_id is not None}
        return found


def _batches(
    found: "Iterator[Candidate | Unreadable | Supersession]",
) -> "Iterator[list[Candidate | Unreadable | Supersession]]":
    """As much as goes into one request: of one diary, and neither too many nor too long ones."""
    batch: list[Candidate | Unreadable | Supersession] = []
    count, size, diary = 0, 0, None
    for each in found:
        if isinstance(each, Candidate):
            length = _length(each)
            if batch and (count == ITEMS_MAX or size + length > BATCH_BYTES or (count and each.diary != diary)):
                yield batch
                batch, count, size = [], 0, 0
            count, size, diary = count + 1, size + length, each.diary
        batch.append(each)
        if len(batch) >= PROBLEMS_MAX:
            yield batch
            batch, count, size = [], 0, 0
    if batch:
        yield batch


def _length(candidate: Candidate) -> int:
    new = candidate.new
    content = json.dumps(new.content, ensure_ascii=False).encode("utf-8", "surrogatepass") if new else b""
    return len(content) + 2 * candidate.origin.evidence_size
