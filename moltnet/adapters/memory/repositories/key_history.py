"""Which keys agents have, and had, and which wait for the place of lost ones, in memory."""

from datetime import datetime

import attrs

from moltnet.adapters.memory.repositories.references import referenced_agent
from moltnet.adapters.memory.statements import Repository
from moltnet.adapters.memory.tables import Tables
from moltnet.domain.agents import Agent, Author, KeyTaken
from moltnet.domain.constraints import Page
from moltnet.domain.ids import AgentId
from moltnet.domain.key_changes import AgentKey, KeyChange, SignedStatement
from moltnet.domain.keys import Fingerprint, PublicKey
from moltnet.domain.lost_keys import LostKey, LostKeyOpen


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


class MemoryLostKeys(Repository):
    """Keys that wait, by themselves."""

    async def add(self, lost: LostKey) -> None:
        async with self._statements.change() as tables:
            referenced_agent(tables, lost.agent_id)
            if _open_of(tables, lost.agent_id, lost.asked_at):
                raise LostKeyOpen
            if tables.lost_keys.one("fingerprint", lost.key.fingerprint):
                raise KeyTaken
            tables.lost_keys.put(lost.key, lost)

    async def find(self, fingerprint: Fingerprint) -> LostKey | None:
        return (await self._statements.read()).lost_keys.one("fingerprint", fingerprint)

    async def of_agent(self, agent_id: AgentId, at: datetime) -> LostKey | None:
        return next(iter(_open_of(await self._statements.read(), agent_id, at)), None)

    async def open(self, at: datetime, page: Page) -> list[LostKey]:
        waiting = [each for each in (await self._statements.read()).lost_keys.rows().values() if each.is_open(at)]
        waiting.sort(key=lambda lost: (lost.asked_at, lost.key.raw), reverse=True)
        return waiting[page.offset : page.offset + page.limit]

    async def end(self, key: PublicKey, at: datetime) -> bool:
        async with self._statements.change() as tables:
            lost = tables.lost_keys.get(key)
            return lost is not None and _end(tables, [lost], at)

    async def end_of_agent(self, agent_id: AgentId, at: datetime) -> bool:
        async with self._statements.change() as tables:
            return _end(tables, _open_of(tables, agent_id, at), at)

    async def purge(self, at: datetime) -> int:
        async with self._statements.change() as tables:
            return tables.lost_keys.drop_where(lambda lost: lost.expires_at < at)


def _open_of(tables: Tables, agent_id: AgentId, at: datetime) -> list[LostKey]:
    return [lost for lost in tables.lost_keys.sharing("agent", agent_id).values() if lost.is_open(at)]


def _end(tables: Tables, waiting: list[LostKey], at: datetime) -> bool:
    ended = [lost for lost in waiting if lost.is_open(at)]
    for lost in ended:
        tables.lost_keys.put(lost.key, attrs.evolve(lost, ended_at=at))
    return bool(ended)


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
