"""What use cases need of the machine: time, randomness, the processor, and whether its parts can work."""

from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from datetime import datetime
from typing import Any, Protocol, TypeVar
from uuid import UUID


class Clock(Protocol):
    """Nothing in domain or services asks the machine for the time but through this."""

    def now(self) -> datetime:
        """The present, aware, in UTC, to the microsecond."""


class Randomness(Protocol):
    """Nothing in domain or services makes an identifier or a secret but through this."""

    def row_id(self, at: datetime) -> UUID:
        """A UUIDv7 of this time (RFC 9562 §5.7): later rows lie behind earlier ones in an index."""

    def nonce(self) -> UUID:
        """An unguessable UUIDv4 (RFC 9562 §5.4)."""

    def secret(self, size: int) -> bytes:
        """`size` unguessable bytes."""

    def digits(self, count: int) -> str:
        """`count` unguessable decimal digits."""


class Background(Protocol):
    """Runs small jobs beside the requests, such as counting that an entry was read. Losing one loses no promise."""

    def run(self, job: Coroutine[Any, Any, None]) -> None:
        """Starts the job and returns; a job that fails is logged, not raised. Closing the owner waits for all."""


Result = TypeVar("Result")


class Workers(Protocol):
    """Runs computations whose cost grows with a text, so that no request waits while another one's text is read."""

    async def run(self, work: Callable[[], Result], size: int) -> Result:
        """What `work` returns or raises; where it runs is decided by `size`.

        Args:
            work: a computation that waits for nothing and touches nothing that others change. No single call of it
                into C code may take long: the interpreter cannot switch to the event loop meanwhile.
            size: about how many characters it reads. A small one is run at once, where it is called.

        A call that is cancelled before its turn is never run. Any number of event loops may call.
        """


# Set by a transport for each request, and asked before costly work begins: the client may have left. From any thread.
IS_AWAITED: ContextVar[Callable[[], bool]] = ContextVar("IS_AWAITED", default=lambda: True)


class ReadinessCheck(Protocol):
    """One part's own answer. It is asked once a second at most, by one caller at a time."""

    async def check(self) -> None:
        """Returns when the part can do its work.

        Raises:
            Unavailable: it cannot; the sentence is for anybody, so it names no address, path or account.
            StorageLost: it never will again in this process.
        """
