"""Permissions that live elsewhere: tuples of a foreign store, and what was committed here and is on its way there."""

from collections import defaultdict
from collections.abc import Sequence

from moltnet.domain.diaries import Diary
from moltnet.domain.entries import Entry
from moltnet.domain.ids import AgentId, DiaryId, EntryId
from moltnet.domain.outbox import Change, OutboxMessage, PermissionWorkflow, relations_after, relations_giving
from moltnet.domain.permissions import Namespace, Relation, Right, Thing, TuplePattern, rights_of
from moltnet.ports.permissions import Asked, Pending, RelationStore
from moltnet.ports.storage import UnitOfWork


class ExternalPermissions:
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
        return await work.diaries.find(diary), await self._asked(work, agent, diary)

    async def entry(
        self, work: UnitOfWork, agent: AgentId, diary: DiaryId, entry: EntryId
    ) -> tuple[Diary | None, Entry | None, Asked[frozenset[Right]]]:
        """The same with an entry of the diary."""
        found, in_diary, _ = await work.entries.find_with_relations(diary, entry, agent)
        return in_diary, found, await self._asked(work, agent, diary)

    async def readable(self, work: UnitOfWork, agent: AgentId) -> Asked[dict[DiaryId, frozenset[Relation]]]:
        """Every diary the agent may read once all that is pending is delivered.

        What an agent does not own it may read by an accepted share; what it owns can only be deleted.
        """
        shares = await work.shares.accepted_by(agent)
        pending = await work.outbox.pending_of(agent)
        return Asked(fetch=lambda: self._readable(agent, pending), basis=shares)

    async def _asked(self, work: UnitOfWork, agent: AgentId, diary: DiaryId) -> Asked[frozenset[Right]]:
        share = await work.shares.find_for(diary, agent)
        pending = await work.outbox.pending_in(diary)
        return Asked(fetch=lambda: self._rights(agent, diary, pending), basis=(diary, share))

    async def _rights(self, agent: AgentId, diary: DiaryId, pending: Sequence[OutboxMessage]) -> frozenset[Right]:
        permitted = await self._store.permitted(Thing.diary(diary), frozenset(Right), agent)
        stored = relations_giving(frozenset(right for right in Right if right in permitted))
        return rights_of(relations_after(stored, pending, diary, agent))

    async def _readable(self, agent: AgentId, pending: Sequence[OutboxMessage]) -> dict[DiaryId, frozenset[Relation]]:
        stored: defaultdict[DiaryId, set[Relation]] = defaultdict(set)
        for relation_tuple in await self._store.list(
            TuplePattern(namespace=Namespace.DIARY, subject=Thing.agent(agent))
        ):
            stored[DiaryId(relation_tuple.thing.id)].add(Relation(relation_tuple.relation))
        named = {message.change.diary_id for message in pending if message.change.diary_id}
        related = {each: relations_after(frozenset(stored[each]), pending, each, agent) for each in {*stored, *named}}
        return {each: relations for each, relations in related.items() if Right.READ in rights_of(relations)}

    async def introduce(self, work: UnitOfWork, agent: AgentId) -> Pending:
        return await _enqueue(work, Change(workflow=PermissionWorkflow.INTRODUCE_AGENT, agent_id=agent))

    async def forget_agent(self, work: UnitOfWork, agent: AgentId) -> Pending:
        # In the order of their ids, so that two that do so at once do not wait for each other.
        owned = sorted(diary.id for diary in await work.diaries.owned_by(agent))
        forgotten = Change(workflow=PermissionWorkflow.FORGET_AGENT, agent_id=agent)
        return await _enqueue(work, *map(Change.removing, owned), forgotten)

    async def grant(self, work: UnitOfWork, diary: DiaryId, relation: Relation, agent: AgentId) -> Pending:
        return await _enqueue(work, Change.granting(diary, relation, agent))

    async def withdraw(self, work: UnitOfWork, diary: DiaryId, agent: AgentId) -> Pending:
        return await _enqueue(work, Change.removing(diary, agent))

    async def forget_diary(self, work: UnitOfWork, diary: DiaryId) -> Pending:
        return await _enqueue(work, Change.removing(diary))

    async def relate_entry(self, work: UnitOfWork, diary: DiaryId, entry: EntryId) -> Pending:
        return await _enqueue(
            work, Change(workflow=PermissionWorkflow.GRANT_ENTRY_PARENT, diary_id=diary, entry_id=entry)
        )

    async def forget_entry(self, work: UnitOfWork, diary: DiaryId, entry: EntryId) -> Pending:
        return await _enqueue(
            work, Change(workflow=PermissionWorkflow.REMOVE_ENTRY_RELATIONS, diary_id=diary, entry_id=entry)
        )


async def _enqueue(work: UnitOfWork, *changes: Change) -> Pending:
    return tuple([await work.outbox.add(change) for change in changes])
