"""Copies of the database that only answer, for dear looks: a few milliseconds behind the one that is written."""

from collections.abc import Awaitable, Callable
from typing import NewType, Protocol, TypeVar

from moltnet.ports.storage import UnitOfWork

Result = TypeVar("Result")
# How much of what is written has been committed, as the store says it.
Committed = NewType("Committed", str)


class Replicas(Protocol):
    """Where rights are never asked for: a replica may be ahead of a look at the database that is written.

    So what an answer shows is looked up there, with the rights, after a replica has said which entries it might be.
    """

    async def committed(self, at_most_old_s: float = 0.0) -> Committed:
        """What has been committed by now; where older is good enough, what was known so long ago."""

    async def read(self, since: Committed, query: Callable[[UnitOfWork], Awaitable[Result]]) -> Result | None:
        """What `query` sees in one snapshot of a replica with everything of `since`, or more.

        None where there is no such replica in a short while: then the database that is written is to be asked. Raises
        what `query` raises, but for StorageUnavailable, which means that there is none.
        """
