"""The port `Replicas` over the storage itself, which is always caught up with itself."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from moltnet.domain.errors import StorageUnavailable
from moltnet.ports.storage import Committed, Storage, UnitOfWork

Result = TypeVar("Result")


class MemoryReplicas:
    """One replica; while `lags`, it has nothing that anybody asks for."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self.lags = False

    async def committed(self, at_most_old_s: float = 0.0) -> Committed:  # noqa: ARG002  # none is older than another
        return Committed("now")

    async def read(self, since: Committed, query: Callable[[UnitOfWork], Awaitable[Result]]) -> Result | None:  # noqa: ARG002
        if self.lags:
            return None
        try:
            async with self._storage.snapshot() as work:
                return await query(work)
        except StorageUnavailable:
            return None
