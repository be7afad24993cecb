"""Units of work over tables in memory, and the events of the feed that they cause."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from weakref import WeakSet

from moltnet.adapters.memory.candidates import MemoryCandidates
from moltnet.adapters.memory.repositories.agents import MemoryAgents, MemoryVouchers
from moltnet.adapters.memory.repositories.audit import MemoryAuditLog
from moltnet.adapters.memory.repositories.credentials import (
    MemoryClients,
    MemoryIdentities,
    MemoryNonces,
    MemoryRecoveryCodes,
    MemorySigningKeys,
    MemoryWebSessions,
)
from moltnet.adapters.memory.repositories.diaries import MemoryDiaries, MemoryRelations, MemoryShares
from moltnet.adapters.memory.repositories.entries import MemoryEntries, MemoryFeed
from moltnet.adapters.memory.repositories.imports import MemoryImports
from moltnet.adapters.memory.repositories.key_history import MemoryKeyHistory, MemoryLostKeys
from moltnet.adapters.memory.repositories.models import MemoryModelVectors, MemoryStatistics
from moltnet.adapters.memory.repositories.records import MemoryRecords
from moltnet.adapters.memory.repositories.requests import MemoryIdempotencyRecords, MemoryOutbox, MemorySigningRequests
from moltnet.adapters.memory.repositories.transparency import MemoryTransparencyLog
from moltnet.adapters.memory.statements import Alone, Snapshot, Statements, Together, Unit, WriterLock
from moltnet.adapters.memory.tables import DraftTables, Tables
from moltnet.domain.feed import Position
from moltnet.domain.indexing import EntryIndex
from moltnet.ports.storage import Work


class MemoryFeedEvents:
    """The ports `FeedEvents` and `WorkEvents`, notified by `MemoryStorage` of every commit; each may be of any work."""

    def __init__(self) -> None:
        self._end = Position(0)
        self._grown = asyncio.Event()
        self._announced = {work: asyncio.Event() for work in Work}

    def announce(self, end: Position) -> None:
        """Wakes those that wait for work, and for the feed if it reaches further than it did."""
        for announced in self._announced.values():
            announced.set()
        if end > self._end:
            self._end = end
            grown, self._grown = self._grown, asyncio.Event()
            grown.set()

    async def beyond(self, position: Position) -> Position:
        while self._end <= position:
            await self._grown.wait()
        return self._end

    async def announced(self, work: Work, within_s: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._announced[work].wait()
        self._announced[work].clear()


class MemoryUnitOfWork:
    """The repositories of one unit of work."""

    def __init__(self, statements: Statements) -> None:
        self.agents = MemoryAgents(statements)
        self.keys = MemoryKeyHistory(statements)
        self.lost_keys = MemoryLostKeys(statements)
        self.identities = MemoryIdentities(statements)
        self.clients = MemoryClients(statements)
        self.signing_keys = MemorySigningKeys(statements)
        self.recovery_codes = MemoryRecoveryCodes(statements)
        self.nonces = MemoryNonces(statements)
        self.idempotency_records = MemoryIdempotencyRecords(statements)
        self.vouchers = MemoryVouchers(statements)
        self.diaries = MemoryDiaries(statements)
        self.entries = MemoryEntries(statements)
        self.feed = MemoryFeed(statements)
        self.candidates = MemoryCandidates(statements)
        self.models = MemoryModelVectors(statements)
        self.shares = MemoryShares(statements)
        self.relations = MemoryRelations(statements)
        self.outbox = MemoryOutbox(statements)
        self.signing_requests = MemorySigningRequests(statements)
        self.records = MemoryRecords(statements)
        self.imports = MemoryImports(statements)
        self.statistics = MemoryStatistics(statements)
        self.web_sessions = MemoryWebSessions(statements)
        self.audit = MemoryAuditLog(statements)
        self.transparency = MemoryTransparencyLog(statements)


class MemoryStorage:
    """Keeps everything in this process, for one event loop.

    One transaction is open at a time; the next begins when it has ended. Readers never wait and never see what is not
    committed. A transaction costs as much as what it changes, whatever is stored; while snapshots are open, as much
    again for each of them. `events` says what it commits.
    """

    def __init__(self) -> None:
        self.events = MemoryFeedEvents()
        self._committed = Tables()
        self._writer = WriterLock()
        self._snapshots: WeakSet[DraftTables] = WeakSet()

    def prepared(self, index: EntryIndex) -> EntryIndex:
        return index

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[MemoryUnitOfWork]:
        unit, frozen = Unit(), self._committed.draft()
        self._snapshots.add(frozen)
        try:
            yield MemoryUnitOfWork(Snapshot(unit, frozen))
        finally:
            self._snapshots.discard(frozen)
            unit.end()

    @asynccontextmanager
    async def autocommit(self) -> AsyncIterator[MemoryUnitOfWork]:
        """A unit of work whose statements stand alone."""
        unit = Unit()
        try:
            yield MemoryUnitOfWork(Alone(unit, self._committed, self._writer, self._commit))
        finally:
            unit.end()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[MemoryUnitOfWork]:
        """A transaction; raises RuntimeError, too, when a statement's error was caught within it."""
        unit = Unit()
        async with self._writer.exclusive():
            draft = self._committed.draft()
            try:
                yield MemoryUnitOfWork(Together(unit, draft))
                await unit.enter()
                self._commit(draft)
            finally:
                unit.end()

    def _commit(self, draft: DraftTables) -> None:
        for snapshot in self._snapshots:
            snapshot.retain(draft)
        draft.apply()
        self.events.announce(Position(self._committed.counters.get("feed") or 0))
