"""Whose text is computed next: a few worker threads between many waiting callers."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock

from moltnet.adapters.onnx.queues import EmbeddingCall, Queue
from moltnet.domain.indexing import EmbedderUnavailable, Vector
from moltnet.ports.system import IS_AWAITED
from moltnet.ports.telemetry import EMBEDDING_DURATION, EMBEDDING_WAIT, EMBEDDINGS, NO_TELEMETRY, Telemetry

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

    def __init__(self, compute: Callable[[str], Vector], threads: int, telemetry: Telemetry = NO_TELEMETRY) -> None:
        self._telemetry = telemetry
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
            vectors = await asyncio.wrap_future(call.future)
            if self._telemetry.is_on:
                self._report(call, self._kind_of(queue))
            return vectors
        finally:
            with self._lock:
                queue.drop(call)

    def waiting(self) -> Mapping[str, int]:
        """How many texts wait, by kind."""
        queues = (self._queries, self._passages, self._background)
        return {self._kind_of(queue): queue.waiting() for queue in queues}

    def _kind_of(self, queue: Queue) -> str:
        return "query" if queue is self._queries else "passage" if queue is self._passages else "background"

    def _report(self, call: EmbeddingCall, kind: str) -> None:
        """Tells apart how long a call waited and how long it took then."""
        ended, attributes = time.time_ns(), {"kind": kind}
        self._telemetry.past("embedding wait", call.asked_ns, call.began_ns)
        self._telemetry.past("embedding inference", call.began_ns, ended)
        self._telemetry.measure(EMBEDDING_WAIT, (call.began_ns - call.asked_ns) / 1e9, attributes)
        self._telemetry.measure(EMBEDDING_DURATION, (ended - call.began_ns) / 1e9, attributes)
        self._telemetry.count(EMBEDDINGS, attributes, len(call.texts))

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
