"""The tables `diaries`, `diary_shares` with its refusals, and `relation_tuples`."""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from operator import itemgetter

from moltnet.adapters.postgres.rows import LAST_RECORD, columns_of, diary_from_row, share_from_row
from moltnet.adapters.postgres.session import Repository, Row
from moltnet.domain.constraints import LARGEST_PAGE, Page
from moltnet.domain.diaries import Diary
from moltnet.domain.ids import AgentId, DiaryId, ShareId
from moltnet.domain.permissions import Relation
from moltnet.domain.sharing import InvitationCounts, Refusals, Share

# One row, or none when the id is stored; diaries_pkey.
ADD_DIARY = """
    insert into diaries (id, owner_id, name, visibility, signed, injection_risk, created_at, updated_at)
    values (
        %(id)s, %(owner_id)s, %(name)s, %(visibility)s, %(signed)s, %(injection_risk)s, %(created_at)s, %(updated_at)s
    )
    on conflict (id) do nothing
"""
SELECT_DIARIES = f"""
    select id, owner_id, name, visibility, signed, injection_risk, created_at, updated_at, {LAST_RECORD} as chain
    from diaries d
"""  # noqa: S608 - constants
# The diary of an id; diaries_pkey.
FIND_DIARY = f"{SELECT_DIARIES} where id = %(id)s"
# The same with an agent's relations to it; diaries_pkey, relation_tuples_key alone.
FIND_DIARY_WITH_RELATIONS = f"""
    select id, owner_id, name, visibility, signed, injection_risk, created_at, updated_at, {LAST_RECORD} as chain,
        array(select relation from relation_tuples t where t.object = d.id and t.subject = %(subject)s) as relations
    from diaries d where id = %(id)s
"""  # noqa: S608 - constants
# An owner's diaries, newest first; diaries_owner gives the order.
DIARIES_OWNED_BY = f"""
    {SELECT_DIARIES}
    where owner_id = %(owner_id)s order by created_at desc, id desc
    limit %(limit)s offset %(offset)s
"""
# Waits until nobody else who asks for an owner is uncommitted; nothing but a removal of the agent waits for it too.
LOCK_OWNER = "select from agent_keys where identity_id = %(owner_id)s for no key update"
# One row; diaries_owner alone.
NUMBER_OF_DIARIES = "select count(*) as number from diaries where owner_id = %(owner_id)s"
# One row, or none when the diary was changed or is gone; diaries_pkey. Another visibility is written into the entries
# too, by diary_entries_diary_id_fkey.
REPLACE_DIARY = """
    update diaries set name = %(name)s, visibility = %(visibility)s, injection_risk = %(injection_risk)s,
        updated_at = %(updated_at)s
    where id = %(id)s and updated_at = %(unless_changed_since)s
"""
# One row, or none when the diary was changed or is gone; diaries_pkey. Entries, shares, relations and term counts go
# with it, by their foreign keys.
REMOVE_DIARY = """
    delete from diaries
    where id = %(id)s and updated_at = coalesce(%(unless_changed_since)s::timestamptz, updated_at)
"""


class PostgresDiaries(Repository):
    """Diaries of stored agents."""

    async def add(self, diary: Diary) -> None:
        await self._session.run(ADD_DIARY, **columns_of(diary))

    async def find(self, diary_id: DiaryId) -> Diary | None:
        return await self._session.first(diary_from_row, FIND_DIARY, id=diary_id)

    async def find_with_relations(
        self, diary_id: DiaryId, agent_id: AgentId
    ) -> tuple[Diary | None, frozenset[Relation]]:
        found = await self._session.first(_with_relations, FIND_DIARY_WITH_RELATIONS, id=diary_id, subject=agent_id)
        return found or (None, frozenset())

    async def owned_by(self, owner: AgentId, page: Page | None = None) -> list[Diary]:
        values = {"owner_id": owner, "limit": page and page.limit, "offset": page.offset if page else 0}
        return await self._session.all(diary_from_row, DIARIES_OWNED_BY, **values)

    async def number_owned_by(self, owner: AgentId) -> int:
        await self._session.run(LOCK_OWNER, owner_id=owner)
        (number,) = await self._session.all(itemgetter("number"), NUMBER_OF_DIARIES, owner_id=owner)
        return int(number)

    async def replace(self, diary: Diary, unless_changed_since: datetime) -> bool:
        replaced = await self._session.run(
            REPLACE_DIARY, **columns_of(diary), unless_changed_since=unless_changed_since
        )
        return replaced > 0

    async def remove(self, diary_id: DiaryId, unless_changed_since: datetime | None = None) -> bool:
        return await self._session.run(REMOVE_DIARY, id=diary_id, unless_changed_since=unless_changed_since) > 0


def _with_relations(row: Row) -> tuple[Diary | None, frozenset[Relation]]:
    diary = {name: value for name, value in row.items() if name != "relations"}
    return diary_from_row(diary), frozenset(map(Relation, row["relations"]))


# One row, or none when the pair has a share; diary_shares_diary_id_shared_with_key.
ADD_SHARE = """
    insert into diary_shares (id, diary_id, shared_with, role, status, invited_at, responded_at, invitation)
    values (
        %(id)s, %(diary_id)s, %(shared_with)s, %(role)s, %(status)s, %(invited_at)s, %(responded_at)s, %(invitation)s
    )
    on conflict (diary_id, shared_with) do nothing
"""
SELECT_SHARES = "select id, diary_id, shared_with, role, status, invited_at, responded_at, invitation from diary_shares"
# The share of an id; diary_shares_pkey.
FIND_SHARE = f"{SELECT_SHARES} where id = %(id)s"
# The share of a pair; diary_shares_diary_id_shared_with_key.
FIND_SHARE_FOR = f"{SELECT_SHARES} where diary_id = %(diary_id)s and shared_with = %(shared_with)s"
# One row, or none when it is no longer what is expected; diary_shares_pkey.
REPLACE_SHARE = """
    update diary_shares
    set role = %(role)s, status = %(status)s, responded_at = %(responded_at)s, invitation = %(invitation)s
    where id = %(id)s
        and (role, status, invitation) = (%(expected_role)s, %(expected_status)s, %(expected_invitation)s)
"""
# A diary's open shares, oldest first; diary_shares_diary_id_shared_with_key.
OPEN_SHARES_OF = f"""
    {SELECT_SHARES}
    where diary_id = %(diary_id)s and status in ('pending', 'accepted')
    order by invited_at, id limit %(limit)s offset %(offset)s
"""
# An agent's pending invitations, oldest first; diary_shares_invited gives the order.
PENDING_SHARES_FOR = f"""
    {SELECT_SHARES}
    where shared_with = %(shared_with)s and status = 'pending'
    order by invited_at, id limit %(limit)s offset %(offset)s
"""
# Every accepted share of an agent, oldest first; diary_shares_invited gives the order.
SHARES_ACCEPTED_BY = f"""
    {SELECT_SHARES}
    where shared_with = %(shared_with)s and status = 'accepted' order by invited_at, id
"""
# Waits until nobody else who invites the agent is uncommitted. The first half of the key: the first bytes of the
# SHA-256 of "moltnet invitations".
LOCK_INVITED = "select pg_advisory_xact_lock(-1068965174, hashtext(%(agent_id)s::text))"
# One row: the pending invitations to an agent from one owner and from all, and its refusals; diary_shares_invited,
# invitation_refusals_pkey.
INVITATION_COUNTS = """
    select of_pair, of_agent, refusals, refused_at from (
        select count(*) filter (where d.owner_id = %(owner_id)s) as of_pair, count(*) as of_agent
        from diary_shares s join diaries d on d.id = s.diary_id
        where s.shared_with = %(agent_id)s and s.status = 'pending'
    ) as pending left join invitation_refusals on owner_id = %(owner_id)s and agent_id = %(agent_id)s
"""
# One row; invitation_refusals_pkey.
REMEMBER_REFUSALS = """
    insert into invitation_refusals (owner_id, agent_id, refusals, refused_at)
    values (%(owner_id)s, %(agent_id)s, %(number)s, %(last_at)s)
    on conflict (owner_id, agent_id) do update set refusals = excluded.refusals, refused_at = excluded.refused_at
"""
# The row that was forgotten, if there was one; invitation_refusals_pkey.
FORGET_REFUSALS = "delete from invitation_refusals where owner_id = %(owner_id)s and agent_id = %(agent_id)s"


class PostgresShares(Repository):
    """Invitations, one for each pair of diary and agent."""

    async def add(self, share: Share) -> bool:
        return await self._session.run(ADD_SHARE, **columns_of(share)) > 0

    async def find(self, share_id: ShareId) -> Share | None:
        return await self._session.first(share_from_row, FIND_SHARE, id=share_id)

    async def find_for(self, diary_id: DiaryId, agent_id: AgentId) -> Share | None:
        return await self._session.first(share_from_row, FIND_SHARE_FOR, diary_id=diary_id, shared_with=agent_id)

    async def replace(self, share: Share, expected: Share) -> bool:
        replaced = await self._session.run(
            REPLACE_SHARE,
            **columns_of(share),
            expected_role=expected.role,
            expected_status=expected.status,
            expected_invitation=expected.invitation,
        )
        return replaced > 0

    async def open_of(self, diary_id: DiaryId, page: Page = LARGEST_PAGE) -> list[Share]:
        values = {"diary_id": diary_id, "limit": page.limit, "offset": page.offset}
        return await self._session.all(share_from_row, OPEN_SHARES_OF, **values)

    async def pending_for(self, agent_id: AgentId, page: Page = LARGEST_PAGE) -> list[Share]:
        values = {"shared_with": agent_id, "limit": page.limit, "offset": page.offset}
        return await self._session.all(share_from_row, PENDING_SHARES_FOR, **values)

    async def accepted_by(self, agent_id: AgentId) -> list[Share]:
        return await self._session.all(share_from_row, SHARES_ACCEPTED_BY, shared_with=agent_id)

    async def counts(self, owner: AgentId, agent_id: AgentId) -> InvitationCounts:
        await self._session.run(LOCK_INVITED, agent_id=agent_id)
        (counts,) = await self._session.all(_counts, INVITATION_COUNTS, owner_id=owner, agent_id=agent_id)
        return counts

    async def remember_refusals(self, owner: AgentId, agent_id: AgentId, refusals: Refusals | None) -> None:
        pair = {"owner_id": owner, "agent_id": agent_id}
        if refusals is None:
            await self._session.run(FORGET_REFUSALS, **pair)
        else:
            await self._session.run(REMEMBER_REFUSALS, **pair, number=refusals.number, last_at=refusals.last_at)


def _counts(row: Row) -> InvitationCounts:
    refusals = Refusals(number=row["refusals"], last_at=row["refused_at"]) if row["refusals"] else None
    return InvitationCounts(of_pair=row["of_pair"], of_agent=row["of_agent"], refusals=refusals)


# One row, or none when the tuple is stored; relation_tuples_key.
ADD_RELATION = """
    insert into relation_tuples (object, relation, subject) values (%(object)s, %(relation)s, %(subject)s)
    on conflict do nothing
"""
# The tuples that were removed; relation_tuples_key.
REMOVE_RELATIONS = """
    delete from relation_tuples
    where object = %(object)s and subject = %(subject)s and relation = any(%(relations)s::text[])
"""
# An agent's relations to all diaries; relation_tuples_subject alone.
RELATIONS_OF = "select object, relation from relation_tuples where subject = %(subject)s"


class PostgresRelations(Repository):
    """What agents are to diaries."""

    async def add(self, diary_id: DiaryId, relation: Relation, agent_id: AgentId) -> None:
        """Stores a tuple; again changes nothing. Raises DiaryNotFound and ProfileNotFound for what is gone."""
        await self._session.run(ADD_RELATION, object=diary_id, relation=relation, subject=agent_id)

    async def remove(self, diary_id: DiaryId, relations: Collection[Relation], agent_id: AgentId) -> None:
        await self._session.run(REMOVE_RELATIONS, object=diary_id, relations=list(relations), subject=agent_id)

    async def diaries_of(self, agent_id: AgentId) -> dict[DiaryId, frozenset[Relation]]:
        found: defaultdict[DiaryId, set[Relation]] = defaultdict(set)
        for diary_id, relation in await self._session.all(
            itemgetter("object", "relation"), RELATIONS_OF, subject=agent_id
        ):
            found[DiaryId(diary_id)].add(Relation(relation))
        return {diary_id: frozenset(relations) for diary_id, relations in found.items()}
