"""The table `diaries`."""

from datetime import datetime

import attrs

from moltnet.adapters.postgres.rows import diary_from_row
from moltnet.adapters.postgres.session import Row, Session
from moltnet.domain.diaries import Diary
from moltnet.domain.ids import AgentId, DiaryId
from moltnet.domain.permissions import Relation
from moltnet.ports.repositories import Page

# One row, or none when the id is stored; diaries_pkey.
ADD = """
    insert into diaries (id, owner_id, name, visibility, signed, injection_risk, created_at, updated_at)
    values (
        %(id)s, %(owner_id)s, %(name)s, %(visibility)s, %(signed)s, %(injection_risk)s, %(created_at)s, %(updated_at)s
    )
    on conflict (id) do nothing
"""
# The diary of an id; diaries_pkey.
FIND = """
    select id, owner_id, name, visibility, signed, injection_risk, created_at, updated_at from diaries where id = %(id)s
"""
# The same with an agent's relations to it; diaries_pkey, relation_tuples_key alone.
FIND_WITH_RELATIONS = """
    select id, owner_id, name, visibility, signed, injection_risk, created_at, updated_at,
        array(select relation from relation_tuples t where t.object = d.id and t.subject = %(subject)s) as relations
    from diaries d where id = %(id)s
"""
# An owner's diaries, newest first; diaries_owner gives the order.
OWNED_BY = """
    select id, owner_id, name, visibility, signed, injection_risk, created_at, updated_at
    from diaries where owner_id = %(owner_id)s order by created_at desc, id desc
    limit %(limit)s offset %(offset)s
"""
# Waits until nobody else who asks for an owner is uncommitted; nothing but a removal of the agent waits for it too.
LOCK_OWNER = "select from agent_keys where identity_id = %(owner_id)s for no key update"
# One row; diaries_owner alone.
NUMBER_OWNED_BY = "select count(*) as number from diaries where owner_id = %(owner_id)s"
# One row, or none when the diary was changed or is gone; diaries_pkey. Another visibility is written into the entries
# too, by diary_entries_diary_id_fkey.
REPLACE = """
    update diaries set name = %(name)s, visibility = %(visibility)s, injection_risk = %(injection_risk)s,
        updated_at = %(updated_at)s
    where id = %(id)s and updated_at = %(unless_changed_since)s
"""
# One row, or none when the diary was changed or is gone; diaries_pkey. Entries, shares, relations and term counts go
# with it, by their foreign keys.
REMOVE = """
    delete from diaries
    where id = %(id)s and updated_at = coalesce(%(unless_changed_since)s::timestamptz, updated_at)
"""


class PostgresDiaries:
    """Diaries of stored agents."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def add(self, diary: Diary) -> None:
        """Stores a new diary; the same id again changes nothing. Raises ProfileNotFound when the owner is gone."""
        await self._session.run(ADD, **attrs.asdict(diary, recurse=False))

    async def find(self, diary_id: DiaryId) -> Diary | None:
        """The diary of an id."""
        return await self._session.first(diary_from_row, FIND, id=diary_id)

    async def find_with_relations(
        self, diary_id: DiaryId, agent_id: AgentId
    ) -> tuple[Diary | None, frozenset[Relation]]:
        """The diary of an id and what an agent is to it."""
        found = await self._session.first(_with_relations, FIND_WITH_RELATIONS, id=diary_id, subject=agent_id)
        return found or (None, frozenset())

    async def owned_by(self, owner: AgentId, page: Page | None = None) -> list[Diary]:
        """A page of an agent's own diaries, or all of them, newest first."""
        values = {"owner_id": owner, "limit": page and page.limit, "offset": page.offset if page else 0}
        return await self._session.all(diary_from_row, OWNED_BY, **values)

    async def number_owned_by(self, owner: AgentId) -> int:
        """How many diaries an agent owns."""
        await self._session.run(LOCK_OWNER, owner_id=owner)
        (number,) = await self._session.all(_number, NUMBER_OWNED_BY, owner_id=owner)
        return number

    async def replace(self, diary: Diary, unless_changed_since: datetime) -> bool:
        """Writes the name with its mark, visibility and `updated_at`."""
        replaced = await self._session.run(
            REPLACE,
            id=diary.id,
            name=diary.name,
            visibility=diary.visibility,
            injection_risk=diary.injection_risk,
            updated_at=diary.updated_at,
            unless_changed_since=unless_changed_since,
        )
        return replaced > 0

    async def remove(self, diary_id: DiaryId, unless_changed_since: datetime | None = None) -> bool:
        """Removes a diary with its entries, shares and relations."""
        return await self._session.run(REMOVE, id=diary_id, unless_changed_since=unless_changed_since) > 0


def _number(row: Row) -> int:
    return int(row["number"])


def _with_relations(row: Row) -> tuple[Diary | None, frozenset[Relation]]:
    diary = {name: value for name, value in row.items() if name != "relations"}
    return diary_from_row(diary), frozenset(map(Relation, row["relations"]))
