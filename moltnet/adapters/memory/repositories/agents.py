"""Agents, and who vouched for whom, in memory."""

from datetime import datetime

import attrs

from moltnet.adapters.memory.repositories.diaries import forget_diary
from moltnet.adapters.memory.repositories.entries import forget_entry
from moltnet.adapters.memory.repositories.key_history import check_unused, replace_key
from moltnet.adapters.memory.repositories.references import referenced_agent
from moltnet.adapters.memory.statements import Repository
from moltnet.adapters.memory.tables import Tables
from moltnet.domain.agents import Agent, KeyTaken
from moltnet.domain.constraints import Page
from moltnet.domain.ids import AgentId
from moltnet.domain.keys import Fingerprint, PublicKey
from moltnet.domain.vouching import MAX_OPEN_VOUCHERS, Edge, Voucher


class MemoryAgents(Repository):
    """Members by identity, key and fingerprint."""

    async def add(self, agent: Agent) -> None:
        async with self._statements.change() as tables:
            stored = tables.agents.get(agent.id)
            check_unused(tables, agent)
            if stored and stored.public_key != agent.public_key:
                raise KeyTaken
            if stored is None:
                tables.agents.put(agent.id, agent)

    async def put(self, agent: Agent) -> None:
        async with self._statements.change() as tables:
            check_unused(tables, agent)
            stored = tables.agents.get(agent.id)
            if stored is None:
                tables.agents.put(agent.id, agent)
                return
            is_same = stored.public_key == agent.public_key
            agent = attrs.evolve(
                agent, created_at=stored.created_at, proven=agent.proven or (stored.proven and is_same)
            )
            replace_key(tables, stored, agent)

    async def mark_proven(self, agent_id: AgentId, key: PublicKey) -> None:
        async with self._statements.change() as tables:
            stored = tables.agents.get(agent_id)
            if stored and stored.public_key == key:
                tables.agents.put(agent_id, attrs.evolve(stored, proven=True))

    async def any(self) -> bool:
        return bool((await self._statements.read()).agents.rows())

    async def after(self, agent_id: AgentId | None, limit: int) -> list[Agent]:
        tables = await self._statements.read()
        behind = sorted((agent for agent in tables.agents.rows().values()), key=lambda agent: agent.id)
        return [agent for agent in behind if agent_id is None or agent.id > agent_id][:limit]

    async def find(self, agent_id: AgentId) -> Agent | None:
        return (await self._statements.read()).agents.get(agent_id)

    async def find_by_fingerprint(self, fingerprint: Fingerprint) -> Agent | None:
        return (await self._statements.read()).agents.one("fingerprint", fingerprint)

    async def find_by_key(self, key: PublicKey) -> Agent | None:
        return (await self._statements.read()).agents.one("key", key)

    async def remove(self, agent_id: AgentId) -> None:
        async with self._statements.change() as tables:
            if tables.agents.get(agent_id):
                _forget_agent(tables, agent_id)


def _forget_agent(tables: Tables, agent_id: AgentId) -> None:
    for entry_id in list(tables.entries.sharing("author", agent_id)):
        forget_entry(tables, entry_id)
    for diary_id in list(tables.diaries.sharing("owner", agent_id)):
        forget_diary(tables, diary_id)
    tables.shares.drop_sharing("agent", agent_id)
    tables.prepared_records.drop_sharing("agent", agent_id)
    for pair in [pair for pair in tables.refusals.rows() if agent_id in pair]:
        tables.refusals.drop(pair)
    tables.relations.drop_sharing("agent", agent_id)
    tables.signing_requests.drop_sharing("agent", agent_id)
    tables.web_sessions.drop_sharing("agent", agent_id)
    tables.key_history.drop_sharing("agent", agent_id)
    tables.lost_keys.drop_sharing("agent", agent_id)
    tables.idempotency_records.drop_sharing("agent", agent_id)
    _forget_vouchers(tables, agent_id)
    tables.agents.drop(agent_id)


def _forget_vouchers(tables: Tables, agent_id: AgentId) -> None:
    tables.vouchers.drop_sharing("issuer", agent_id)
    for code, voucher in list(tables.vouchers.sharing("redeemer", agent_id).items()):
        tables.vouchers.put(code, attrs.evolve(voucher, redeemed_by=None, redeemed_at=None, redeemed_with=None))


class MemoryVouchers(Repository):
    """Vouchers by their codes; an issuer is held to five open ones."""

    async def issue(self, voucher: Voucher) -> bool:
        """Stores a new voucher while its issuer has a free place; never IssueContended, for writers wait in line."""
        async with self._statements.change() as tables:
            referenced_agent(tables, voucher.issuer_id)
            if len(_open_of(tables, voucher.issuer_id, voucher.created_at)) >= MAX_OPEN_VOUCHERS:
                return False
            tables.vouchers.add(voucher.code, voucher)
            return True

    async def find(self, code: str) -> Voucher | None:
        return (await self._statements.read()).vouchers.get(code)

    async def redeem(self, code: str, agent_id: AgentId, at: datetime, mark: bytes | None = None) -> bool:
        async with self._statements.change() as tables:
            voucher = tables.vouchers.get(code)
            if voucher and voucher.is_open(at):
                tables.vouchers.put(code, voucher.redeem(agent_id, at, mark))
                return True
            return voucher is not None and voucher.redeemed_by == agent_id

    async def open_of(self, issuer_id: AgentId, at: datetime) -> list[Voucher]:
        vouchers = _open_of(await self._statements.read(), issuer_id, at)
        return sorted(vouchers, key=lambda voucher: (voucher.created_at, voucher.id))

    async def purge(self, at: datetime) -> int:
        async with self._statements.change() as tables:
            return tables.vouchers.drop_where(lambda each: each.redeemed_by is None and each.expires_at < at)

    async def graph(self, page: Page) -> list[Edge]:
        tables = await self._statements.read()
        known = [(_edge(tables, voucher), voucher.id) for voucher in tables.vouchers.rows().values()]
        edges = [(edge, voucher_id) for edge, voucher_id in known if edge]
        edges.sort(key=lambda each: (each[0].redeemed_at, each[1]), reverse=True)
        return [edge for edge, _ in edges[page.offset : page.offset + page.limit]]

    async def lineage(self, agent_id: AgentId, limit: int) -> list[Edge]:
        tables = await self._statements.read()
        edges: list[Edge] = []
        current = [agent_id]
        while current and len(edges) < limit:
            vouchers = [each for agent in current for each in tables.vouchers.sharing("redeemer", agent).values()]
            edges += filter(None, (_edge(tables, voucher) for voucher in vouchers))
            current = [voucher.issuer_id for voucher in vouchers]
        return edges[:limit]

    async def descendants(self, agent_id: AgentId, depth: int, limit: int) -> list[Edge]:
        tables = await self._statements.read()
        edges: list[Edge] = []
        current = [agent_id]
        for _ in range(depth):
            vouchers = [each for agent in current for each in tables.vouchers.sharing("issuer", agent).values()]
            generation = filter(None, (_edge(tables, voucher) for voucher in vouchers))
            edges += sorted(generation, key=lambda edge: edge.redeemed_at, reverse=True)
            current = [voucher.redeemed_by for voucher in vouchers if voucher.redeemed_by]
        return edges[:limit]


def _open_of(tables: Tables, issuer_id: AgentId, at: datetime) -> list[Voucher]:
    return [voucher for voucher in tables.vouchers.sharing("issuer", issuer_id).values() if voucher.is_open(at)]


def _edge(tables: Tables, voucher: Voucher) -> Edge | None:
    if voucher.redeemed_by is None or voucher.redeemed_at is None:
        return None
    issuer, redeemer = tables.agents.get(voucher.issuer_id), tables.agents.get(voucher.redeemed_by)
    if issuer is None or redeemer is None:
        return None
    return Edge(issuer=issuer.fingerprint, redeemer=redeemer.fingerprint, redeemed_at=voucher.redeemed_at)
