"""Permissions as relation tuples in the data's own transaction."""

from moltnet.domain.diaries import Diary
from moltnet.domain.ids import AgentId, DiaryId
from moltnet.domain.permissions import Relation, Right, rights_of
from moltnet.ports.storage import UnitOfWork

_WITHDRAWABLE = frozenset(Relation) - {Relation.OWNER}


class NativePermissions:
    """The port `Permissions` over the unit of work's relations: a grant holds as soon as its transaction does."""

    async def diary(self, work: UnitOfWork, agent: AgentId, diary: DiaryId) -> tuple[Diary | None, frozenset[Right]]:
        """The diary, and what the agent may do with it by its relations."""
        found, relations = await work.diaries.find_with_relations(diary, agent)
        return found, rights_of(relations)

    async def readable(self, work: UnitOfWork, agent: AgentId) -> dict[DiaryId, frozenset[Relation]]:
        """Every diary the agent may read by a relation."""
        related = await work.relations.diaries_of(agent)
        return {diary: relations for diary, relations in related.items() if Right.READ in rights_of(relations)}

    async def introduce(self, work: UnitOfWork, agent: AgentId) -> None:
        """Nothing is left to do: a stored agent is its own self, and a tuple could not say more."""

    async def grant(self, work: UnitOfWork, diary: DiaryId, relation: Relation, agent: AgentId) -> None:
        """Gives the agent a relation to the diary."""
        await work.relations.add(diary, relation, agent)

    async def withdraw(self, work: UnitOfWork, diary: DiaryId, agent: AgentId) -> None:
        """Takes the agent's reader and writer relations away."""
        await work.relations.remove(diary, _WITHDRAWABLE, agent)

    async def forget_diary(self, work: UnitOfWork, diary: DiaryId) -> None:
        """Nothing is left to do: `Diaries.remove` takes the diary's relations with it, in the same transaction."""
