"""A permission store in memory, as one that lives elsewhere would answer."""

from collections.abc import Collection

from moltnet.domain.ids import AgentId
from moltnet.domain.permissions import (
    ENTRY_RIGHTS,
    EntryRight,
    Link,
    Namespace,
    Permit,
    Relation,
    RelationTuple,
    Right,
    Thing,
    TuplePattern,
    rights_of,
)


class MemoryRelationStore:
    """The port `RelationStore`; its tuples are in nobody's transaction."""

    def __init__(self) -> None:
        self._tuples: set[RelationTuple] = set()

    async def write(self, relation_tuple: RelationTuple) -> None:
        self._tuples.add(relation_tuple)

    async def delete(self, pattern: TuplePattern) -> None:
        self._tuples -= self._matching(pattern)

    async def permitted(self, thing: Thing, permits: Collection[Permit], agent: AgentId) -> frozenset[Permit]:
        return frozenset(permit for permit in permits if self._has(thing, permit, agent))

    async def list(self, pattern: TuplePattern) -> list[RelationTuple]:
        return list(self._matching(pattern))

    def _has(self, thing: Thing, permit: Permit, agent: AgentId) -> bool:
        if thing.namespace is Namespace.DIARY and isinstance(permit, Right):
            return permit in self._rights(thing, agent)
        if thing.namespace is Namespace.DIARY_ENTRY and isinstance(permit, EntryRight):
            parents = self._matching(TuplePattern(namespace=thing.namespace, id=thing.id, relation=Link.PARENT))
            return any(ENTRY_RIGHTS[permit] in self._rights(each.subject, agent) for each in parents)
        return False

    def _rights(self, diary: Thing, agent: AgentId) -> frozenset[Right]:
        pattern = TuplePattern(namespace=Namespace.DIARY, id=diary.id, subject=Thing.agent(agent))
        return rights_of(Relation(relation_tuple.relation) for relation_tuple in self._matching(pattern))

    def _matching(self, pattern: TuplePattern) -> set[RelationTuple]:
        return {relation_tuple for relation_tuple in self._tuples if pattern.matches(relation_tuple)}
