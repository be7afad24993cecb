"""How a repository reads and writes: one statement at a time, alone or within a transaction."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import NoReturn, Protocol, TypeVar

from moltnet.adapters.memory.tables import DraftTables, Tables

Row = TypeVar("Row")

# A millisecond of work or two: the event loop belongs to the program around the network.
ROWS_AT_ONCE = 100


class Statements(Protocol):
    """What a repository works with. A statement itself never waits, so nobody comes between its halves."""

    async def read(self) -> Tables:
        """The tables as this unit of work sees them now."""

    def change(self) -> AbstractAsyncContextManager[Tables]:
        """The tables, for one statement that writes; when it raises, it wrote nothing."""


class Repository:
    """Does all it does by statements of one unit of work; what its methods do stands with the port."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements


class Unit:
    """Whether a unit of work may still be used. Every statement lets other tasks run first, as a real store would."""

    def __init__(self) -> None:
        self._problem: str | None = None

    async def enter(self) -> None:
        """Begins a statement; raises RuntimeError when the unit of work is over."""
        await asyncio.sleep(0)
        if self._problem:
            raise RuntimeError(self._problem)

    def end(self, problem: str = "a unit of work is not used after its context is left") -> None:
        """Makes every later statement raise."""
        self._problem = self._problem or problem


class WriterLock:
    """Held by the writer; the others wait in the order they came."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._holder: asyncio.Task[object] | None = None

    @asynccontextmanager
    async def exclusive(self) -> AsyncIterator[None]:
        """Waits for the lock; raises RuntimeError where a task would wait for itself."""
        if self._holder is not None and self._holder is asyncio.current_task():
            raise RuntimeError("a task that is writing cannot begin another write beside it")
        async with self._lock:
            self._holder = asyncio.current_task()
            try:
                yield
            finally:
                self._holder = None


class Snapshot:
    """Statements that all see one state, and write nothing."""

    def __init__(self, unit: Unit, frozen: Tables) -> None:
        self._unit = unit
        self._frozen = frozen

    async def read(self) -> Tables:
        """The tables as they were when the snapshot began."""
        await self._unit.enter()
        return self._frozen

    def change(self) -> NoReturn:
        """Raises RuntimeError: a snapshot is read-only."""
        raise RuntimeError("a snapshot is read-only")


class Alone:
    """Statements that stand alone: each sees what is committed, and is committed itself when it ends."""

    def __init__(
        self, unit: Unit, committed: Tables, writer: WriterLock, commit: Callable[[DraftTables], None]
    ) -> None:
        self._unit = unit
        self._committed = committed
        self._writer = writer
        self._commit = commit

    async def read(self) -> Tables:
        """The committed tables."""
        await self._unit.enter()
        return self._committed

    @asynccontextmanager
    async def change(self) -> AsyncIterator[Tables]:
        """A draft of the committed tables, which becomes them."""
        await self._unit.enter()
        async with self._writer.exclusive():
            draft = self._committed.draft()
            yield draft
            self._commit(draft)


class Together:
    """Statements of one transaction. After one that raised the transaction is lost, as it is in a database."""

    def __init__(self, unit: Unit, draft: Tables) -> None:
        self._unit = unit
        self._draft = draft

    async def read(self) -> Tables:
        """The draft of the transaction."""
        await self._unit.enter()
        return self._draft

    @asynccontextmanager
    async def change(self) -> AsyncIterator[Tables]:
        """The draft of the transaction."""
        await self._unit.enter()
        try:
            yield self._draft
        except BaseException:
            self._unit.end("a statement of this transaction raised: nothing of it can be written any more")
            raise


async def in_turns(rows: Sequence[Row]) -> AsyncIterator[Sequence[Row]]:
    """The rows in slices, between which other tasks run: a statement that looks at many rows holds nobody up.

    Others may write between two slices, so a statement finds all of its rows before the first.
    """
    for start in range(0, len(rows), ROWS_AT_ONCE):
        if start:
            await asyncio.sleep(0)
        yield rows[start : start + ROWS_AT_ONCE]
