"""One connection, lent to one unit of work: statements in, rows out, PostgreSQL's errors as the network's own."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, nullcontext
from functools import lru_cache
from types import MappingProxyType
from typing import Any, LiteralString, TypeAlias, TypeVar

import attrs
import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import TransactionStatus
from psycopg.rows import dict_row

from moltnet.domain.agents import KeyTaken, ProfileNotFound
from moltnet.domain.diaries import DiaryNotFound
from moltnet.domain.entries import UnknownSuccessor
from moltnet.domain.errors import (
    MoltNetError,
    StatementTimedOut,
    StorageFull,
    StorageReadOnly,
    StorageUnavailable,
)
from moltnet.domain.imports import OriginExists
from moltnet.domain.indexing import ServingModelChanged
from moltnet.domain.lost_keys import LostKeyOpen
from moltnet.domain.records import EntryIdUsed
from moltnet.ports.telemetry import NO_TELEMETRY, SpanKind, Telemetry

# The rule each constraint guards. One that is not here is only broken by a mistake of ours, and stays what it is.
RULES: Mapping[str, type[MoltNetError]] = MappingProxyType(
    {
        "agent_keys_fingerprint_key": KeyTaken,
        "agent_keys_public_key_bytes_key": KeyTaken,
        "agent_key_history_fingerprint_key": KeyTaken,
        "agent_key_history_pkey": KeyTaken,
        "agent_vouchers_issuer_id_fkey": ProfileNotFound,
        "agent_usage_agent_id_fkey": ProfileNotFound,
        "diaries_owner_id_fkey": ProfileNotFound,
        "diary_entries_author_id_fkey": ProfileNotFound,
        "diary_entries_diary_id_fkey": DiaryNotFound,
        "diary_entries_superseded_by_check": UnknownSuccessor,
        "diary_entries_superseded_by_fkey": UnknownSuccessor,
        "diary_entries_pkey": EntryIdUsed,
        "diary_records_diary_id_fkey": DiaryNotFound,
        "diary_records_entry": EntryIdUsed,
        "diary_shares_diary_id_fkey": DiaryNotFound,
        "diary_shares_shared_with_fkey": ProfileNotFound,
        "diary_terms_diary_id_fkey": DiaryNotFound,
        "lost_keys_agent_id_fkey": ProfileNotFound,
        "lost_keys_fingerprint_key": KeyTaken,
        "lost_keys_open": LostKeyOpen,
        "lost_keys_pkey": KeyTaken,
        "prepared_records_agent_id_fkey": ProfileNotFound,
        "prepared_records_diary_id_fkey": DiaryNotFound,
        "receipts_agent_id_fkey": ProfileNotFound,
        "entry_origins_diary_id_fkey": DiaryNotFound,
        "entry_origins_pkey": OriginExists,
        "invitation_refusals_agent_id_fkey": ProfileNotFound,
        "invitation_refusals_owner_id_fkey": ProfileNotFound,
        "relation_tuples_object_fkey": DiaryNotFound,
        "relation_tuples_subject_fkey": ProfileNotFound,
        "signing_requests_agent_id_fkey": ProfileNotFound,
        "web_sessions_agent_id_fkey": ProfileNotFound,
    }
)

SERVING_MODEL = "serving_model"  # as `require_serving` names what is broken


@contextmanager
def translated() -> Iterator[None]:
    """Raises a broken rule as its domain error, and a database that cannot do its work as the error that says why.

    StorageFull for a disk without room, StorageReadOnly for a server that takes no writes, StorageUnavailable where it
    does not answer or gave up. Giving up (a deadlock, no memory, too many connections) undoes the transaction like a
    lost connection does; so does a statement that ran out of time or was cancelled by the operator, which is
    StatementTimedOut. Everything else goes through as it is.
    """
    try:
        yield
    except psycopg.IntegrityError as error:
        rule = RULES.get(error.diag.constraint_name or "")
        if rule is None:
            raise
        raise rule from error
    except psycopg.errors.QueryCanceled as error:
        raise StatementTimedOut from error
    except psycopg.errors.ReadOnlySqlTransaction as error:
        raise StorageReadOnly from error
    except psycopg.OperationalError as error:
        if error.diag.constraint_name == SERVING_MODEL:
            raise ServingModelChanged from error
        if isinstance(error, psycopg.errors.DiskFull):
            raise StorageFull from error
        raise StorageUnavailable from error


# Within a dozen seconds a connection counts as lost whose server does not even acknowledge what it is sent.
LIMITS = "connect_timeout=4 keepalives_idle=5 keepalives_interval=2 keepalives_count=3 tcp_user_timeout=6000"


def with_limits(conninfo: str) -> str:
    """The connection string with these limits, but for those that it sets itself."""
    return make_conninfo(LIMITS, **conninfo_to_dict(conninfo))


Record = TypeVar("Record")
Row = Mapping[str, Any]
# No statement of a request runs longer: whatever is asked, a connection is free again by then. One row.
STATEMENT_WITHIN_S = 30.0
LIMIT_STATEMENTS = "select set_config('statement_timeout', %(milliseconds)s::text, false)"

# One state for all statements. With a transaction that reads only, this cannot fail to serialize (manual, 13.2.2).
BEGIN = "begin"
SNAPSHOT = "begin isolation level repeatable read read only"

Connection = psycopg.AsyncConnection[tuple[Any, ...]]
Cursor: TypeAlias = psycopg.AsyncCursor[dict[str, Any]]

# A statement's tables with what is done to them; functions that rows come from have no table.
_VERB = re.compile(r"\b(insert into|(?<!for )(?<!do )(?<!key )update|delete from|from|join)\s+([a-z_][a-z_.]*)\b(?!\()")

SLICE = 500  # rows, made into entities in a few milliseconds


async def limit_statements(connection: Connection, within_s: float = STATEMENT_WITHIN_S) -> None:
    """Has the server give up each later statement of the connection after so many seconds; 0 for no limit."""
    await connection.execute(LIMIT_STATEMENTS, {"milliseconds": round(within_s * 1000)})


@attrs.define(eq=False)
class _Waiting:
    """A statement on its way, and who waits for it."""

    statement: LiteralString
    values: Row
    cursor: "asyncio.Future[Cursor]"


class Session:
    """The statements of one unit of work. Broken rules are raised as domain errors.

    Within a transaction, statements that are asked for in the same step of the event loop, by `asyncio.gather` say,
    travel together and are carried out one after the other: one round trip for all. One that fails fails those that
    travel with it.
    """

    def __init__(self, connection: Connection, telemetry: Telemetry = NO_TELEMETRY) -> None:
        self._telemetry = telemetry
        self._lent: Connection | None = connection
        self._begin: LiteralString | None = None
        self._waiting: list[_Waiting] = []
        self._sending = asyncio.Lock()

    def begin_with_first(self, begin: LiteralString) -> None:
        """Begins a transaction by this statement, sent together with the first other one: one round trip for both.

        Anyone who gives the connection back ends the transaction.
        """
        self._begin = begin

    async def all(self, make: Callable[[Row], Record], statement: LiteralString, **values: object) -> list[Record]:
        """What `make` makes of each row."""
        with translated():
            cursor = await self._execute(statement, values)
            return await _mapped(make, await cursor.fetchall())

    async def first(self, make: Callable[[Row], Record], statement: LiteralString, **values: object) -> Record | None:
        """What `make` makes of the first row, if there is one."""
        with translated():
            cursor = await self._execute(statement, values)
            row = await cursor.fetchone()
        return None if row is None else make(row)

    async def run(self, statement: LiteralString, **values: object) -> int:
        """How many rows a statement wrote, or showed."""
        with translated():
            return (await self._execute(statement, values)).rowcount

    def together(self) -> AbstractAsyncContextManager[object]:
        """For several statements that must be one: the unit's own transaction, or one of theirs if it has none."""
        if self._begin is None and self._connection.info.transaction_status is TransactionStatus.IDLE:
            return self.transaction()
        return nullcontext()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        """One transaction: committed at the end of the block, undone when it raises.

        Raises RuntimeError when a statement's error was caught within: PostgreSQL would take the commit for a rollback.
        """
        with translated():
            self.begin_with_first(BEGIN)
            try:
                yield
                await self._commit()
            except BaseException:
                await self._undo()
                raise
            finally:
                self._begin = None

    def end(self) -> None:
        """Makes every later statement raise: the connection is another's now."""
        self._lent = None

    async def _commit(self) -> None:
        if self._connection.info.transaction_status is TransactionStatus.INERROR:
            raise RuntimeError("a statement of this transaction raised: nothing of it can be written any more")
        await self._connection.commit()

    async def _undo(self) -> None:
        """Ends a transaction that failed. Where the connection is lost, the server does so itself."""
        if self._connection.info.transaction_status not in {TransactionStatus.IDLE, TransactionStatus.UNKNOWN}:
            try:
                await self._connection.rollback()
            except psycopg.Error:
                await self._connection.close()

    async def _execute(self, statement: LiteralString, values: Row) -> Cursor:
        if not self._telemetry.is_on:
            return await self._send(statement, values)
        summary = summary_of(statement)
        attributes = {"db.system.name": "postgresql", "db.query.summary": summary}
        with self._telemetry.span(summary, attributes, SpanKind.CLIENT):
            return await self._send(statement, values)

    async def _send(self, statement: LiteralString, values: Row) -> Cursor:
        # While the transaction begins, the connection is idle yet: what is asked for meanwhile belongs to it.
        is_alone = self._begin is None and not self._sending.locked()
        if is_alone and self._connection.info.transaction_status is TransactionStatus.IDLE:
            return await self._connection.cursor(row_factory=dict_row).execute(statement, values)
        waiting = _Waiting(statement, values, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        if len(self._waiting) == 1:  # the first one sends the others, too
            await asyncio.sleep(0)
            await self._send_waiting()
        return await waiting.cursor

    async def _send_waiting(self) -> None:
        async with self._sending:
            together, self._waiting = self._waiting, []
            try:
                cursors = await self._sent([(each.statement, each.values) for each in together])
            except BaseException as error:
                for each in together[1:]:
                    if not each.cursor.done():
                        each.cursor.set_exception(error)
                raise
            for each, cursor in zip(together, cursors, strict=True):
                if not each.cursor.done():
                    each.cursor.set_result(cursor)

    async def _sent(self, statements: Sequence[tuple[LiteralString, Row]]) -> list[Cursor]:
        begin, self._begin = self._begin, None
        cursors = [self._connection.cursor(row_factory=dict_row) for _ in statements]
        if begin is None and len(statements) == 1:
            return [await cursors[0].execute(*statements[0])]
        async with self._connection.pipeline():
            if begin is not None:
                await self._connection.execute(begin)
            return [await cursor.execute(*each) for cursor, each in zip(cursors, statements, strict=True)]

    @property
    def _connection(self) -> Connection:
        if self._lent is None:
            raise RuntimeError("a unit of work is not used after its context is left")
        return self._lent


@lru_cache(maxsize=1024)
def summary_of(statement: str) -> str:
    """What a statement does, to which table: `insert diary_entries`; none of what it is given."""
    verbs = _VERB.findall(statement.lower())
    written = [(verb.split()[0], table) for verb, table in verbs if verb not in {"from", "join"}]
    if written:
        return " ".join(written[0])
    return f"select {verbs[0][1]}" if verbs else statement.split(maxsplit=1)[0].lower()


class Repository:
    """Does all it does by statements of one unit of work; what its methods do stands with the port."""

    def __init__(self, session: Session) -> None:
        self._session = session


async def _mapped(make: Callable[[Row], Record], rows: Sequence[Row]) -> list[Record]:
    """What `make` makes of each row; while it makes many, the event loop continues between two slices."""
    records: list[Record] = []
    for at in range(0, len(rows), SLICE):
        if at:
            await asyncio.sleep(0)
        records += map(make, rows[at : at + SLICE])
    return records
