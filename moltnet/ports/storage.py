"""Units of work: what is written together or not at all."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from enum import Enum
from typing import NewType, Protocol, TypeVar, overload

from moltnet.domain.indexing import EntryIndex
from moltnet.ports.credentials import Clients, Identities, Nonces, RecoveryCodes, SigningKeys, WebSessions
from moltnet.ports.feed import Feed
from moltnet.ports.key_history import KeyHistory, LostKeys
from moltnet.ports.models import ModelVectors, Statistics
from moltnet.ports.records import Records
from moltnet.ports.repositories import Agents, AuditLog, Diaries, Entries, Imports, Relations, Shares, Vouchers
from moltnet.ports.requests import IdempotencyRecords, Outbox, SigningRequests
from moltnet.ports.search import CandidateSearch
from moltnet.ports.transparency import TransparencyLog

First = TypeVar("First")
Second = TypeVar("Second")
Third = TypeVar("Third")


@overload
async def together(first: Awaitable[First], second: Awaitable[Second], /) -> tuple[First, Second]: ...
@overload
async def together(
    first: Awaitable[First], second: Awaitable[Second], third: Awaitable[Third], /
) -> tuple[First, Second, Third]: ...
async def together(*calls: Awaitable[object]) -> tuple[object, ...]:
    """What several calls of one unit of work answer; their statements may travel together, in this order.

    When this raises, all have ended. It raises what was raised first: others may fail for that alone.
    """
    errors: list[BaseException] = []

    async def ended(call: Awaitable[object]) -> object:
        try:
            return await call
        except BaseException as error:
            errors.append(error)
            raise

    answers = await asyncio.gather(*map(ended, calls), return_exceptions=True)
    if errors:
        raise errors[0]
    return tuple(answers)


class UnitOfWork(Protocol):
    """The repositories of one connection; used by one task at a time, or `together`, not after its context is left."""

    @property
    def agents(self) -> Agents: ...
    @property
    def keys(self) -> KeyHistory: ...
    @property
    def lost_keys(self) -> LostKeys: ...
    @property
    def identities(self) -> Identities: ...
    @property
    def clients(self) -> Clients: ...
    @property
    def signing_keys(self) -> SigningKeys: ...
    @property
    def recovery_codes(self) -> RecoveryCodes: ...
    @property
    def nonces(self) -> Nonces: ...
    @property
    def idempotency_records(self) -> IdempotencyRecords: ...
    @property
    def vouchers(self) -> Vouchers: ...
    @property
    def diaries(self) -> Diaries: ...
    @property
    def entries(self) -> Entries: ...
    @property
    def feed(self) -> Feed: ...
    @property
    def candidates(self) -> CandidateSearch: ...
    @property
    def models(self) -> ModelVectors: ...
    @property
    def shares(self) -> Shares: ...
    @property
    def relations(self) -> Relations: ...
    @property
    def outbox(self) -> Outbox: ...
    @property
    def signing_requests(self) -> SigningRequests: ...
    @property
    def records(self) -> Records: ...
    @property
    def imports(self) -> Imports: ...
    @property
    def statistics(self) -> Statistics: ...
    @property
    def web_sessions(self) -> WebSessions: ...
    @property
    def audit(self) -> AuditLog: ...
    @property
    def transparency(self) -> TransparencyLog: ...


class Storage(Protocol):
    """Opens units of work. None is held across an embedding, a remote call or a wait.

    A single look or a single write needs `autocommit`; several looks that must agree need `snapshot`; several writes,
    or a write that depends on a look, need `transaction`. Each raises StorageUnavailable when no connection is free in
    time.
    """

    def prepared(self, index: EntryIndex) -> EntryIndex:
        """The same index, with what storing it takes computed ahead: for a long text, off the event loop (`Workers`).

        An index that is stored without this is stored alike.
        """

    def snapshot(self) -> AbstractAsyncContextManager[UnitOfWork]:
        """Read-only: every statement sees the same state, what was committed when the first one ran.

        It waits for nobody and nobody waits for it. After a statement raised, leave the block. Writing in it is a
        programming error and raises RuntimeError.
        """

    def transaction(self) -> AbstractAsyncContextManager[UnitOfWork]:
        """One transaction: committed when the block ends, undone when it raises (cancellation included).

        Each statement sees what was committed before it. After a statement raised, leave the block: nothing of the
        transaction can be written any more. StorageUnavailable means that nothing was written, unless the connection
        broke while committing.
        """

    def autocommit(self) -> AbstractAsyncContextManager[UnitOfWork]:
        """Each statement is a transaction of its own: it sees what was committed before it, and is committed."""


Result = TypeVar("Result")
# How much of what is written has been committed, as the store says it.
Committed = NewType("Committed", str)


class Replicas(Protocol):
    """Where rights are never asked for: a replica may be ahead of a look at the database that is written.

    So what an answer shows is looked up there, with the rights, after a replica has said which entries it might be.
    """

    async def committed(self, at_most_old_s: float = 0.0) -> Committed:
        """What has been committed by now; where older is good enough, what was known so long ago."""

    async def read(self, since: Committed, query: Callable[[UnitOfWork], Awaitable[Result]]) -> Result | None:
        """What `query` sees in one snapshot of a replica with everything of `since`, or more.

        None where there is no such replica in a short while: then the database that is written is to be asked. Raises
        what `query` raises, but for StorageUnavailable, which means that there is none.
        """


class Work(Enum):
    """What is committed for some process of the network to go on with."""

    LOG = "log"  # leaves that are in no tree yet
    MODELS = "models"  # which models are used


class WorkEvents(Protocol):
    """Says when there may be work, so that nobody has to look all the time."""

    async def announced(self, work: Work, within_s: float) -> None:
        """Returns once some of it may have been committed, by any process, since the last call returned.

        It waits `within_s` at most, and a second where commits cannot be heard of. One task asks for each kind.
        """
