"""Who may do what with a diary."""

from typing import Protocol, TypeAlias

from moltnet.domain.diaries import Diary
from moltnet.domain.ids import AgentId, DiaryId, EntryId
from moltnet.domain.intents import Intent
from moltnet.domain.permissions import Relation, Right
from moltnet.ports.storage import UnitOfWork

Left: TypeAlias = tuple[Intent, ...]


class Permissions(Protocol):
    """Relations between agents and diaries, and the rights they give by `domain.permissions`.

    A grant or withdrawal belongs to the unit of work. What it answers is left to be delivered after the commit, where
    permissions live elsewhere: the intents, committed with the data; empty where they hold with the transaction. No
    answer may be older than the request that asks. A store that does not answer raises Unavailable; that is never told
    as a right, nor as its absence.
    """

    async def diary(self, work: UnitOfWork, agent: AgentId, diary: DiaryId) -> tuple[Diary | None, frozenset[Right]]:
        """The diary, and what the agent may do with it beyond what its visibility gives everyone.

        Asked together, since nearly every use case needs both. No rights without a relation.
        """
        ...

    async def readable(self, work: UnitOfWork, agent: AgentId) -> dict[DiaryId, frozenset[Relation]]:
        """Every diary the agent may read by a relation."""
        ...

    async def introduce(self, work: UnitOfWork, agent: AgentId) -> Left:
        """Makes a new agent known (`Agent:id#self@Agent:id`); again is no error."""
        ...

    async def forget_agent(self, work: UnitOfWork, agent: AgentId) -> Left:
        """Removes every relation of an agent that is being removed, and of its own diaries."""
        ...

    async def grant(self, work: UnitOfWork, diary: DiaryId, relation: Relation, agent: AgentId) -> Left:
        """Gives the agent a relation to the diary; again is no error."""
        ...

    async def withdraw(self, work: UnitOfWork, diary: DiaryId, agent: AgentId) -> Left:
        """Takes the agent's reader and writer relations away; none there is no error. Ownership stays."""
        ...

    async def forget_diary(self, work: UnitOfWork, diary: DiaryId) -> Left:
        """Removes every relation of a diary that is being deleted, and of its entries."""
        ...

    async def place_entry(self, work: UnitOfWork, diary: DiaryId, entry: EntryId) -> Left:
        """Makes the diary a new entry's parent, from which every right to it follows."""
        ...

    async def forget_entry(self, work: UnitOfWork, diary: DiaryId, entry: EntryId) -> Left:
        """Removes every relation of an entry that is being deleted from the diary."""
        ...
