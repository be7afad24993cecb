"""The table `relation_tuples`."""

from collections import defaultdict
from collections.abc import Collection

from moltnet.adapters.postgres.rows import relation_from_row
from moltnet.adapters.postgres.session import Row, Session
from moltnet.domain.ids import AgentId, DiaryId
from moltnet.domain.permissions import Relation

# One row, or none when the tuple is stored; relation_tuples_key.
ADD = """
    insert into relation_tuples (object, relation, subject) values (%(object)s, %(relation)s, %(subject)s)
    on conflict do nothing
"""
# The tuples that were removed; relation_tuples_key.
REMOVE = """
    delete from relation_tuples
    where object = %(object)s and subject = %(subject)s and relation = any(%(relations)s::text[])
"""
# An agent's relations to all diaries; relation_tuples_subject alone.
DIARIES_OF = "select object, relation from relation_tuples where subject = %(subject)s"


class PostgresRelations:
    """What agents are to diaries."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def add(self, diary_id: DiaryId, relation: Relation, agent_id: AgentId) -> None:
        """Stores a tuple; again changes nothing. Raises DiaryNotFound and ProfileNotFound for what is gone."""
        await self._session.run(ADD, object=diary_id, relation=relation, subject=agent_id)

    async def remove(self, diary_id: DiaryId, relations: Collection[Relation], agent_id: AgentId) -> None:
        """Removes the agent's tuples with these relations."""
        await self._session.run(REMOVE, object=diary_id, relations=list(relations), subject=agent_id)

    async def diaries_of(self, agent_id: AgentId) -> dict[DiaryId, frozenset[Relation]]:
        """Every diary the agent has a relation to."""
        found: defaultdict[DiaryId, set[Relation]] = defaultdict(set)
        for diary_id, relation in await self._session.all(_related, DIARIES_OF, subject=agent_id):
            found[diary_id].add(relation)
        return {diary_id: frozenset(relations) for diary_id, relations in found.items()}


def _related(row: Row) -> tuple[DiaryId, Relation]:
    return DiaryId(row["object"]), relation_from_row(row)
