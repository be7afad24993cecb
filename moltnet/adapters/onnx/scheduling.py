"""Whose text is computed next: a few worker threads between many waiting callers."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock

import attrs

from moltnet.domain.search import EmbedderUnavailable, Vector

MAX_WAITING = 1024  # calls; more are refused, so that nobody waits for minutes and memory stays bounded


@attrs.define(eq=False)
class _Call:
    """One caller's texts and what has become of them; the scheduler's lock guards it."""

    texts: Sequence[str]
    future: "Future[list[Vector]]" = attrs.field(factory=Future)
    taken: int = 0
    vectors: dict[int, Vector] = attrs.field(factory=dict)

    def is_over(self) -> bool:
        """Whether the caller has left or an earlier text has failed."""
        return self.future.done()

    def take(self) -> int:
        """The place of the next text that nobody computes yet."""
        self.taken += 1
        return self.taken - 1

    def has_more(self) -> bool:
        """Whether a text is left that nobody computes yet."""
        return self.taken < len(self.texts)

    def put(self, place: int, vector: Vector) -> None:
        """Takes one result in; the last one answers the caller."""
        self.vectors[place] = vector
        if len(self.vectors) == len(self.texts) and self._is_awaited():
            self.future.set_result([self.vectors[at] for at in range(len(self.texts))])

    def fail(self, error: BaseException) -> None:
        """Answers the caller with the first error."""
        if self._is_awaited():
            self.future.set_exception(error)

    def _is_awaited(self) -> bool:
        # From "running" on the caller can no longer cancel, so that the answer that follows cannot collide with it.
        return not self.future.done() and self.future.set_running_or_notify_cancel()


class Scheduler:
    """Shares `threads` workers among calls: queries first, then every call with passages one text in turn.

    So a query waits for one text at most per worker, and a short entry does not wait for a long one. A worker takes the
    next text the moment it is free. Any event loop may call; none is blocked, and their default executors stay unused.
    """

    def __init__(self, compute: Callable[[str], Vector], threads: int) -> None:
        self._compute = compute
        self._threads = threads
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="moltnet-embedding")
        self._lock = Lock()
        self._queries: deque[_Call] = deque()
        self._passages: deque[_Call] = deque()
        self._working = 0
        self._workers: list[Future[None]] = []
        self._closed = False

    async def query(self, text: str) -> Vector:
        """The vector of a text that goes before all passages; raises as `passages` does."""
        (vector,) = await self._answer([text], self._queries)
        return vector

    async def passages(self, texts: Sequence[str]) -> list[Vector]:
        """The vectors of texts, in order.

        Raises what computing one of them raises, and EmbedderUnavailable when closed or when MAX_WAITING calls wait.
        """
        return await self._answer(texts, self._passages) if texts else []

    async def close(self) -> None:
        """Refuses new calls, lets the waiting ones finish, and ends the threads."""
        with self._lock:
            self._closed = True
            workers = [asyncio.wrap_future(worker) for worker in self._workers]
        await asyncio.gather(*workers)
        self._executor.shutdown()

    async def _answer(self, texts: Sequence[str], line: deque[_Call]) -> list[Vector]:
        call = _Call(texts)
        with self._lock:
            self._admit(call, line)
        return await asyncio.wrap_future(call.future)

    def _admit(self, call: _Call, line: deque[_Call]) -> None:
        if self._closed:
            raise EmbedderUnavailable("The embedding model is closed")
        if len(self._queries) + len(self._passages) >= MAX_WAITING:
            raise EmbedderUnavailable("Too many texts are waiting for the embedding model")
        line.append(call)
        self._workers = [worker for worker in self._workers if not worker.done()]
        for _ in range(min(len(call.texts), self._threads - self._working)):
            self._working += 1
            self._workers.append(self._executor.submit(self._work))

    def _work(self) -> None:
        while turn := self._next_turn():
            call, place = turn
            try:
                vector = self._compute(call.texts[place])
            except BaseException as error:  # noqa: BLE001  # it belongs to the caller, whatever it is
                with self._lock:
                    call.fail(error)
            else:
                with self._lock:
                    call.put(place, vector)

    def _next_turn(self) -> tuple[_Call, int] | None:
        """A call and the place of its text to compute; with none left the worker counts as gone, in the same breath."""
        with self._lock:
            for line in (self._queries, self._passages):
                while line:
                    call = line.popleft()
                    if call.is_over():
                        continue
                    place = call.take()
                    if call.has_more():
                        line.append(call)
                    return call, place
            self._working -= 1
            return None
