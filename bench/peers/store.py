"""What is asked of every store, and how a worker calls it: tasks for what is asynchronous, threads for what blocks."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import attrs

FOUND = 10
"""How many memories a search asks for."""


class Refused(Exception):
    """The store said that it did not store, or does not show, something."""


class Store:
    """A store of memories. A subclass has `write`, `search` and `contents`, all of them asynchronous or none."""

    write: Callable[[str], Awaitable[None] | None]
    """Stores a text; raises whatever the store raises, and Refused."""
    search: Callable[[str], Awaitable[list[str]] | list[str]]
    """The texts that answer a question, best first, at most `FOUND`."""
    contents: Callable[[], Awaitable[list[str]] | list[str]]
    """Every text, in any order."""

    def stranger(self) -> "Store":
        """The same memories as somebody else would ask for them: where a call names no caller, by the same calls."""
        return self

    async def signature(self, text: str) -> bool | None:  # noqa: ARG002  # what a store without signatures is given
        """Whether the store confirms the signature of a text, and none of another text; None if it has no such call."""
        return None


@attrs.frozen
class Done:
    """What calls succeeded with, how long each took, in seconds, and all of them; what failed ones were answered."""

    acknowledged: list[str]
    seconds: list[float]
    total_s: float
    errors: list[str]


async def called(
    act: Callable[[str], Any], texts: Sequence[str], clients: int, on_success: Callable[[str], None] = lambda _: None
) -> Done:
    """Calls with each text, so many at a time."""
    waiting, done = iter(texts), Done([], [], 0.0, [])

    @contextmanager
    def noted(text: str) -> Iterator[None]:
        began = time.perf_counter()
        try:
            yield
        except Exception as error:  # noqa: BLE001  # whatever a store raises was no success
            done.errors.append(f"{type(error).__name__}: {error}"[:200])
        else:
            done.seconds.append(time.perf_counter() - began)
            done.acknowledged.append(text)
            on_success(text)

    async def task() -> None:
        for text in waiting:
            with noted(text):
                await act(text)

    def thread() -> None:
        for text in waiting:
            with noted(text):
                act(text)

    started = time.perf_counter()
    if inspect.iscoroutinefunction(act):
        await asyncio.gather(*(task() for _ in range(clients)))
    else:
        await asyncio.to_thread(_in_threads, thread, clients)
    return attrs.evolve(done, total_s=time.perf_counter() - started)


def _in_threads(thread: Callable[[], None], clients: int) -> None:
    with ThreadPoolExecutor(clients) as pool:
        for running in [pool.submit(thread) for _ in range(clients)]:
            running.result()


async def answer(result: Any) -> Any:
    """What a call answers, whether it has to be awaited or not."""
    return await result if inspect.isawaitable(result) else result
