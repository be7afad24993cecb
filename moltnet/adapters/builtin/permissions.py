"""Permissions as relation tuples in the data's own transaction."""
# ruff: noqa: ARG002  # where a relation holds with the transaction, there is little to do with the arguments

from moltnet.domain.diaries import Diary
from moltnet.domain.entries import Entry
from moltnet.domain.ids import AgentId, DiaryId, EntryId
from moltnet.domain.permissions import WITHDRAWABLE, Relation, Right, rights_of
from moltnet.ports.permissions import Asked, Pending
from moltnet.ports.storage import UnitOfWork


class BuiltinPermissions:
    """The port `Permissions` over the unit of work's relations: a grant holds as soon as its transaction does."""

    live_elsewhere = False

    async def diary(
        self, work: UnitOfWork, agent: AgentId, diary: DiaryId
    ) -> tuple[Diary | None, Asked[frozenset[Right]]]:
        found, relations = await work.diaries.find_with_relations(diary, agent)
        return found, Asked(rights_of(relations))

    async def entry(
        self, work: UnitOfWork, agent: AgentId, diary: DiaryId, entry: EntryId
    ) -> tuple[Diary | None, Entry | None, Asked[frozenset[Right]]]:
        """The same with an entry of the diary, in one statement."""
        found, in_diary, relations = await work.entries.find_with_relations(diary, entry, agent)
        return in_diary, found, Asked(rights_of(relations))

    async def readable(self, work: UnitOfWork, agent: AgentId) -> Asked[dict[DiaryId, frozenset[Relation]]]:
        related = await work.relations.diaries_of(agent)
        return Asked({diary: relations for diary, relations in related.items() if Right.READ in rights_of(relations)})

    async def introduce(self, work: UnitOfWork, agent: AgentId) -> Pending:
        """Nothing is left to do: a stored agent is its own self, and a tuple could not say more."""
        return ()

    async def forget_agent(self, work: UnitOfWork, agent: AgentId) -> Pending:
        """Nothing is left to do: `Agents.remove` takes its relations with it, in the same transaction."""
        return ()

    async def grant(self, work: UnitOfWork, diary: DiaryId, relation: Relation, agent: AgentId) -> Pending:
        await work.relations.add(diary, relation, agent)
        return ()

    async def withdraw(self, work: UnitOfWork, diary: DiaryId, agent: AgentId) -> Pending:
        await work.relations.remove(diary, WITHDRAWABLE, agent)
        return ()

    async def forget_diary(self, work: UnitOfWork, diary: DiaryId) -> Pending:
        """Nothing is left to do: `Diaries.remove` takes the diary's relations with it, in the same transaction."""
        return ()

    async def relate_entry(self, work: UnitOfWork, diary: DiaryId, entry: EntryId) -> Pending:
        return ()

    async def forget_entry(self, work: UnitOfWork, diary: DiaryId, entry: EntryId) -> Pending:
        """Nothing is left to do: an entry has no relation but its diary."""
        return ()
