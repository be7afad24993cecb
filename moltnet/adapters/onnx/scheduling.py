"""Whose text is computed next: a few worker threads between many waiting callers, and how many may wait."""

import asyncio
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from typing import Any, Generic, TypeVar

import attrs

from moltnet.domain.caller import AllowanceUsedUp
from moltnet.domain.indexing import EmbedderUnavailable
from moltnet.ports.system import IS_AWAITED
from moltnet.ports.telemetry import EMBEDDING_DURATION, EMBEDDING_WAIT, EMBEDDINGS, NO_TELEMETRY, Telemetry

Item = TypeVar("Item")
Result = TypeVar("Result")

# What waits for its turn is computed within some seconds, or sooner where others have nothing waiting.
RETRY_AFTER_S = 5


@attrs.define(eq=False)
class EmbeddingCall(Generic[Item, Result]):
    """One caller's texts and what has become of them; the scheduler's lock guards it."""

    texts: Sequence[Item]
    asker: str = ""
    is_awaited: Callable[[], bool] = lambda: True
    future: "Future[list[Result]]" = attrs.field(factory=Future)
    started: int = 0
    results: dict[int, Result] = attrs.field(factory=dict)
    asked_ns: int = attrs.field(factory=time.time_ns)
    began_ns: int = 0

    def take(self) -> int:
        """The place of the next text that nobody computes yet."""
        if not self.started:
            self.began_ns = time.time_ns()
        self.started += 1
        return self.started - 1

    @property
    def remaining(self) -> int:
        """How many texts nobody computes yet."""
        return len(self.texts) - self.started

    def put(self, index: int, result: Result) -> None:
        """Takes one result in; the last one answers the caller."""
        self.results[index] = result
        if len(self.results) == len(self.texts) and self._begins_to_answer():
            self.future.set_result([self.results[at] for at in range(len(self.texts))])

    def fail(self, error: BaseException) -> None:
        """Answers the caller with the first error."""
        if self._begins_to_answer():
            self.future.set_exception(error)

    def _begins_to_answer(self) -> bool:
        # From "running" on the caller can no longer cancel, so that the answer that follows cannot collide with it.
        return not self.future.done() and self.future.set_running_or_notify_cancel()


class Queue:
    """Calls of one kind. The askers take turns, one text each; so do the calls of one asker.

    Of one asker `most_of_one` texts may wait, and `most` of all together; a call that begins within these is taken
    whole.
    """

    def __init__(self, most_of_one: int, most: int) -> None:
        self._most_of_one = most_of_one
        self._most = most
        self._calls: OrderedDict[str, deque[EmbeddingCall[Any, Any]]] = OrderedDict()
        self._waiting = Counter[str]()

    def add(self, call: EmbeddingCall[Any, Any]) -> None:
        """Puts a call behind its asker's others.

        Raises AllowanceUsedUp when that asker has too many texts waiting, EmbedderUnavailable when all together have.
        """
        if self._waiting[call.asker] >= self._most_of_one:
            raise AllowanceUsedUp(RETRY_AFTER_S)
        if self._waiting.total() >= self._most:
            raise EmbedderUnavailable("Too many texts are waiting for the embedding model")
        self._waiting[call.asker] += call.remaining
        self._calls.setdefault(call.asker, deque()).append(call)

    def take(self) -> tuple[EmbeddingCall[Any, Any], int] | None:
        """The next text, as a call and a place in it; what nobody waits for any more is dropped at its turn."""
        while self._calls:
            asker, calls = next(iter(self._calls.items()))
            call = calls[0]
            if call.future.done() or not call.is_awaited():
                self.drop(call)
                call.future.cancel()
                continue
            self._calls.move_to_end(asker)
            calls.rotate(-1)
            self._waiting[asker] -= 1
            index = call.take()
            if not call.remaining:
                self.drop(call)
            return call, index
        return None

    def waiting(self) -> int:
        """How many texts wait."""
        return self._waiting.total()

    def drop(self, call: EmbeddingCall[Any, Any]) -> None:
        """Takes a call out, if it is still there."""
        calls = self._calls.get(call.asker, deque())
        if call not in calls:
            return
        calls.remove(call)
        self._waiting[call.asker] -= call.remaining
        if not calls:
            del self._calls[call.asker], self._waiting[call.asker]


# How many texts may wait, of one asker and of all: nobody waits for minutes, and memory stays bounded.
QUERIES_OF_ONE, QUERIES = 128, 512
PASSAGES_OF_ONE, PASSAGES = 2_048, 16_384
# While agents have passages waiting, one text in so many is the network's own, so that its work comes to an end, too.
BACKGROUND_TURN = 8


class Scheduler(Generic[Item, Result]):
    """Shares `threads` workers among calls: queries first, then the passages of agents, then the network's own.

    Askers take turns, one text each: a query waits for one text at most per worker and for those of others, a short
    entry does not wait for a long one, and who sends much waits alone. A worker takes the next text the moment it is
    free. Any event loop may call; none is blocked, and their default executors stay unused.
    """

    def __init__(self, compute: Callable[[Item], Result], threads: int, telemetry: Telemetry = NO_TELEMETRY) -> None:
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

    async def query(self, text: Item, asker: str | None = None) -> Result:
        """What is computed of a text that goes before all passages; raises as `passages` does."""
        (result,) = await self._answer([text], asker or "", self._queries)
        return result

    async def passages(self, texts: Sequence[Item], asker: str | None = None) -> list[Result]:
        """What is computed of texts, in order; without an asker they are the network's own.

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

    async def _answer(self, texts: Sequence[Item], asker: str, queue: Queue) -> list[Result]:
        call = EmbeddingCall[Item, Result](texts, asker, IS_AWAITED.get())
        with self._lock:
            self._admit(call, queue)
        try:
            results = await asyncio.wrap_future(call.future)
            if self._telemetry.is_on:
                self._report(call, self._kind_of(queue))
            return results
        finally:
            with self._lock:
                queue.drop(call)

    def waiting(self) -> Mapping[str, int]:
        """How many texts wait, by kind."""
        queues = (self._queries, self._passages, self._background)
        return {self._kind_of(queue): queue.waiting() for queue in queues}

    def _kind_of(self, queue: Queue) -> str:
        return "query" if queue is self._queries else "passage" if queue is self._passages else "background"

    def _report(self, call: EmbeddingCall[Any, Any], kind: str) -> None:
        """Tells apart how long a call waited and how long it took then."""
        ended, attributes = time.time_ns(), {"kind": kind}
        self._telemetry.past("embedding wait", call.asked_ns, call.began_ns)
        self._telemetry.past("embedding inference", call.began_ns, ended)
        self._telemetry.measure(EMBEDDING_WAIT, (call.began_ns - call.asked_ns) / 1e9, attributes)
        self._telemetry.measure(EMBEDDING_DURATION, (ended - call.began_ns) / 1e9, attributes)
        self._telemetry.count(EMBEDDINGS, attributes, len(call.texts))

    def _admit(self, call: EmbeddingCall[Any, Any], queue: Queue) -> None:
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
                result = self._compute(call.texts[index])
            except BaseException as error:  # noqa: BLE001  # it belongs to the caller, whatever it is
                with self._lock:
                    call.fail(error)
            else:
                with self._lock:
                    call.put(index, result)

    def _next_turn(self) -> tuple[EmbeddingCall[Any, Any], int] | None:
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
