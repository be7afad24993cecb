"""Permissions as tuples of a foreign store, and as what was committed here and is on its way there."""

from collections import defaultdict
from collections.abc import Sequence

from moltnet.domain.diaries import Diary
from moltnet.domain.ids import AgentId, DiaryId, EntryId
from moltnet.domain.intents import Change, Intent, PermissionWorkflow, relations_after, relations_giving
from moltnet.domain.permissions import Relation, Right, rights_of
from moltnet.domain.relations import Namespace, Thing, TuplePattern
from moltnet.ports.permissions import Asked, Left
from moltnet.ports.relations import RelationStore
from moltnet.ports.storage import UnitOfWork


class RemotePermissions:
    """The port `Permissions` over a `RelationStore`: what is committed counts at once, delivered or not.

    What is pending is looked up before the store is asked. The other way round, a revocation delivered between the two
    questions would be seen by neither.
    """

    live_elsewhere = True

    def __init__(self, store: RelationStore) -> None:
        self._store = store

    async def diary(
        self, work: UnitOfWork, agent: AgentId, diary: DiaryId
    ) -> tuple[Diary | None, Asked[frozenset[Right]]]:
        """The diary, and what the agent may do with it once all that is pending is delivered.

        Whatever is granted or revoked is written into the pair's share in the same transaction, so that is its basis.
        """
        found = await work.diaries.find(diary)
        share = await work.shares.find_for(diary, agent)
        pending = await work.intents.pending_in(diary)
        return found, Asked(fetch=lambda: self._rights(agent, diary, pending), basis=share)

    async def readable(self, work: UnitOfWork, agent: AgentId) -> Asked[dict[DiaryId, frozenset[Relation]]]:
        """Every diary the agent may read once all that is pending is delivered."""
        pending = await work.intents.pending_of(agent)
        return Asked(fetch=lambda: self._readable(agent, pending))

    async def _rights(self, agent: AgentId, diary: DiaryId, pending: Sequence[Intent]) -> frozenset[Right]:
        permitted = await self._store.permitted(Thing.diary(diary), frozenset(Right), agent)
        told = relations_giving(frozenset(right for right in Right if right in permitted))
        return rights_of(relations_after(told, pending, diary, agent))

    async def _readable(self, agent: AgentId, pending: Sequence[Intent]) -> dict[DiaryId, frozenset[Relation]]:
        told: defaultdict[DiaryId, set[Relation]] = defaultdict(set)
        for held in await self._store.list(TuplePattern(namespace=Namespace.DIARY, subject=Thing.agent(agent))):
            told[DiaryId(held.thing.id)].add(Relation(held.relation))
        named = {intent.change.diary_id for intent in pending if intent.change.diary_id}
        related = {each: relations_after(frozenset(told[each]), pending, each, agent) for each in {*told, *named}}
        return {each: relations for each, relations in related.items() if Right.READ in rights_of(relations)}

    async def introduce(self, work: UnitOfWork, agent: AgentId) -> Left:
        """Commits the intent to make a new agent known."""
        return await _left(work, Change(workflow=PermissionWorkflow.INTRODUCE_AGENT, agent_id=agent))

    async def forget_agent(self, work: UnitOfWork, agent: AgentId) -> Left:
        """Commits the intents to remove an agent's relations and those of its own diaries."""
        # In the order of their ids, so that two that do so at once do not wait for each other.
        own = sorted(diary.id for diary in await work.diaries.owned_by(agent))
        forgotten = Change(workflow=PermissionWorkflow.FORGET_AGENT, agent_id=agent)
        return await _left(work, *map(Change.removing, own), forgotten)

    async def grant(self, work: UnitOfWork, diary: DiaryId, relation: Relation, agent: AgentId) -> Left:
        """Commits the intent to give the agent a relation to the diary."""
        return await _left(work, Change.granting(diary, relation, agent))

    async def withdraw(self, work: UnitOfWork, diary: DiaryId, agent: AgentId) -> Left:
        """Commits the intent to take the agent's reader and writer relations away."""
        return await _left(work, Change.removing(diary, agent))

    async def forget_diary(self, work: UnitOfWork, diary: DiaryId) -> Left:
        """Commits the intent to remove every relation of a diary and its entries."""
        return await _left(work, Change.removing(diary))

    async def place_entry(self, work: UnitOfWork, diary: DiaryId, entry: EntryId) -> Left:
        """Commits the intent to make the diary the entry's parent."""
        return await _left(work, Change(workflow=PermissionWorkflow.GRANT_ENTRY_PARENT, diary_id=diary, entry_id=entry))

    async def forget_entry(self, work: UnitOfWork, diary: DiaryId, entry: EntryId) -> Left:
        """Commits the intent to remove every relation of the entry."""
        return await _left(
            work, Change(workflow=PermissionWorkflow.REMOVE_ENTRY_RELATIONS, diary_id=diary, entry_id=entry)
        )


async def _left(work: UnitOfWork, *changes: Change) -> Left:
    return tuple([await work.intents.add(change) for change in changes])
