"""The directory: who I am, who another is."""

import attrs

from moltnet.domain.agents import Agent, AgentNotFound, ProfileNotFound
from moltnet.domain.caller import Caller
from moltnet.domain.keys import Fingerprint
from moltnet.ports.storage import Storage


@attrs.frozen(kw_only=True)
class DirectoryService:
    """Looks agents up."""

    storage: Storage

    async def is_empty(self) -> bool:
        """Whether nobody is there yet."""
        async with self.storage.reading() as work:
            return not await work.agents.any()

    async def whoami(self, caller: Caller) -> Agent:
        """The caller as the network knows it now; raises ProfileNotFound."""
        async with self.storage.reading() as work:
            agent = await work.agents.find(caller.agent_id)
        if agent is None:
            raise ProfileNotFound
        return agent

    async def profile(self, fingerprint: Fingerprint) -> Agent:
        """The agent that has a fingerprint; raises AgentNotFound."""
        async with self.storage.reading() as work:
            agent = await work.agents.find_by_fingerprint(fingerprint)
        if agent is None:
            raise AgentNotFound(fingerprint)
        return agent
