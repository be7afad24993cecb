"""Vectors in memory by the model that made them, and how much is stored."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from uuid import UUID

import attrs

from moltnet.adapters.memory.statements import Repository
from moltnet.adapters.memory.tables import StoredIndex, Tables
from moltnet.domain.caller import Usage
from moltnet.domain.diaries import Visibility
from moltnet.domain.entries import Entry
from moltnet.domain.ids import AgentId, EntryId
from moltnet.domain.indexing import (
    EntryIndex,
    ModelCount,
    ModelMigrationProgress,
    ModelName,
    ModelPassages,
    ModelReference,
    ModelState,
)
from moltnet.domain.sharing import ShareStatus
from moltnet.domain.signing import SigningStatus
from moltnet.ports.models import Arrivals, NetworkSizes, NetworkUsage


class MemoryModelVectors(Repository):
    """Which models are used, and who has been embedded by which."""

    async def state(self) -> ModelState:
        return (await self._statements.read()).model.state

    async def adopt(self, reference: ModelReference) -> ModelState:
        async with self._statements.change() as tables:
            state = tables.model.state
            return state if state.serving else _put(tables, ModelState(serving=reference))

    async def aim(self, reference: ModelReference) -> ModelState:
        async with self._statements.change() as tables:
            state = tables.model.state
            if state.serving is None or state.serving.name == reference.name:
                return _put(tables, ModelState(serving=reference))
            return _put(tables, ModelState(serving=state.serving, target=reference))

    async def finish_migration(self, reference: ModelReference) -> bool:
        async with self._statements.change() as tables:
            target = tables.model.state.target
            if target is None or target.name != reference.name or any(_lacking(tables, target.name)):
                return False
            _put(tables, ModelState(serving=target))
            return True

    async def lacking(self, after: EntryId | None, limit: int) -> Sequence[Entry]:
        tables = await self._statements.read()
        target = tables.model.state.target
        lacking = sorted(_lacking(tables, target.name) if target else (), key=lambda entry: entry.id)
        return [entry for entry in lacking if after is None or entry.id > after][:limit]

    async def unserved(self, limit: int) -> Sequence[Entry]:
        tables = await self._statements.read()
        serving = tables.model.state.serving
        return list(islice(_lacking(tables, serving.name), limit)) if serving else []

    async def store_passages(self, entry: Entry, model_passages: ModelPassages) -> bool:
        async with self._statements.change() as tables:
            stored = tables.entries.get(entry.id)
            if stored is None or stored.updated_at != entry.updated_at:
                return False
            index = tables.indexes.get(entry.id)
            if index is not None and index.model != model_passages.model:
                tables.indexes.put(entry.id, attrs.evolve(index, upcoming=model_passages))
            return True

    async def further_passages(self, entry: Entry) -> Sequence[ModelPassages]:
        tables = await self._statements.read()
        stored, index = tables.entries.get(entry.id), _index(tables, entry.id)
        if stored is None or stored.updated_at != entry.updated_at:
            return []
        serving_passages = [ModelPassages(model=index.model, passages=index.passages)] if index.model else []
        return [
            ModelPassages(model=each.model, passages=further)
            for each in (*serving_passages, *([index.upcoming] if index.upcoming else []))
            if (further := tuple(passage for passage in each.passages if passage.ordinal > 0))
        ]

    async def complete(self, limit: int) -> int:
        """Moves the vectors of the serving model into their place, and forgets those of others beside them."""
        async with self._statements.change() as tables:
            state = tables.model.state
            if state.serving is None or state.target is not None:
                return 0
            unsettled = ((key, index) for key, index in tables.indexes.rows().items() if index.upcoming)
            chosen = list(islice(unsettled, limit))
            for key, index in chosen:
                tables.indexes.put(key, _migrated(index, state.serving.name))
            return len(chosen)

    async def lease(self, worker: UUID, at: datetime, until: datetime) -> bool:
        async with self._statements.change() as tables:
            row = tables.model
            if row.leased_by != worker and row.leased_until is not None and row.leased_until > at:
                return False
            tables.models.put(None, attrs.evolve(row, leased_by=worker, leased_until=until))
            return True

    async def progress(self) -> ModelMigrationProgress:
        tables = await self._statements.read()
        state, total = tables.model.state, len(tables.entries.rows())
        target = state.target or state.serving
        lacking = sum(1 for _ in _lacking(tables, target.name)) if target else total
        return ModelMigrationProgress(state=state, done=total - lacking, total=total)

    async def counts(self) -> Sequence[ModelCount]:
        tables = await self._statements.read()
        entries: Counter[ModelName | None] = Counter()
        passages: Counter[ModelName | None] = Counter()
        for entry_id in tables.entries.rows():
            index = _index(tables, entry_id)
            model_passages = [ModelPassages(model=index.model, passages=index.passages)] if index.model else []
            model_passages += [index.upcoming] if index.upcoming else []
            for each in model_passages:
                entries[each.model] += 1
                passages[each.model] += len(each.passages)
            entries[None] += not model_passages
        models = sorted((model for model in entries if entries[model]), key=lambda model: model or "")
        return [ModelCount(model, entries[model], passages[model]) for model in models]


def _put(tables: Tables, state: ModelState) -> ModelState:
    tables.models.put(None, attrs.evolve(tables.model, state=state))
    return state


def _index(tables: Tables, entry_id: EntryId) -> EntryIndex:
    return tables.indexes.get(entry_id) or EntryIndex()


def _lacking(tables: Tables, model: ModelName) -> Iterator[Entry]:
    return (entry for key, entry in tables.entries.rows().items() if _index(tables, key).under(model) is None)


def _migrated(index: StoredIndex, serving: ModelName) -> StoredIndex:
    if index.upcoming and index.upcoming.model == serving:
        upcoming = index.upcoming
        return attrs.evolve(
            index, model=serving, passages=upcoming.passages, expansion=upcoming.expansion, upcoming=None
        )
    return attrs.evolve(index, upcoming=None)


class MemoryStatistics(Repository):
    """How much is stored."""

    async def sizes(self) -> NetworkSizes:
        tables = await self._statements.read()
        return NetworkSizes(
            agents=len(tables.agents.rows()),
            vouchers_redeemed=sum(voucher.redeemed_by is not None for voucher in tables.vouchers.rows().values()),
            diaries=len(tables.diaries.rows()),
            public_diaries=len(tables.diaries.sharing("visibility", Visibility.PUBLIC)),
            entries=len(tables.entries.rows()),
            accepted_shares=sum(share.status is ShareStatus.ACCEPTED for share in tables.shares.rows().values()),
            pending_signing_requests=len(tables.signing_requests.sharing("status", SigningStatus.PENDING)),
            undelivered_messages=len(tables.outbox.rows()),
            web_sessions=len(tables.web_sessions.rows()),
        )

    async def usage(self) -> NetworkUsage:
        by_author: dict[AgentId | None, list[int]] = {}
        for entry in (await self._statements.read()).entries.rows().values():
            by_author.setdefault(entry.writer.id, []).append(len(entry.content.encode()))
        entries, sizes = [list(map(each, by_author.values())) for each in (len, sum)]
        return NetworkUsage(
            total=Usage(entries=sum(entries), bytes=sum(sizes)),
            largest=Usage(entries=max(entries, default=0), bytes=max(sizes, default=0)),
        )

    async def arrivals(self, since: datetime) -> Arrivals:
        tables = await self._statements.read()
        agents, entries = (
            Counter(row.created_at.astimezone(UTC).date() for row in rows.values() if row.created_at >= since)
            for rows in (tables.agents.rows(), tables.entries.rows())
        )
        return Arrivals(agents=agents, entries=entries)
