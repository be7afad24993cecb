"""The table `diary_shares`."""

import attrs

from moltnet.adapters.postgres.rows import share_from_row
from moltnet.adapters.postgres.session import Row, Session
from moltnet.domain.ids import AgentId, DiaryId, ShareId
from moltnet.domain.sharing import InvitationCounts, Refusals, Share
from moltnet.ports.repositories import LARGEST_PAGE, Page

# One row, or none when the pair has a share; diary_shares_diary_id_shared_with_key.
ADD = """
    insert into diary_shares (id, diary_id, shared_with, role, status, invited_at, responded_at, invitation)
    values (
        %(id)s, %(diary_id)s, %(shared_with)s, %(role)s, %(status)s, %(invited_at)s, %(responded_at)s, %(invitation)s
    )
    on conflict (diary_id, shared_with) do nothing
"""
# The share of an id; diary_shares_pkey.
FIND = """
    select id, diary_id, shared_with, role, status, invited_at, responded_at, invitation
    from diary_shares where id = %(id)s
"""
# The share of a pair; diary_shares_diary_id_shared_with_key.
FIND_FOR = """
    select id, diary_id, shared_with, role, status, invited_at, responded_at, invitation
    from diary_shares where diary_id = %(diary_id)s and shared_with = %(shared_with)s
"""
# One row, or none when it is no longer what is expected; diary_shares_pkey.
REPLACE = """
    update diary_shares
    set role = %(role)s, status = %(status)s, responded_at = %(responded_at)s, invitation = %(invitation)s
    where id = %(id)s
        and (role, status, invitation) = (%(expected_role)s, %(expected_status)s, %(expected_invitation)s)
"""
# A diary's open shares, oldest first; diary_shares_diary_id_shared_with_key.
OPEN_OF = """
    select id, diary_id, shared_with, role, status, invited_at, responded_at, invitation
    from diary_shares where diary_id = %(diary_id)s and status in ('pending', 'accepted')
    order by invited_at, id limit %(limit)s offset %(offset)s
"""
# An agent's pending invitations, oldest first; diary_shares_invited gives the order.
PENDING_FOR = """
    select id, diary_id, shared_with, role, status, invited_at, responded_at, invitation
    from diary_shares where shared_with = %(shared_with)s and status = 'pending'
    order by invited_at, id limit %(limit)s offset %(offset)s
"""
# Every accepted share of an agent, oldest first; diary_shares_invited gives the order.
ACCEPTED_BY = """
    select id, diary_id, shared_with, role, status, invited_at, responded_at, invitation
    from diary_shares where shared_with = %(shared_with)s and status = 'accepted' order by invited_at, id
"""
# Waits until nobody else who invites the agent is uncommitted. The first half of the key: the first bytes of the
# SHA-256 of "moltnet invitations".
LOCK = "select pg_advisory_xact_lock(-1068965174, hashtext(%(agent_id)s::text))"
# One row: the pending invitations to an agent from one owner and from all, and its refusals; diary_shares_invited,
# invitation_refusals_pkey.
COUNTS = """
    select of_pair, of_agent, refusals, refused_at from (
        select count(*) filter (where d.owner_id = %(owner_id)s) as of_pair, count(*) as of_agent
        from diary_shares s join diaries d on d.id = s.diary_id
        where s.shared_with = %(agent_id)s and s.status = 'pending'
    ) as pending left join invitation_refusals on owner_id = %(owner_id)s and agent_id = %(agent_id)s
"""
# One row; invitation_refusals_pkey.
REMEMBER = """
    insert into invitation_refusals (owner_id, agent_id, refusals, refused_at)
    values (%(owner_id)s, %(agent_id)s, %(number)s, %(last_at)s)
    on conflict (owner_id, agent_id) do update set refusals = excluded.refusals, refused_at = excluded.refused_at
"""
# The row that was forgotten, if there was one; invitation_refusals_pkey.
FORGET = "delete from invitation_refusals where owner_id = %(owner_id)s and agent_id = %(agent_id)s"


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

    async def replace(self, share: Share, expected: Share) -> bool:
        """Writes role, status, `responded_at` and `invitation`."""
        replaced = await self._session.run(
            REPLACE,
            id=share.id,
            role=share.role,
            status=share.status,
            responded_at=share.responded_at,
            invitation=share.invitation,
            expected_role=expected.role,
            expected_status=expected.status,
            expected_invitation=expected.invitation,
        )
        return replaced > 0

    async def open_of(self, diary_id: DiaryId, page: Page = LARGEST_PAGE) -> list[Share]:
        """A page of the pending and accepted shares of a diary, oldest invitation first."""
        values = {"diary_id": diary_id, "limit": page.limit, "offset": page.offset}
        return await self._session.all(share_from_row, OPEN_OF, **values)

    async def pending_for(self, agent_id: AgentId, page: Page = LARGEST_PAGE) -> list[Share]:
        """A page of the pending invitations to an agent, oldest first."""
        values = {"shared_with": agent_id, "limit": page.limit, "offset": page.offset}
        return await self._session.all(share_from_row, PENDING_FOR, **values)

    async def accepted_by(self, agent_id: AgentId) -> list[Share]:
        """Every share that an agent has accepted, oldest first."""
        return await self._session.all(share_from_row, ACCEPTED_BY, shared_with=agent_id)

    async def counts(self, owner: AgentId, agent_id: AgentId) -> InvitationCounts:
        """What stands between a diaries' owner and an agent."""
        await self._session.run(LOCK, agent_id=agent_id)
        (counts,) = await self._session.all(_counts, COUNTS, owner_id=owner, agent_id=agent_id)
        return counts

    async def remember_refusals(self, owner: AgentId, agent_id: AgentId, refusals: Refusals | None) -> None:
        """Keeps an agent's refusals of an owner's invitations, or forgets them."""
        pair = {"owner_id": owner, "agent_id": agent_id}
        if refusals is None:
            await self._session.run(FORGET, **pair)
        else:
            await self._session.run(REMEMBER, **pair, number=refusals.number, last_at=refusals.last_at)


def _counts(row: Row) -> InvitationCounts:
    refusals = Refusals(number=row["refusals"], last_at=row["refused_at"]) if row["refusals"] else None
    return InvitationCounts(of_pair=row["of_pair"], of_agent=row["of_agent"], refusals=refusals)
