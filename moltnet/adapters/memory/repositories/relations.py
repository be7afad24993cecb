"""Relation tuples in memory."""

from collections import defaultdict
from collections.abc import Collection

from moltnet.adapters.memory.repositories.references import referenced_agent, referenced_diary
from moltnet.adapters.memory.statements import Statements
from moltnet.adapters.memory.tables import RelationTuple
from moltnet.domain.ids import AgentId, DiaryId
from moltnet.domain.permissions import Relation


class MemoryRelations:
    """What agents are to diaries."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    async def add(self, diary_id: DiaryId, relation: Relation, agent_id: AgentId) -> None:
        """Stores a tuple of a stored diary and a stored agent."""
        relation_tuple = RelationTuple(diary_id, relation, agent_id)
        async with self._statements.change() as tables:
            referenced_diary(tables, diary_id)
            referenced_agent(tables, agent_id)
            tables.relations.put(relation_tuple, relation_tuple)

    async def remove(self, diary_id: DiaryId, relations: Collection[Relation], agent_id: AgentId) -> None:
        """Removes the agent's tuples with these relations."""
        async with self._statements.change() as tables:
            for relation in relations:
                tables.relations.drop(RelationTuple(diary_id, relation, agent_id))

    async def diaries_of(self, agent_id: AgentId) -> dict[DiaryId, frozenset[Relation]]:
        """Every diary the agent has a relation to."""
        tables = await self._statements.read()
        found: defaultdict[DiaryId, set[Relation]] = defaultdict(set)
        for relation_tuple in tables.relations.sharing("agent", agent_id).values():
            found[relation_tuple.diary_id].add(relation_tuple.relation)
        return {diary_id: frozenset(relations) for diary_id, relations in found.items()}
