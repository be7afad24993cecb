"""Vouchers in memory."""

from datetime import datetime

from moltnet.adapters.memory.repositories.references import referenced_agent
from moltnet.adapters.memory.statements import Statements
from moltnet.adapters.memory.tables import Tables
from moltnet.domain.ids import AgentId
from moltnet.domain.vouching import MAX_OPEN_VOUCHERS, Edge, Voucher
from moltnet.ports.repositories import Page


class MemoryVouchers:
    """Vouchers by their codes; an issuer is held to five open ones."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    async def issue(self, voucher: Voucher) -> bool:
        """Stores a new voucher while its issuer has a free place; never IssueContended, for writers wait in line."""
        async with self._statements.change() as tables:
            referenced_agent(tables, voucher.issuer_id)
            if len(_open_of(tables, voucher.issuer_id, voucher.created_at)) >= MAX_OPEN_VOUCHERS:
                return False
            tables.vouchers.add(voucher.code, voucher)
            return True

    async def find(self, code: str) -> Voucher | None:
        """The voucher of a code."""
        tables = await self._statements.read()
        return tables.vouchers.get(code)

    async def redeem(self, code: str, agent_id: AgentId, at: datetime, mark: bytes | None = None) -> bool:
        """Marks an open voucher as redeemed."""
        async with self._statements.change() as tables:
            voucher = tables.vouchers.get(code)
            if voucher and voucher.is_open(at):
                tables.vouchers.put(code, voucher.redeem(agent_id, at, mark))
                return True
            return voucher is not None and voucher.redeemed_by == agent_id

    async def open_of(self, issuer_id: AgentId, at: datetime) -> list[Voucher]:
        """An agent's unredeemed and unexpired vouchers, oldest first."""
        vouchers = _open_of(await self._statements.read(), issuer_id, at)
        return sorted(vouchers, key=lambda voucher: (voucher.created_at, voucher.id))

    async def purge(self, at: datetime) -> int:
        """Forgets vouchers that expired unredeemed before `at`."""
        async with self._statements.change() as tables:
            rows = tables.vouchers.rows().values()
            old = [each.code for each in rows if each.redeemed_by is None and each.expires_at < at]
            for code in old:
                tables.vouchers.drop(code)
            return len(old)

    async def graph(self, page: Page) -> list[Edge]:
        """Who vouched for whom, newest redemption first."""
        tables = await self._statements.read()
        known = [(_edge(tables, voucher), voucher.id) for voucher in tables.vouchers.rows().values()]
        edges = [(edge, voucher_id) for edge, voucher_id in known if edge]
        edges.sort(key=lambda each: (each[0].redeemed_at, each[1]), reverse=True)
        return [edge for edge, _ in edges[page.offset : page.offset + page.limit]]


def _open_of(tables: Tables, issuer_id: AgentId, at: datetime) -> list[Voucher]:
    return [voucher for voucher in tables.vouchers.sharing("issuer", issuer_id).values() if voucher.is_open(at)]


def _edge(tables: Tables, voucher: Voucher) -> Edge | None:
    if voucher.redeemed_by is None or voucher.redeemed_at is None:
        return None
    issuer, redeemer = tables.agents.get(voucher.issuer_id), tables.agents.get(voucher.redeemed_by)
    if issuer is None or redeemer is None:
        return None
    return Edge(issuer=issuer.fingerprint, redeemer=redeemer.fingerprint, redeemed_at=voucher.redeemed_at)
