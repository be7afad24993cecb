"""The library for code that does not await: the same names and arguments, each call waiting for its answer.

Nothing here is written twice: whatever is asynchronous is run on one event loop, in a thread of its own, and what it
answers is given the same face. `async with` becomes `with`, `async for` becomes `for`.
"""

import asyncio
import functools
import inspect
import os
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import CancelledError
from typing import Any, Self

from moltnet.domain.errors import ProcessForked
from moltnet.entrypoints.library import network, remote, signing


class Blocking:
    """Something asynchronous, with a face that waits."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self._process = os.getpid()

    def __getattr__(self, name: str) -> Any:
        return blocking(getattr(self._inner, name), None if isinstance(self._inner, type) else self._process)

    def __enter__(self) -> Any:
        return blocking(_waited_for(self._inner.__aenter__(), self._process))

    def __exit__(self, *error: object) -> Any:
        return _waited_for(self._inner.__aexit__(*error), self._process)

    def __repr__(self) -> str:
        return f"<blocking {self._inner!r}>"


class BlockingIterator:
    """An asynchronous iterator for a `for` loop; closing it, or losing it, ends what it stands for."""

    def __init__(self, inner: AsyncIterator[Any]) -> None:
        self._inner = inner
        self._process = os.getpid()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Any:
        try:
            return blocking(_waited_for(_next(self._inner), self._process))
        except StopAsyncIteration:
            raise StopIteration from None

    def close(self) -> None:
        """Ends the iteration."""
        _waited_for(_closed(self._inner), self._process)


def blocking(value: Any, process: int | None = None) -> Any:
    """The same value with a face that waits, where it is asynchronous; else the value itself.

    What belongs to one process raises ProcessForked in its children, where nobody runs the event loop.

    An agent that is handed in, as to `sign_and_submit`, may have either face.
    """
    if isinstance(value, type):
        return Blocking(value) if value is network.MoltNet else value
    if inspect.isroutine(value) or isinstance(value, functools.partial):
        return _caller(value, process)
    if isinstance(value, AsyncIterator):
        return BlockingIterator(value)
    return Blocking(value) if _is_asynchronous(type(value)) else value


def unwrapped(agent: Any) -> tuple[Any, asyncio.AbstractEventLoop]:
    """The asynchronous agent within a blocking one, and the loop that it belongs to; raises TypeError for another."""
    if not isinstance(agent, Blocking):
        raise TypeError(f"an agent of moltnet or of moltnet.blocking is needed, not {type(agent).__name__}")
    return agent._inner, _loop(os.getpid())  # noqa: SLF001 - it is this module's own


def _caller(function: Callable[..., Any], process: int | None) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(*arguments: Any, **named: Any) -> Any:
        inner = [_unwrapped(argument) for argument in arguments]
        answer = function(*inner, **{name: _unwrapped(argument) for name, argument in named.items()})
        return blocking(_waited_for(answer, process) if inspect.iscoroutine(answer) else answer)

    return call


def _unwrapped(value: Any) -> Any:
    return value._inner if isinstance(value, Blocking) else value  # noqa: SLF001 - it is this module's own


def _is_asynchronous(kind: type) -> bool:
    members = (inspect.getattr_static(kind, name) for name in dir(kind))
    return any(inspect.iscoroutinefunction(member) or inspect.isasyncgenfunction(member) for member in members)


async def _next(iterator: AsyncIterator[Any]) -> Any:
    return await anext(iterator)


async def _closed(iterator: AsyncIterator[Any]) -> None:
    if inspect.isasyncgen(iterator):
        await iterator.aclose()


def _waited_for(coroutine: Coroutine[Any, Any, Any], process: int | None) -> Any:
    if process not in {None, os.getpid()}:
        coroutine.close()
        raise ProcessForked
    future = asyncio.run_coroutine_threadsafe(coroutine, _loop(os.getpid()))
    try:
        return future.result()
    except (KeyboardInterrupt, CancelledError):
        future.cancel()
        raise


@functools.cache
def _loop(process: int) -> asyncio.AbstractEventLoop:
    _ = process  # a child begins one of its own
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="moltnet", daemon=True).start()
    return loop


MoltNet = blocking(network.MoltNet)
connect, visit, info, register, recover = map(
    blocking, (remote.connect, remote.visit, remote.info, remote.register, remote.recover)
)
sign_and_submit = blocking(signing.sign_and_submit)
