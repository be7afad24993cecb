"""An event loop of a server's own, in a thread, that notes what its callbacks cost and what ran on it."""

import asyncio
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from contextvars import Context
from types import CodeType, FrameType
from typing import Any, TypeVar, TypeVarTuple, Unpack

import attrs

Answer = TypeVar("Answer")
Ts = TypeVarTuple("Ts")


@attrs.frozen
class Turn:
    """One callback: the processor time that the loop's thread spent on it, and what it was."""

    seconds: float
    what: str


class WatchedLoop(asyncio.SelectorEventLoop):
    """Measures each callback by the processor time of its thread: neither a busy machine nor another thread counts."""

    def __init__(self) -> None:
        super().__init__()
        self.longest = Turn(0.0, "")

    def call_soon(
        self, callback: Callable[[Unpack[Ts]], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """Runs it at the next turn, watched."""
        return super().call_soon(self._watched, callback, *args, context=context)

    def call_soon_threadsafe(
        self, callback: Callable[[Unpack[Ts]], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """The same, from another thread."""
        return super().call_soon_threadsafe(self._watched, callback, *args, context=context)

    def _add_reader(self, fd: Any, callback: Any, *args: Any) -> Any:
        # Not of the public interface, but the one way in of what transports and connections receive.
        return super()._add_reader(fd, self._watched, callback, *args)  # type: ignore[misc]

    def _watched(self, callback: Callable[..., object], *args: object) -> None:
        before = time.thread_time()
        try:
            callback(*args)
        finally:
            spent = time.thread_time() - before
            if spent > self.longest.seconds:
                self.longest = Turn(spent, repr(callback))


class WatchedThread:
    """Runs coroutines on a watched loop beside the caller's."""

    def __init__(self) -> None:
        self.loop = WatchedLoop()
        self._thread = threading.Thread(target=self.loop.run_forever, name="watched loop")

    def start(self) -> None:
        """Starts the loop."""
        self._thread.start()

    async def run(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        """What a coroutine answers, run on the loop."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self.loop))

    def stop(self) -> None:
        """Ends loop and thread."""
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()

    @contextmanager
    def noting(self, functions: Mapping[str, Callable[..., object]]) -> Iterator[dict[str, int]]:
        """For each function that runs on the loop meanwhile, by its name, the characters of the longest text it got."""
        noted: dict[str, int] = {}
        codes = {_code(function): name for name, function in functions.items()}

        def note(frame: FrameType, event: str, _: object) -> None:
            if event == "call" and frame.f_code in codes:
                name = codes[frame.f_code]
                noted[name] = max(noted.get(name, 0), _size(frame))

        self._set(note)
        try:
            yield noted
        finally:
            self._set(None)

    def _set(self, note: Callable[[FrameType, str, object], None] | None) -> None:
        done: Future[None] = Future()

        def place() -> None:
            sys.setprofile(note)
            done.set_result(None)

        self.loop.call_soon_threadsafe(place)
        done.result(60)


def _code(function: Callable[..., object]) -> CodeType:
    code: CodeType = function.__code__
    return code


def _size(frame: FrameType) -> int:
    """The characters of all texts among a call's arguments, those of a sequence and a mapping included."""
    code, size = frame.f_code, 0
    names = code.co_varnames[: code.co_argcount + bool(code.co_flags & 4)]
    waiting = [frame.f_locals[name] for name in names if name != "self"]
    while waiting:
        each = waiting.pop()
        if isinstance(each, str | bytes):
            size += len(each)
        elif isinstance(each, list | tuple):
            waiting += each
        elif isinstance(each, Mapping):
            waiting += [*each, *each.values()]
    return size
