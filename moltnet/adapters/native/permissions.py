"""Permissions as relation tuples in the data's own transaction."""

from moltnet.domain.ids import AgentId, DiaryId
from moltnet.domain.permissions import Relation, Right, rights_of
from moltnet.ports.storage import UnitOfWork

_WITHDRAWABLE = frozenset(Relation) - {Relation.OWNER}


class NativePermissions:
    """The port `Permissions` over the unit of work's relations: a grant holds as soon as its transaction does."""

    async def rights(self, work: UnitOfWork, agent: AgentId, diary: DiaryId) -> frozenset[Right]:
        """What the agent may do with the diary by its relations."""
        return rights_of(await work.relations.between(diary, agent))

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
