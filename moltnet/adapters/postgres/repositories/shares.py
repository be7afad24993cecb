"""The table `diary_shares`."""

import attrs

from moltnet.adapters.postgres.rows import share_from_row
from moltnet.adapters.postgres.session import Session
from moltnet.domain.ids import AgentId, DiaryId, ShareId
from moltnet.domain.sharing import Share, ShareStatus

# One row, or none when the pair has a share; diary_shares_diary_id_shared_with_key.
ADD = """
    insert into diary_shares (id, diary_id, shared_with, role, status, invited_at, responded_at)
    values (%(id)s, %(diary_id)s, %(shared_with)s, %(role)s, %(status)s, %(invited_at)s, %(responded_at)s)
    on conflict (diary_id, shared_with) do nothing
"""
# The share of an id; diary_shares_pkey.
FIND = """
    select id, diary_id, shared_with, role, status, invited_at, responded_at from diary_shares where id = %(id)s
"""
# The share of a pair; diary_shares_diary_id_shared_with_key.
FIND_FOR = """
    select id, diary_id, shared_with, role, status, invited_at, responded_at
    from diary_shares where diary_id = %(diary_id)s and shared_with = %(shared_with)s
"""
# One row, or none when the status is another; diary_shares_pkey.
REPLACE = """
    update diary_shares set role = %(role)s, status = %(status)s, responded_at = %(responded_at)s
    where id = %(id)s and status = %(expected)s
"""
# A diary's open shares, oldest first; diary_shares_diary_id_shared_with_key.
OPEN_OF = """
    select id, diary_id, shared_with, role, status, invited_at, responded_at
    from diary_shares where diary_id = %(diary_id)s and status in ('pending', 'accepted') order by invited_at, id
"""
# An agent's pending invitations, oldest first; diary_shares_invited gives the order.
PENDING_FOR = """
    select id, diary_id, shared_with, role, status, invited_at, responded_at
    from diary_shares where shared_with = %(shared_with)s and status = 'pending' order by invited_at, id
"""


class PostgresShares:
    """Invitations, one for each pair of diary and agent."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def add(self, share: Share) -> bool:
        """Stores a new share; False when the pair has one already."""
        return await self._session.run(ADD, **attrs.asdict(share, recurse=False)) > 0

    async def find(self, share_id: ShareId) -> Share | None:
        """The share of an id."""
        return await self._session.first(share_from_row, FIND, id=share_id)

    async def find_for(self, diary_id: DiaryId, agent_id: AgentId) -> Share | None:
        """The share of a pair."""
        return await self._session.first(share_from_row, FIND_FOR, diary_id=diary_id, shared_with=agent_id)

    async def replace(self, share: Share, expected: ShareStatus) -> bool:
        """Writes role, status and `responded_at`."""
        replaced = await self._session.run(
            REPLACE,
            id=share.id,
            role=share.role,
            status=share.status,
            responded_at=share.responded_at,
            expected=expected,
        )
        return replaced > 0

    async def open_of(self, diary_id: DiaryId) -> list[Share]:
        """The pending and accepted shares of a diary, oldest invitation first."""
        return await self._session.all(share_from_row, OPEN_OF, diary_id=diary_id)

    async def pending_for(self, agent_id: AgentId) -> list[Share]:
        """The pending invitations to an agent, oldest first."""
        return await self._session.all(share_from_row, PENDING_FOR, shared_with=agent_id)
