"""Whose text is computed next: a few worker threads between many waiting callers."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock

from moltnet.adapters.onnx.queues import EmbeddingCall, Queue
from moltnet.domain.indexing import EmbedderUnavailable, Vector
from moltnet.ports.system import IS_AWAITED

# How many texts may wait, of one asker and of all: nobody waits for minutes, and memory stays bounded.
QUERIES_OF_ONE, QUERIES = 128, 512
PASSAGES_OF_ONE, PASSAGES = 2_048, 16_384
# While agents have passages waiting, one text in so many is the network's own, so that its work comes to an end, too.
BACKGROUND_TURN = 8


class Scheduler:
    """Shares `threads` workers among calls: queries first, then the passages of agents, then the network's own.

    Askers take turns, one text each: a query waits for one text at most per worker and for those of others, a short
    entry does not wait for a long one, and who sends much waits alone. A worker takes the next text the moment it is
    free. Any event loop may call; none is blocked, and their default executors stay unused.
    """

    def __init__(self, compute: Callable[[str], Vector], threads: int) -> None:
        self._compute = compute
        self._threads = threads
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="moltnet-embedding")
        self._lock = Lock()
        self._queries = Queue(QUERIES_OF_ONE, QUERIES)
        self._passages = Queue(PASSAGES_OF_ONE, PASSAGES)
        self._background = Queue(PASSAGES, PASSAGES)
        self._passed = 0  # texts of agents' passages since the last one of the network's own
        self._working = 0
        self._workers: list[Future[None]] = []
        self._closed = False

    async def query(self, text: str, asker: str | None = None) -> Vector:
        """The vector of a text that goes before all passages; raises as `passages` does."""
        (vector,) = await self._answer([text], asker or "", self._queries)
        return vector

    async def passages(self, texts: Sequence[str], asker: str | None = None) -> list[Vector]:
        """The vectors of texts, in order; without an asker they are the network's own.

        Raises what computing one of them raises, AllowanceUsedUp when too many texts of this asker wait, and
        EmbedderUnavailable when closed or when too many of all wait.
        """
        queue = self._background if asker is None else self._passages
        return await self._answer(texts, asker or "", queue) if texts else []

    async def close(self) -> None:
        """Refuses new calls, lets the waiting ones finish, and ends the threads."""
        with self._lock:
            self._closed = True
            workers = [asyncio.wrap_future(worker) for worker in self._workers]
        await asyncio.gather(*workers)
        self._executor.shutdown()

    async def _answer(self, texts: Sequence[str], asker: str, queue: Queue) -> list[Vector]:
        call = EmbeddingCall(texts, asker, IS_AWAITED.get())
        with self._lock:
            self._admit(call, queue)
        try:
            return await asyncio.wrap_future(call.future)
        finally:
            with self._lock:
                queue.drop(call)

    def _admit(self, call: EmbeddingCall, queue: Queue) -> None:
        if self._closed:
            raise EmbedderUnavailable("The embedding model is closed")
        queue.add(call)
        self._workers = [worker for worker in self._workers if not worker.done()]
        for _ in range(min(len(call.texts), self._threads - self._working)):
            self._working += 1
            self._workers.append(self._executor.submit(self._work))

    def _work(self) -> None:
        while turn := self._next_turn():
            call, index = turn
            try:
                vector = self._compute(call.texts[index])
            except BaseException as error:  # noqa: BLE001  # it belongs to the caller, whatever it is
                with self._lock:
                    call.fail(error)
            else:
                with self._lock:
                    call.put(index, vector)

    def _next_turn(self) -> tuple[EmbeddingCall, int] | None:
        """A call and the place of its text to compute; with none left the worker counts as gone, in the same breath."""
        with self._lock:
            if turn := self._queries.take():
                return turn
            if self._passed < BACKGROUND_TURN and (turn := self._passages.take()):
                self._passed += 1
                return turn
            self._passed = 0
            if turn := self._background.take() or self._passages.take():
                return turn
            self._working -= 1
            return None
