"""The directory: who I am, who another is."""

from collections.abc import Iterable, Mapping

import attrs

from moltnet.domain.agents import Agent, AgentNotFound, ProfileNotFound
from moltnet.domain.caller import Caller
from moltnet.domain.ids import AgentId
from moltnet.domain.keys import Fingerprint
from moltnet.ports.identity import ClientDirectory
from moltnet.ports.storage import Storage


@attrs.frozen(kw_only=True)
class DirectoryService:
    """Looks agents up."""

    storage: Storage
    client_directory: ClientDirectory

    async def is_empty(self) -> bool:
        """Whether nobody is there yet."""
        async with self.storage.autocommit() as work:
            return not await work.agents.any()

    async def whoami(self, caller: Caller) -> Agent:
        """The caller as the network knows it now; raises ProfileNotFound."""
        client_record = await self.client_directory.find(caller.client_id)  # it was just looked up for the token
        if client_record is not None and client_record[1].id == caller.agent_id:
            return client_record[1]
        async with self.storage.autocommit() as work:
            agent = await work.agents.find(caller.agent_id)
        if agent is None:
            raise ProfileNotFound
        return agent

    async def fingerprints(self, agent_ids: Iterable[AgentId]) -> Mapping[AgentId, Fingerprint]:
        """By which names others know some agents; those that are gone are left out."""
        async with self.storage.autocommit() as work:
            found = [await work.agents.find(each) for each in agent_ids]
        return {agent.id: agent.fingerprint for agent in found if agent is not None}

    async def profile(self, fingerprint: Fingerprint) -> Agent:
        """The agent that has a fingerprint; raises AgentNotFound."""
        async with self.storage.autocommit() as work:
            agent = await work.agents.find_by_fingerprint(fingerprint)
        if agent is None:
            raise AgentNotFound(fingerprint)
        return agent
