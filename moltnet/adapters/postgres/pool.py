"""Connections to PostgreSQL, kept open and lent out; each takes vectors in binary."""

import asyncio
import select
import struct
from array import array
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import attrs
import pgvector
import psycopg
from psycopg import BaseConnection
from psycopg.adapt import Dumper
from psycopg.pq import Format, TransactionStatus
from psycopg.types import TypeInfo
from psycopg_pool import AsyncConnectionPool

from moltnet.adapters.postgres.session import STATEMENT_WITHIN_S, Connection, limit_statements, translated, with_limits
from moltnet.domain.errors import StorageUnavailable
from moltnet.domain.indexing import DIMENSIONS, Vector

# Times are answered in UTC. Compiling a plan to machine code takes longer than any statement of ours runs. A statement
# is planned once: its text already says which of its conditions are asked for (`ranking_statements`, `filtering`), so
# its values would change no plan. What is searched is in memory or on a disk that need not seek: no index is dearer.
# Where an approximate index is asked (network-wide search), it looks on until there are enough that pass the filters.
# A host that is cut off is noticed within a dozen seconds by the database too, which then frees what it had locked.
SET_UP = """
    select set_config('TimeZone', 'UTC', false), set_config('jit', 'off', false),
        set_config('plan_cache_mode', 'force_generic_plan', false), set_config('random_page_cost', '1.1', false),
        set_config('hnsw.ef_search', '400', false), set_config('hnsw.iterative_scan', 'strict_order', false),
        set_config('tcp_keepalives_idle', '5', false), set_config('tcp_keepalives_interval', '2', false),
        set_config('tcp_keepalives_count', '3', false), set_config('tcp_user_timeout', '6000', false)
"""  # one row

# How long the pool tries to make one connection, before another attempt begins again: its pauses double.
TRIED_FOR_S = 2.0
# Of what it was in the middle of, because the server says nothing, it lets go then.
CLOSED_WITHIN_S = 1.0
# How long the end of a transaction may take, before its connection is closed instead. A busy event loop is late by
# seconds, and good connections must not be closed for that.
ENDED_WITHIN_S = 10.0


class _LatestFirst(deque[Connection]):
    """The free connections of a pool, which takes from the left.

    What came back last is lent first: it and its process of the database are still in the processor's caches (ADR-68).
    """

    def append(self, connection: Connection, /) -> None:
        self.appendleft(connection)


class Pool(AsyncConnectionPool[Connection]):
    """Connections to lend out. What was started on one and not ended is rolled back before it is lent again."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._pool = _LatestFirst()  # the library has no setting for the order
        self._endings: set[asyncio.Task[None]] = set()

    async def give_back(self, connection: Connection) -> None:
        """Takes a connection back. Nobody waits for the end of a transaction that only looked, or that failed."""
        if connection.info.transaction_status in {TransactionStatus.IDLE, TransactionStatus.UNKNOWN}:
            await self.putconn(connection)
        else:
            ending = asyncio.create_task(self._end(connection))
            self._endings.add(ending)
            ending.add_done_callback(self._endings.discard)

    async def close(self, timeout: float = CLOSED_WITHIN_S) -> None:  # noqa: ASYNC109  # the library's own parameter
        """Closes every connection, those that are coming back too."""
        if self._endings:
            await asyncio.wait(self._endings, timeout=timeout)
        await super().close(timeout)

    async def _end(self, connection: Connection) -> None:
        try:
            async with asyncio.timeout(ENDED_WITHIN_S):
                # A rollback would have psycopg forget every statement it has prepared on this connection.
                if connection.info.transaction_status is TransactionStatus.INTRANS:
                    await connection.commit()
                else:
                    await connection.rollback()
        except (TimeoutError, psycopg.Error):
            await connection.close()
        await self.putconn(connection)


@asynccontextmanager
async def opened_pool(
    conninfo: str,
    *,
    max_connections: int,
    wait_s: float,
    statement_s: float = STATEMENT_WITHIN_S,
    waits_for_first: bool = True,
) -> AsyncIterator[Pool]:
    """A pool of at most `max_connections`, closed at the end of the block.

    Each connection commits every statement by itself unless a transaction is started. Raises StorageUnavailable when
    the first connection, if it is to be waited for, or later a free one is not to be had within `wait_s` seconds. A
    statement has `statement_s`.
    """

    async def set_up(connection: Connection) -> None:
        await _set_up(connection)
        await limit_statements(connection, statement_s)

    pool = Pool(
        with_limits(conninfo),
        kwargs={"autocommit": True},
        min_size=1,
        max_size=max_connections,
        timeout=wait_s,
        configure=set_up,
        reconnect_timeout=TRIED_FOR_S,
        reconnect_failed=_try_on,
        open=False,
    )
    try:
        with translated():
            await pool.open(wait=waits_for_first, timeout=wait_s)
        yield pool
    finally:
        await pool.close()


@asynccontextmanager
async def lent_connection(pool: Pool) -> AsyncIterator[Connection]:
    """A connection of the pool, given back at the end of the block. One the server has closed is replaced first.

    The pool's own check would wait a second after each closed connection, and longer with every one it finds.
    """
    connection = await pool.getconn()
    while not await _is_open(connection):
        await connection.close()
        await pool.putconn(connection)
        connection = await pool.getconn()
    try:
        yield connection
    finally:
        await pool.give_back(connection)


async def _try_on(pool: Pool) -> None:
    """Begins another attempt, as long as the pool has no connection: those who wait for one ask but once.

    So the server is asked every second, however long it was away.
    """
    await pool.check()


async def _set_up(connection: Connection) -> None:
    await connection.execute(SET_UP)
    vector, sparse = await TypeInfo.fetch(connection, "halfvec"), await TypeInfo.fetch(connection, "sparsevec")
    if vector is None or sparse is None:
        raise StorageUnavailable("The database has not been migrated: run `moltnet migrate`")
    register_vectors(connection, vector, sparse)


async def _is_open(connection: Connection) -> bool:
    """Whether the server has not closed an idle connection.

    Such a connection has nothing to say: only if something has arrived (the end, or news of a setting) the server is
    asked. So this costs no round trip, and a restart of the server is noticed all the same.
    """
    arrivals = select.poll()
    arrivals.register(connection.fileno(), select.POLLIN)
    if not arrivals.poll(0):
        return True
    try:
        await AsyncConnectionPool.check_connection(connection)
    except psycopg.OperationalError:
        return False
    return True


SPARSE_DIMENSIONS = 1_000_000_000  # pgvector's limit


@attrs.frozen
class SparseVector:
    """Weights at places from 1 to 10⁹; at every other place there is 0.

    `data` is the message that pgvector's `sparsevec_recv` reads, where places count from 0. It is made with the vector:
    a connection sends on the event loop.
    """

    weights: Mapping[int, float]
    data: bytes = attrs.field(init=False, repr=False)

    @data.default
    def _sent(self) -> bytes:
        weights = {dimension - 1: weight for dimension, weight in self.weights.items()}
        return pgvector.SparseVector(weights, SPARSE_DIMENSIONS).to_binary()


_HEAD = struct.pack(">HH", DIMENSIONS, 0)  # the number of dimensions, and two bytes that are not used


class VectorDumper(Dumper):
    """Sends a dense vector."""

    format = Format.BINARY

    def dump(self, vector: Vector) -> bytes:
        """The message that pgvector's `halfvec_recv` reads."""
        numbers = array("H", vector.data)  # of two bytes, whatever they mean
        numbers.byteswap()
        return _HEAD + numbers.tobytes()


class SparseVectorDumper(Dumper):
    """Sends a sparse vector."""

    format = Format.BINARY

    def dump(self, vector: SparseVector) -> bytes:
        """Its message."""
        return vector.data


def vector_from_binary(message: bytes) -> Vector:
    """The dense vector in a message of pgvector's `halfvec_send`."""
    return Vector.of(pgvector.HalfVector.from_binary(message).to_list())


def register_vectors(connection: BaseConnection[tuple[object, ...]], vector: TypeInfo, sparse: TypeInfo) -> None:
    """Teaches a connection to send both kinds; each database gives the types numbers of its own."""
    vector.register(connection)
    connection.adapters.register_dumper(Vector, type("VectorDumper", (VectorDumper,), {"oid": vector.oid}))
    connection.adapters.register_dumper(
        SparseVector, type("SparseVectorDumper", (SparseVectorDumper,), {"oid": sparse.oid})
    )
