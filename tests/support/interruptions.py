"""What others do, and what breaks, at a chosen moment around the calls of ports: nothing until a test names a call."""

import inspect
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from typing import Any, TypeAlias, TypeVar, cast

from moltnet.domain.indexing import EntryIndex
from moltnet.ports.storage import Storage, UnitOfWork

Act: TypeAlias = Callable[[], Awaitable[object]]
Port = TypeVar("Port")


class Calls:
    """Calls of ports, by names such as `ClientRegistry.create`; `log` has those that were begun, in order."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self._before: dict[str, Iterator[Act]] = {}
        self._after: dict[str, Iterator[Act]] = {}

    def before(self, call: str, acts: Iterable[Act]) -> None:
        """Lets the acts happen right before the next calls of this name, one before each; one that raises fails it."""
        self._before[call] = iter(acts)

    def after(self, call: str, acts: Iterable[Act]) -> None:
        """The same right after the effect: one that raises has the answer lost."""
        self._after[call] = iter(acts)

    async def around(self, call: str, effect: Callable[[], Awaitable[Any]]) -> Any:
        """The effect, and what is to happen before and after it."""
        self.log.append(call)
        await _next(self._before, call)
        answer = await effect()
        await _next(self._after, call)
        return answer


def failing(error: Exception) -> Act:
    """An act that raises."""

    async def fail() -> None:
        raise error

    return fail


async def passing() -> None:
    """An act that lets a call happen as it is."""


def interrupted(name: str, port: Port, calls: Calls) -> Port:
    """A port whose calls can be interrupted."""
    return cast("Port", _Interrupted(name, port, calls))


class InterruptedStorage:
    """A storage whose statements can be interrupted, as `agents.add`; `transaction` is the beginning of a transaction.

    `commit of agents.add` is the commit of a transaction with that statement. `work` is the unit of work that made the
    latest statement: what an act writes in it counts as committed by another between two statements of a transaction.
    """

    work: UnitOfWork

    def __init__(self, storage: Storage, calls: Calls) -> None:
        self._storage = storage
        self._calls = calls
        self.open = 0

    def prepared(self, index: EntryIndex) -> EntryIndex:
        """The same index, prepared."""
        return self._storage.prepared(index)

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[UnitOfWork]:
        """A unit of work that sees one state."""
        async with self._storage.snapshot() as work, self._held():
            yield cast("UnitOfWork", _InterruptedUnit(self, work, self._calls, Counter()))

    @asynccontextmanager
    async def autocommit(self) -> AsyncIterator[UnitOfWork]:
        """A unit of work whose statements stand alone."""
        async with self._storage.autocommit() as work, self._held():
            yield cast("UnitOfWork", _InterruptedUnit(self, work, self._calls, Counter()))

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[UnitOfWork]:
        """A transaction."""
        made: Counter[str] = Counter()
        await self._calls.around("transaction", passing)
        async with self._storage.transaction() as work, self._held():
            yield cast("UnitOfWork", _InterruptedUnit(self, work, self._calls, made))
        for statement in made:
            await self._calls.around(f"commit of {statement}", passing)

    @asynccontextmanager
    async def _held(self) -> AsyncIterator[None]:
        self.open += 1
        try:
            yield
        finally:
            self.open -= 1


class _InterruptedUnit:
    def __init__(self, storage: InterruptedStorage, work: UnitOfWork, calls: Calls, made: Counter[str]) -> None:
        self._storage, self._work, self._calls, self._made = storage, work, calls, made

    def __getattr__(self, repository: str) -> Any:
        return _Interrupted(repository, getattr(self._work, repository), self._calls, self._note)

    def _note(self, statement: str) -> None:
        self._made[statement] += 1
        self._storage.work = self._work


class _Interrupted:
    def __init__(self, name: str, port: object, calls: Calls, note: Callable[[str], None] | None = None) -> None:
        self._name, self._port, self._calls, self._note = name, port, calls, note

    def __getattr__(self, method: str) -> Any:
        member = getattr(self._port, method)
        code = getattr(member, "__code__", None)
        if not (code and code.co_flags & inspect.CO_COROUTINE):
            return member

        async def call(*arguments: Any, **named: Any) -> Any:
            name = f"{self._name}.{method}"
            if self._note:
                self._note(name)
            return await self._calls.around(name, lambda: member(*arguments, **named))

        return call


async def _next(acts: dict[str, Iterator[Act]], call: str) -> None:
    act = next(acts.get(call, iter(())), None)
    if act:
        await act()
