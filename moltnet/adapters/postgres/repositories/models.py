"""The table `embedding_model`, the vectors of several models beside each other, and counts over all tables.

An entry's row holds the beginning under one model. Under another one, passages stand in `entry_passages` from ordinal 0
on, until `complete` writes the row again. A search finds them in either place.
"""

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from uuid import UUID

from moltnet.adapters.postgres.pool import vector_from_binary
from moltnet.adapters.postgres.repositories.entry_changes import ADD_PASSAGES, passage_values
from moltnet.adapters.postgres.rows import entry_from_row
from moltnet.adapters.postgres.session import Repository, Row
from moltnet.domain.caller import Usage
from moltnet.domain.entries import Entry
from moltnet.domain.ids import EntryId
from moltnet.domain.indexing import (
    IndexedPassage,
    ModelCount,
    ModelMigrationProgress,
    ModelName,
    ModelPassages,
    ModelReference,
    ModelState,
)
from moltnet.ports.models import Arrivals, NetworkSizes, NetworkUsage

# One row, or none before the first model.
STATE = "select serving, serving_directory, target, target_directory from embedding_model"
# Nothing changes when there is a row; embedding_model_pkey.
ADOPT = """
    insert into embedding_model (serving, serving_directory) values (%(name)s, %(directory)s) on conflict do nothing
"""
# The serving model as the target means that there is none, and its place is recorded again; embedding_model_pkey.
AIM = """
    insert into embedding_model as m (serving, serving_directory) values (%(name)s, %(directory)s)
    on conflict (only_row) do update set
        serving_directory = case when m.serving = %(name)s then %(directory)s else m.serving_directory end,
        target = nullif(%(name)s, m.serving),
        target_directory = case when m.serving = %(name)s then null else %(directory)s end
"""
# Waits for everyone who is writing vectors; they take the lock shared (require_serving_until_commit).
LOCK_OUT_WRITERS = "select pg_advisory_xact_lock(3198324504181188960)"
# One row when the target serves from now on. Reads all of diary_entries_model and entry_passages_beside at worst.
FINISH_MIGRATION = """
    update embedding_model
    set serving = target, serving_directory = target_directory, target = null, target_directory = null
    where target = %(name)s and not exists (
        select from diary_entries e
        where e.embedding_model is distinct from %(name)s and not exists (
            select from entry_passages p where p.model = %(name)s and p.entry_id = e.id and p.ordinal = 0
        )
    )
"""
# The entries that the target has not embedded, in order; diary_entries_pkey, entry_passages_beside.
LACKING = """
    select entries.* from (
        select e.id from embedding_model m join diary_entries e on e.embedding_model is distinct from m.target
        where m.target is not null and (%(after)s::uuid is null or e.id > %(after)s)
            and not exists (
                select from entry_passages p where p.model = m.target and p.entry_id = e.id and p.ordinal = 0
            )
        order by e.id limit %(limit)s
    ) as wanted
    join entries on entries.id = wanted.id order by wanted.id
"""
# Some entries that the serving model has not embedded; diary_entries_model in three stretches, entry_passages_beside.
UNSERVED = """
    select entries.* from (
        (
            select e.id from diary_entries e where e.embedding_model is null and not exists (
                select from entry_passages p where p.model = %(serving)s and p.entry_id = e.id and p.ordinal = 0
            ) limit %(limit)s
        ) union all (
            select e.id from diary_entries e where e.embedding_model < %(serving)s and not exists (
                select from entry_passages p where p.model = %(serving)s and p.entry_id = e.id and p.ordinal = 0
            ) limit %(limit)s
        ) union all (
            select e.id from diary_entries e where e.embedding_model > %(serving)s and not exists (
                select from entry_passages p where p.model = %(serving)s and p.entry_id = e.id and p.ordinal = 0
            ) limit %(limit)s
        ) limit %(limit)s
    ) as wanted
    join entries on entries.id = wanted.id
"""
# A row for each passage, or none when the entry was changed or is gone; diary_entries_pkey. The lock keeps edits, which
# would leave the vectors of an older text behind, from coming in between.
STORE_PASSAGES = f"""
    with entry as (
        select id from diary_entries where id = %(id)s and updated_at = %(updated_at)s for share
    ), kept as (
        {ADD_PASSAGES}
        on conflict do nothing
    )
    select from entry
"""  # noqa: S608 - constants
# Entries with vectors beside their own, locked, unless there is a target; entry_passages_beside.
UNSETTLED = """
    select e.id from diary_entries e
    where e.id = any(array(
        select p.entry_id from embedding_model m, entry_passages p where m.target is null and p.ordinal = 0
        limit %(limit)s
    ))
    for no key update of e skip locked
"""
# Writes their rows again and removes what no search uses. A statement of its own, that sees what was committed before
# the rows were locked.
COMPLETE = """
    with used as (
        select serving, target from embedding_model
    ), beside as (
        delete from entry_passages p using used
        where p.entry_id = any(%(ids)s::uuid[]) and p.ordinal = 0 and p.model is distinct from used.target
        returning p.entry_id, p.model, p.embedding, p.expansion, p.starts_at, p.ends_at
    ), moved as (
        update diary_entries e
        set embedding_model = beside.model, embedding = beside.embedding, expansion = beside.expansion,
            starts_at = beside.starts_at, ends_at = beside.ends_at, further_passages = (
            select count(*) from entry_passages p
            where p.entry_id = e.id and p.model = beside.model and p.ordinal > 0
        )
        from beside, used
        where beside.entry_id = e.id and beside.model = used.serving and e.embedding_model is distinct from used.serving
        returning e.id
    )
    delete from entry_passages p using diary_entries e, used
    where e.id = any(%(ids)s::uuid[]) and p.entry_id = e.id and p.ordinal > 0 and p.model is distinct from used.target
        and p.model is distinct from
            case when e.id in (select id from moved) then used.serving else e.embedding_model end
"""
# One row when the worker embeds from now on; embedding_model_pkey.
LEASE = """
    update embedding_model set held_by = %(worker)s, held_until = %(until)s
    where held_by = %(worker)s or held_until is null or held_until <= %(at)s
"""
# One row, with the state beside it if there is one.
PROGRESS = """
    select m.*, counted.* from (select count(*) as total from diary_entries) as counted
    left join lateral (
        select serving, serving_directory, target, target_directory, (
            select count(*) from diary_entries e
            where e.embedding_model is distinct from coalesce(target, serving) and not exists (
                select from entry_passages p
                where p.model = coalesce(target, serving) and p.entry_id = e.id and p.ordinal = 0
            )
        ) as lacking
        from embedding_model
    ) as m on true
"""
# A row for each model, entries without vectors first; reads both tables.
COUNTS = """
    select model, count(distinct entry_id) as entries, count(embedding) as passages from (
        select embedding_model as model, id as entry_id, embedding from diary_entries e
        where embedding_model is not null
            or not exists (select from entry_passages p where p.entry_id = e.id and p.ordinal = 0)
        union all
        select model, entry_id, embedding from entry_passages
    ) as vectors
    group by model order by model nulls first
"""
# The passages of an entry but for its beginning, by model in their order; diary_entries_pkey, entry_passages_pkey.
FURTHER_PASSAGES = """
    select p.model, p.ordinal, p.starts_at, p.ends_at, halfvec_send(p.embedding) as embedding
    from diary_entries e join entry_passages p on p.entry_id = e.id
    where e.id = %(id)s and e.updated_at = %(updated_at)s and p.ordinal > 0
    order by p.model, p.ordinal
"""


class PostgresModelVectors(Repository):
    """Which models are used, and who has been embedded by which."""

    async def state(self) -> ModelState:
        return await self._session.first(_state, STATE) or ModelState()

    async def adopt(self, reference: ModelReference) -> ModelState:
        await self._session.run(ADOPT, name=reference.name, directory=reference.directory)
        return await self.state()

    async def aim(self, reference: ModelReference) -> ModelState:
        await self._session.run(AIM, name=reference.name, directory=reference.directory)
        return await self.state()

    async def finish_migration(self, reference: ModelReference) -> bool:
        async with self._session.together():
            await self._session.run(LOCK_OUT_WRITERS)
            return await self._session.run(FINISH_MIGRATION, name=reference.name) > 0

    async def lacking(self, after: EntryId | None, limit: int) -> Sequence[Entry]:
        return await self._session.all(entry_from_row, LACKING, after=after, limit=limit)

    async def unserved(self, limit: int) -> Sequence[Entry]:
        serving = (await self.state()).serving
        if serving is None:
            return []
        return await self._session.all(entry_from_row, UNSERVED, serving=serving.name, limit=limit)

    async def store_passages(self, entry: Entry, model_passages: ModelPassages) -> bool:
        values = passage_values([model_passages], beside=True)
        return await self._session.run(STORE_PASSAGES, id=entry.id, updated_at=entry.updated_at, **values) > 0

    async def further_passages(self, entry: Entry) -> Sequence[ModelPassages]:
        rows = await self._session.all(_passage, FURTHER_PASSAGES, id=entry.id, updated_at=entry.updated_at)
        return [
            ModelPassages(model=model, passages=tuple(passage for _, passage in group))
            for model, group in groupby(rows, key=itemgetter(0))
        ]

    async def complete(self, limit: int) -> int:
        """Moves the vectors of the serving model into their place, and forgets those of others beside them."""
        async with self._session.together():
            entries = await self._session.all(itemgetter("id"), UNSETTLED, limit=limit)
            if entries:
                await self._session.run(COMPLETE, ids=entries)
        return len(entries)

    async def lease(self, worker: UUID, at: datetime, until: datetime) -> bool:
        return await self._session.run(LEASE, worker=worker, at=at, until=until) > 0

    async def progress(self) -> ModelMigrationProgress:
        (progress,) = await self._session.all(_progress, PROGRESS)
        return progress

    async def counts(self) -> Sequence[ModelCount]:
        return await self._session.all(_count, COUNTS)


def _state(row: Row) -> ModelState:
    return ModelState(serving=_model_reference(row, "serving"), target=_model_reference(row, "target"))


def _model_reference(row: Row, role: str) -> ModelReference | None:
    return None if row[role] is None else ModelReference(ModelName(row[role]), row[f"{role}_directory"])


def _progress(row: Row) -> ModelMigrationProgress:
    lacking = row["total"] if row["lacking"] is None else row["lacking"]
    return ModelMigrationProgress(state=_state(row), done=row["total"] - lacking, total=row["total"])


def _count(row: Row) -> ModelCount:
    return ModelCount(row["model"] and ModelName(row["model"]), row["entries"], row["passages"])


def _passage(row: Row) -> tuple[ModelName, IndexedPassage]:
    vector = vector_from_binary(row["embedding"])
    return ModelName(row["model"]), IndexedPassage(row["ordinal"], row["starts_at"], row["ends_at"], vector)


# One row; each count reads an index of its table, that of entries up to 16 rows for each agent that has written.
SIZES = """
    select
        (select count(*) from agent_keys) as agents,
        (select count(*) from agent_vouchers where redeemed_by is not null) as vouchers_redeemed,
        (select count(*) from diaries) as diaries,
        (select count(*) from diaries where visibility = 'public') as public_diaries,
        coalesce((select sum(entries) from agent_usage), 0)::bigint as entries,
        (select count(*) from diary_shares where status = 'accepted') as accepted_shares,
        (select count(*) from signing_requests where status = 'pending') as pending_signing_requests,
        (select count(*) from relation_intents) as undelivered_messages,
        (select count(*) from web_sessions) as web_sessions,
        pg_database_size(current_database()) as database_bytes
"""
# What `USAGE_OF_AUTHOR` answers, of every agent; agent_usage.
USAGE = """
    select coalesce(sum(entries), 0)::bigint as entries, coalesce(sum(bytes), 0)::bigint as bytes,
        coalesce(max(entries), 0)::bigint as most_entries, coalesce(max(bytes), 0)::bigint as most_bytes
    from (select sum(entries) as entries, sum(bytes) as bytes from agent_usage group by agent_id) as agents
"""
# A row for each kind and day. That of entries reads diary_entries_newest alone, as the count of all does.
ARRIVALS = """
    select 'agents' as kind, (created_at at time zone 'UTC')::date as day, count(*) as number
    from agent_keys where created_at >= %(since)s group by day
    union all
    select 'entries', (created_at at time zone 'UTC')::date as day, count(*)
    from diary_entries where created_at >= %(since)s group by day
"""


class PostgresStatistics(Repository):
    """How much is stored."""

    async def sizes(self) -> NetworkSizes:
        (sizes,) = await self._session.all(lambda row: NetworkSizes(**row), SIZES)
        return sizes

    async def usage(self) -> NetworkUsage:
        (usage,) = await self._session.all(_network_usage, USAGE)
        return usage

    async def arrivals(self, since: datetime) -> Arrivals:
        rows = await self._session.all(lambda row: row, ARRIVALS, since=since)
        agents, entries = (
            {row["day"]: row["number"] for row in rows if row["kind"] == kind} for kind in ("agents", "entries")
        )
        return Arrivals(agents=agents, entries=entries)


def _network_usage(row: Row) -> NetworkUsage:
    return NetworkUsage(
        total=Usage(entries=row["entries"], bytes=row["bytes"]),
        largest=Usage(entries=row["most_entries"], bytes=row["most_bytes"]),
    )
