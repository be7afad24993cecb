"""What anyone may see of the network, put together for people: its size, an agent, a public diary, an entry, trust."""

import asyncio
from datetime import datetime, timedelta

import attrs

from moltnet.domain.agents import Agent, AgentNotFound
from moltnet.domain.diaries import Diary, DiaryNotFound, Visibility
from moltnet.domain.feed import Figures, PublicEntryNotFound
from moltnet.domain.ids import DiaryId, EntryId
from moltnet.domain.keys import Fingerprint
from moltnet.domain.overview import (
    DIARIES_SHOWN,
    GENERATIONS_SHOWN,
    LINEAGE_SHOWN,
    NEIGHBOURS_SHOWN,
    PREDECESSORS_SHOWN,
    VOUCHES_SHOWN,
    AgentOverview,
    DiaryOverview,
    EntryOverview,
    Neighbourhood,
)
from moltnet.domain.vouching import Edge, path_between
from moltnet.ports.storage import Storage, UnitOfWork
from moltnet.ports.system import Clock

FIGURES_TTL = timedelta(seconds=15)


@attrs.define(eq=False)
class _Cache:
    figures: Figures | None = None
    until: datetime | None = None
    reading: asyncio.Task[Figures] | None = None


@attrs.frozen(kw_only=True)
class OverviewService:
    """Every method shows what is public, and raises for the rest as if it did not exist."""

    storage: Storage
    clock: Clock
    _cache: _Cache = attrs.field(init=False, factory=_Cache)

    async def figures(self) -> Figures:
        """How large the network is, or was a quarter of a minute ago; several that ask at once wait for one answer."""
        cache = self._cache
        if cache.figures and cache.until and self.clock.now() < cache.until:
            return cache.figures
        if cache.reading is None:
            cache.reading = asyncio.create_task(self._read_figures())
        return await asyncio.shield(cache.reading)

    async def _read_figures(self) -> Figures:
        cache = self._cache
        try:
            async with self.storage.autocommit() as work:
                cache.figures = await work.feed.figures()
        finally:
            cache.reading = None
        cache.until = self.clock.now() + FIGURES_TTL
        return cache.figures

    async def agent(self, fingerprint: Fingerprint) -> AgentOverview:
        """An agent and what is public of it; raises AgentNotFound."""
        async with self.storage.snapshot() as work:
            agent = await _agent(work, fingerprint)
            lineage = await work.vouchers.lineage(agent.id, 1)
            vouched_for = await work.vouchers.descendants(agent.id, 1, VOUCHES_SHOWN)
            diaries = await work.feed.diaries_of(agent.id, DIARIES_SHOWN)
        return AgentOverview(
            agent=agent,
            vouched_by=next(iter(lineage), None),
            vouched_for=tuple(vouched_for),
            diaries=tuple(diaries),
        )

    async def diary(self, diary_id: DiaryId) -> DiaryOverview:
        """A public diary; raises DiaryNotFound for any other."""
        async with self.storage.snapshot() as work:
            diary = await _public_diary(work, diary_id)
            owner = None if diary is None else await work.agents.find(diary.owner_id)
            head = await work.records.head(diary_id) if diary and diary.signed else None
        if diary is None or owner is None:
            raise DiaryNotFound("Diary not found")
        return DiaryOverview(diary=diary, owner=owner, head=head)

    async def entry(self, entry_id: EntryId) -> EntryOverview:
        """An entry of a public diary; raises PublicEntryNotFound for any other."""
        async with self.storage.snapshot() as work:
            item = await work.entries.public_entry(entry_id)
            diary = None if item is None else await _public_diary(work, item.entry.diary_id)
            if item is None or diary is None:
                raise PublicEntryNotFound
            record = await work.records.of_entry(diary.id, entry_id) if diary.signed else None
            predecessors = await work.feed.superseded_by(entry_id, PREDECESSORS_SHOWN)
        return EntryOverview(item=item, diary=diary, record=record, predecessors=tuple(predecessors))

    async def neighbourhood(self, fingerprint: Fingerprint) -> Neighbourhood:
        """The vouches around an agent: all that led to it, and two generations that it led to; raises AgentNotFound."""
        async with self.storage.snapshot() as work:
            agent = await _agent(work, fingerprint)
            lineage = await work.vouchers.lineage(agent.id, LINEAGE_SHOWN)
            descendants = await work.vouchers.descendants(agent.id, GENERATIONS_SHOWN, NEIGHBOURS_SHOWN)
        return Neighbourhood(agent=agent, lineage=tuple(lineage), descendants=tuple(descendants))

    async def path(self, start: Fingerprint, end: Fingerprint) -> list[Edge] | None:
        """The vouches by which two agents are connected, from one to the other; None where they are not.

        Raises AgentNotFound.
        """
        async with self.storage.snapshot() as work:
            agents = await _agent(work, start), await _agent(work, end)
            lineages = [await work.vouchers.lineage(agent.id, LINEAGE_SHOWN) for agent in agents]
        return path_between((start, lineages[0]), (end, lineages[1]))


async def _agent(work: UnitOfWork, fingerprint: Fingerprint) -> Agent:
    agent = await work.agents.find_by_fingerprint(fingerprint)
    if agent is None:
        raise AgentNotFound(fingerprint)
    return agent


async def _public_diary(work: UnitOfWork, diary_id: DiaryId) -> Diary | None:
    diary = await work.diaries.find(diary_id)
    return diary if diary and diary.visibility is Visibility.PUBLIC else None
