"""Calls that wait for the embedding model: whose turn it is, and how many may wait."""

import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future

import attrs

from moltnet.domain.caller import AllowanceUsedUp
from moltnet.domain.indexing import EmbedderUnavailable, Vector

# What waits for its turn is computed within some seconds, or sooner where others have nothing waiting.
RETRY_AFTER_S = 5


@attrs.define(eq=False)
class EmbeddingCall:
    """One caller's texts and what has become of them; the scheduler's lock guards it."""

    texts: Sequence[str]
    asker: str = ""
    is_awaited: Callable[[], bool] = lambda: True
    future: "Future[list[Vector]]" = attrs.field(factory=Future)
    started: int = 0
    vectors: dict[int, Vector] = attrs.field(factory=dict)
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

    def put(self, index: int, vector: Vector) -> None:
        """Takes one result in; the last one answers the caller."""
        self.vectors[index] = vector
        if len(self.vectors) == len(self.texts) and self._begins_to_answer():
            self.future.set_result([self.vectors[at] for at in range(len(self.texts))])

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
        self._calls: OrderedDict[str, deque[EmbeddingCall]] = OrderedDict()
        self._waiting = Counter[str]()

    def add(self, call: EmbeddingCall) -> None:
        """Puts a call behind its asker's others.

        Raises AllowanceUsedUp when that asker has too many texts waiting, EmbedderUnavailable when all together have.
        """
        if self._waiting[call.asker] >= self._most_of_one:
            raise AllowanceUsedUp(RETRY_AFTER_S)
        if self._waiting.total() >= self._most:
            raise EmbedderUnavailable("Too many texts are waiting for the embedding model")
        self._waiting[call.asker] += call.remaining
        self._calls.setdefault(call.asker, deque()).append(call)

    def take(self) -> tuple[EmbeddingCall, int] | None:
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

    def drop(self, call: EmbeddingCall) -> None:
        """Takes a call out, if it is still there."""
        calls = self._calls.get(call.asker, deque())
        if call not in calls:
            return
        calls.remove(call)
        self._waiting[call.asker] -= call.remaining
        if not calls:
            del self._calls[call.asker], self._waiting[call.asker]
