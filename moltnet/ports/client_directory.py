"""Whom a client's tokens stand for, and who says when that changes."""

from collections.abc import Callable
from typing import Protocol, TypeAlias

from moltnet.domain.agents import Agent
from moltnet.domain.credentials import Client
from moltnet.domain.ids import ClientId

# A client with its agent.
ClientRecord: TypeAlias = tuple[Client, Agent]


class ClientDirectory(Protocol):
    """Whom a client stands for. This identifies the caller, and nothing of what they may do."""

    async def find(self, client_id: ClientId) -> ClientRecord | None:
        """The client with its agent; None for a client that is not there (any more)."""
        ...

    def forget(self, client_id: ClientId) -> None:
        """Says that this process changed a client, once that is committed; what is found from now on is not older."""
        ...


class ClientInvalidations(Protocol):
    """Reports on clients and agents that any process of the network changed, after the commit."""

    @property
    def connected(self) -> bool:
        """Whether changes are received at present; while they are not, nothing that was read before may be trusted."""
        ...

    def subscribe(self, listener: Callable[[ClientId | None], None]) -> None:
        """Calls `listener` with each client that changed; with None when any may have."""
        ...
