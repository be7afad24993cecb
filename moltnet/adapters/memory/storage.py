"""Units of work over tables in memory."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakSet

import attrs

from moltnet.adapters.memory.candidates import MemoryCandidates
from moltnet.adapters.memory.events import MemoryFeedEvents
from moltnet.adapters.memory.repositories.agents import MemoryAgents
from moltnet.adapters.memory.repositories.clients import MemoryClients
from moltnet.adapters.memory.repositories.diaries import MemoryDiaries
from moltnet.adapters.memory.repositories.entries import MemoryEntries
from moltnet.adapters.memory.repositories.feed import MemoryFeed
from moltnet.adapters.memory.repositories.idempotency_records import MemoryIdempotencyRecords
from moltnet.adapters.memory.repositories.identities import MemoryIdentities
from moltnet.adapters.memory.repositories.models import MemoryModelVectors
from moltnet.adapters.memory.repositories.nonces import MemoryNonces
from moltnet.adapters.memory.repositories.outbox import MemoryOutbox
from moltnet.adapters.memory.repositories.recovery_codes import MemoryRecoveryCodes
from moltnet.adapters.memory.repositories.relations import MemoryRelations
from moltnet.adapters.memory.repositories.shares import MemoryShares
from moltnet.adapters.memory.repositories.signing_keys import MemorySigningKeys
from moltnet.adapters.memory.repositories.signing_requests import MemorySigningRequests
from moltnet.adapters.memory.repositories.vouchers import MemoryVouchers
from moltnet.adapters.memory.repositories.web_sessions import MemoryWebSessions
from moltnet.adapters.memory.statements import Alone, Snapshot, Statements, Together, Unit, WriterLock
from moltnet.adapters.memory.tables import Tables
from moltnet.domain.feed import Position
from moltnet.domain.search import EntryIndex


@attrs.frozen(kw_only=True)
class MemoryUnitOfWork:
    """The repositories of one unit of work."""

    agents: MemoryAgents
    identities: MemoryIdentities
    clients: MemoryClients
    signing_keys: MemorySigningKeys
    recovery_codes: MemoryRecoveryCodes
    nonces: MemoryNonces
    idempotency_records: MemoryIdempotencyRecords
    vouchers: MemoryVouchers
    diaries: MemoryDiaries
    entries: MemoryEntries
    feed: MemoryFeed
    candidates: MemoryCandidates
    models: MemoryModelVectors
    shares: MemoryShares
    relations: MemoryRelations
    outbox: MemoryOutbox
    signing_requests: MemorySigningRequests
    web_sessions: MemoryWebSessions

    @classmethod
    def over(cls, statements: Statements) -> "MemoryUnitOfWork":
        """The repositories that work with these statements."""
        return cls(
            agents=MemoryAgents(statements),
            identities=MemoryIdentities(statements),
            clients=MemoryClients(statements),
            signing_keys=MemorySigningKeys(statements),
            recovery_codes=MemoryRecoveryCodes(statements),
            nonces=MemoryNonces(statements),
            idempotency_records=MemoryIdempotencyRecords(statements),
            vouchers=MemoryVouchers(statements),
            diaries=MemoryDiaries(statements),
            entries=MemoryEntries(statements),
            feed=MemoryFeed(statements),
            candidates=MemoryCandidates(statements),
            models=MemoryModelVectors(statements),
            shares=MemoryShares(statements),
            relations=MemoryRelations(statements),
            outbox=MemoryOutbox(statements),
            signing_requests=MemorySigningRequests(statements),
            web_sessions=MemoryWebSessions(statements),
        )


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
        self._snapshots: WeakSet[Tables] = WeakSet()

    def prepared(self, index: EntryIndex) -> EntryIndex:
        """The index as it is: it is kept so."""
        return index

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[MemoryUnitOfWork]:
        """A unit of work that sees one state, that of its beginning."""
        unit, frozen = Unit(), self._committed.draft()
        self._snapshots.add(frozen)
        try:
            yield MemoryUnitOfWork.over(Snapshot(unit, frozen))
        finally:
            self._snapshots.discard(frozen)
            unit.end()

    @asynccontextmanager
    async def autocommit(self) -> AsyncIterator[MemoryUnitOfWork]:
        """A unit of work whose statements stand alone."""
        unit = Unit()
        try:
            yield MemoryUnitOfWork.over(Alone(unit, self._committed, self._writer, self._commit))
        finally:
            unit.end()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[MemoryUnitOfWork]:
        """A transaction; raises RuntimeError, too, when a statement's error was caught within it."""
        unit = Unit()
        async with self._writer.exclusive():
            draft = self._committed.draft()
            try:
                yield MemoryUnitOfWork.over(Together(unit, draft))
                await unit.enter()
                self._commit(draft)
            finally:
                unit.end()

    def _commit(self, draft: Tables) -> None:
        for snapshot in self._snapshots:
            snapshot.retain(draft)
        draft.apply()
        self.events.announce(Position(self._committed.counters.get("feed") or 0))
