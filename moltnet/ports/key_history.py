"""Which keys agents have, and had."""

from typing import Protocol

from moltnet.domain.ids import AgentId
from moltnet.domain.key_changes import AgentKey, KeyChange
from moltnet.domain.keys import Fingerprint, PublicKey


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
