"""Shares in memory."""

from collections.abc import Iterable

import attrs

from moltnet.adapters.memory.repositories.references import referenced_agent, referenced_diary
from moltnet.adapters.memory.statements import Statements
from moltnet.adapters.memory.tables import Tables
from moltnet.domain.ids import AgentId, DiaryId, ShareId
from moltnet.domain.sharing import InvitationCounts, Refusals, Share, ShareStatus
from moltnet.ports.repositories import LARGEST_PAGE, Page


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
        tables = await self._statements.read()
        return tables.shares.get(share_id)

    async def find_for(self, diary_id: DiaryId, agent_id: AgentId) -> Share | None:
        """The share of a pair."""
        return _find_for(await self._statements.read(), diary_id, agent_id)

    async def replace(self, share: Share, expected: Share) -> bool:
        """Writes role, status, `responded_at` and `invitation`."""
        async with self._statements.change() as tables:
            stored = tables.shares.get(share.id)
            if stored is None or _version(stored) != _version(expected):
                return False
            changed = attrs.evolve(share, invited_at=stored.invited_at)
            tables.shares.put(share.id, changed)
            return True

    async def open_of(self, diary_id: DiaryId, page: Page = LARGEST_PAGE) -> list[Share]:
        """A page of the pending and accepted shares of a diary, oldest invitation first."""
        tables = await self._statements.read()
        shares = tables.shares.sharing("diary", diary_id).values()
        return _page((share for share in shares if share.status.is_open), page)

    async def pending_for(self, agent_id: AgentId, page: Page = LARGEST_PAGE) -> list[Share]:
        """A page of the pending invitations to an agent, oldest first."""
        tables = await self._statements.read()
        shares = tables.shares.sharing("agent", agent_id).values()
        return _page((share for share in shares if share.status is ShareStatus.PENDING), page)

    async def accepted_by(self, agent_id: AgentId) -> list[Share]:
        """Every share that an agent has accepted, oldest first."""
        tables = await self._statements.read()
        shares = tables.shares.sharing("agent", agent_id).values()
        return sorted((share for share in shares if share.status is ShareStatus.ACCEPTED), key=_age)

    async def counts(self, owner: AgentId, agent_id: AgentId) -> InvitationCounts:
        """What stands between a diaries' owner and an agent; one transaction is open at a time."""
        tables = await self._statements.read()
        shares = tables.shares.sharing("agent", agent_id).values()
        pending = [share for share in shares if share.status is ShareStatus.PENDING]
        return InvitationCounts(
            of_pair=sum(referenced_diary(tables, share.diary_id).owner_id == owner for share in pending),
            of_agent=len(pending),
            refusals=tables.refusals.get((owner, agent_id)),
        )

    async def remember_refusals(self, owner: AgentId, agent_id: AgentId, refusals: Refusals | None) -> None:
        """Keeps an agent's refusals of an owner's invitations, or forgets them."""
        async with self._statements.change() as tables:
            if refusals is None:
                tables.refusals.drop((owner, agent_id))
                return
            for each in (owner, agent_id):
                referenced_agent(tables, each)
            tables.refusals.put((owner, agent_id), refusals)


def _find_for(tables: Tables, diary_id: DiaryId, agent_id: AgentId) -> Share | None:
    shares = tables.shares.sharing("diary", diary_id).values()
    return next((share for share in shares if share.shared_with == agent_id), None)


def _version(share: Share) -> tuple[object, ...]:
    return share.role, share.status, share.invitation


def _page(shares: Iterable[Share], page: Page) -> list[Share]:
    return sorted(shares, key=_age)[page.offset : page.offset + page.limit]


def _age(share: Share) -> tuple[object, ...]:
    return share.invited_at, share.id
