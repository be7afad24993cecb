"""Which keys agents have, and had, and which wait for the place of lost ones."""

from datetime import datetime
from typing import Protocol

from moltnet.domain.constraints import Page
from moltnet.domain.ids import AgentId
from moltnet.domain.key_changes import AgentKey, KeyChange
from moltnet.domain.keys import Fingerprint, PublicKey
from moltnet.domain.lost_keys import LostKey


class KeyHistory(Protocol):
    """The keys of agents, each with its time. A key that an agent had is nobody's again, and not its own either."""

    async def replace(self, change: KeyChange) -> bool:
        """Gives an agent another key, as a proven one; False when the former is not the agent's key any more.

        Of several at once one gets True. Raises KeyTaken for a key, or one with the fingerprint of a key, that any
        agent has or had.
        """

    async def hold(self, agent_id: AgentId, key: PublicKey) -> bool:
        """Whether an agent has this key; until this unit of work ends no other is given to it."""

    async def of_agent(self, agent_id: AgentId) -> list[AgentKey]:
        """The keys of an agent, the first one first."""

    async def find(self, fingerprint: Fingerprint) -> AgentKey | None:
        """The key that has a fingerprint, of whichever agent has it or had it."""


class LostKeys(Protocol):
    """Keys that wait for the place of lost ones. An agent has one open at most; they go with their agent."""

    async def add(self, lost: LostKey) -> None:
        """Stores a key that begins to wait, at its `asked_at`.

        Raises LostKeyOpen while another one of the agent is open, and KeyTaken for a key that waits already, or did
        lately; of several at once the store takes one.
        """

    async def find(self, fingerprint: Fingerprint) -> LostKey | None:
        """The key with a fingerprint that waits, or did lately."""

    async def of_agent(self, agent_id: AgentId, at: datetime) -> LostKey | None:
        """The open one of an agent."""

    async def open(self, at: datetime, page: Page) -> list[LostKey]:
        """A page of all that are open, the latest first, of equals by key."""

    async def end(self, key: PublicKey, at: datetime) -> bool:
        """Ends the waiting of a key that is open at a time; of several at once one gets True."""

    async def end_of_agent(self, agent_id: AgentId, at: datetime) -> bool:
        """Ends the waiting of an agent's open one; False where there is none."""

    async def purge(self, at: datetime) -> int:
        """Removes those that expired before a time, open or ended; answers how many."""
