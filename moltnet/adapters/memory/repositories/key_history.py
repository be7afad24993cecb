"""Which keys agents have, and had, in memory."""

import attrs

from moltnet.adapters.memory.statements import Repository
from moltnet.adapters.memory.tables import Tables
from moltnet.domain.agents import Agent, Author, KeyTaken
from moltnet.domain.ids import AgentId
from moltnet.domain.key_changes import AgentKey, KeyChange, SignedStatement
from moltnet.domain.keys import Fingerprint, PublicKey


class MemoryKeyHistory(Repository):
    """The keys of agents, each with its time."""

    async def replace(self, change: KeyChange) -> bool:
        async with self._statements.change() as tables:
            stored = tables.agents.get(change.agent_id)
            if stored is None or stored.public_key != change.former:
                return False
            agent = attrs.evolve(stored, public_key=change.key, proven=True, updated_at=change.at)
            check_unused(tables, agent)
            replace_key(tables, stored, agent, change.statement)
            return True

    async def hold(self, agent_id: AgentId, key: PublicKey) -> bool:
        agent = (await self._statements.read()).agents.get(agent_id)
        return agent is not None and agent.public_key == key

    async def of_agent(self, agent_id: AgentId) -> list[AgentKey]:
        tables = await self._statements.read()
        agent = tables.agents.get(agent_id)
        history = list(tables.key_history.sharing("agent", agent_id).values())
        return sorted(history or ([_only_key(agent)] if agent else []), key=lambda known: known.since)

    async def find(self, fingerprint: Fingerprint) -> AgentKey | None:
        tables = await self._statements.read()
        agent = tables.agents.one("fingerprint", fingerprint)
        return tables.key_history.one("fingerprint", fingerprint) or (_only_key(agent) if agent else None)


def check_unused(tables: Tables, agent: Agent) -> None:
    """Raises KeyTaken where an agent's key, or one with its fingerprint, is another's or was anybody's."""
    known = tables.key_history.one("fingerprint", agent.fingerprint)
    is_former = known is not None and (known.until is not None or known.agent_id != agent.id)
    if is_former or tables.agents.sharing("fingerprint", agent.fingerprint).keys() - {agent.id}:
        raise KeyTaken


def replace_key(tables: Tables, stored: Agent, agent: Agent, statement: SignedStatement | None = None) -> None:
    """Puts an agent in its own place; its former key, where it had another, stays in the history."""
    tables.agents.put(agent.id, agent)
    if stored.public_key == agent.public_key:
        return
    former = tables.key_history.get(stored.public_key) or _only_key(stored)
    tables.key_history.put(former.public_key, attrs.evolve(former, until=agent.updated_at))
    known = AgentKey(agent_id=agent.id, public_key=agent.public_key, since=agent.updated_at, statement=statement)
    tables.key_history.put(agent.public_key, known)
    _update_author_key(tables, agent)


def _only_key(agent: Agent) -> AgentKey:
    return AgentKey(agent_id=agent.id, public_key=agent.public_key, since=agent.created_at)


def _update_author_key(tables: Tables, agent: Agent) -> None:
    """Entries name their authors and editors by the keys that these have now."""
    for entry_id, entry in list(tables.entries.sharing("author", agent.id).items()):
        author = attrs.evolve(entry.writer, public_key=agent.public_key)
        tables.entries.put(entry_id, attrs.evolve(entry, author=author))
    for entry_id, entry in list(tables.entries.sharing("editor", agent.id).items()):
        editor = Author(public_key=agent.public_key, id=agent.id)
        tables.entries.put(entry_id, attrs.evolve(entry, edited_by=editor))
