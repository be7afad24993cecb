"""Shares in memory."""

import attrs

from moltnet.adapters.memory.repositories.references import referenced_agent, referenced_diary
from moltnet.adapters.memory.statements import Statements
from moltnet.adapters.memory.tables import Tables
from moltnet.domain.ids import AgentId, DiaryId, ShareId
from moltnet.domain.sharing import Share, ShareStatus


class MemoryShares:
    """Invitations, one for each pair of diary and agent."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    async def add(self, share: Share) -> bool:
        """Stores a new share; False when the pair has one already."""
        async with self._statements.change() as tables:
            referenced_diary(tables, share.diary_id)
            referenced_agent(tables, share.shared_with)
            if _find_for(tables, share.diary_id, share.shared_with):
                return False
            tables.shares.add(share.id, share)
            return True

    async def find(self, share_id: ShareId) -> Share | None:
        """The share of an id."""
        tables = await self._statements.look()
        return tables.shares.get(share_id)

    async def find_for(self, diary_id: DiaryId, agent_id: AgentId) -> Share | None:
        """The share of a pair."""
        return _find_for(await self._statements.look(), diary_id, agent_id)

    async def replace(self, share: Share, expected: ShareStatus) -> bool:
        """Writes role, status and `responded_at`."""
        async with self._statements.change() as tables:
            stored = tables.shares.get(share.id)
            if stored is None or stored.status is not expected:
                return False
            changed = attrs.evolve(stored, role=share.role, status=share.status, responded_at=share.responded_at)
            tables.shares.put(share.id, changed)
            return True

    async def open_of(self, diary_id: DiaryId) -> list[Share]:
        """The pending and accepted shares of a diary, oldest invitation first."""
        tables = await self._statements.look()
        shares = tables.shares.sharing("diary", diary_id).values()
        return sorted((share for share in shares if share.status.is_open), key=_age)

    async def pending_for(self, agent_id: AgentId) -> list[Share]:
        """The pending invitations to an agent, oldest first."""
        tables = await self._statements.look()
        shares = tables.shares.sharing("agent", agent_id).values()
        return sorted((share for share in shares if share.status is ShareStatus.PENDING), key=_age)


def _find_for(tables: Tables, diary_id: DiaryId, agent_id: AgentId) -> Share | None:
    shares = tables.shares.sharing("diary", diary_id).values()
    return next((share for share in shares if share.shared_with == agent_id), None)


def _age(share: Share) -> tuple[object, ...]:
    return share.invited_at, share.id
