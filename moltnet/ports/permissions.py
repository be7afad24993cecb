"""Who may do what with a diary, and the store of relation tuples where that lives elsewhere."""

from collections.abc import Awaitable, Callable, Collection
from typing import Generic, Protocol, TypeAlias, TypeVar

import attrs

from moltnet.domain.diaries import Diary
from moltnet.domain.entries import Entry
from moltnet.domain.ids import AgentId, DiaryId, EntryId
from moltnet.domain.outbox import OutboxMessage
from moltnet.domain.permissions import Permit, Relation, RelationTuple, Right, Thing, TuplePattern
from moltnet.ports.storage import UnitOfWork

Pending: TypeAlias = tuple[OutboxMessage, ...]
Answer = TypeVar("Answer")


@attrs.frozen
class Asked(Generic[Answer]):
    """What a unit of work knows of an answer: all of it, or what it takes to ask another service for it.

    `fetch` asks that service, and is called when no unit of work is open. `basis` is what was committed here that the
    answer rests on: as long as it is the same, so is the answer.
    """

    value: Answer | None = None
    fetch: Callable[[], Awaitable[Answer]] | None = None
    basis: object = None

    async def answer(self) -> Answer:
        """The answer, asked for if need be; raises Unavailable."""
        if self.value is not None:
            return self.value
        if self.fetch is None:
            raise ValueError("a question has an answer, or a way to one")
        return await self.fetch()

    async def answered(self) -> "Asked[Answer]":
        """The same with its answer; raises Unavailable."""
        return attrs.evolve(self, value=await self.answer())

    def value_since(self, before: "Asked[Answer] | None") -> Answer | None:
        """The answer if it is known, or was before and rests on the same; None when it is to be asked for."""
        if self.value is not None or before is None or before.basis != self.basis:
            return self.value
        return before.value


class Permissions(Protocol):
    """Relations between agents and diaries, and the rights they give by `domain.permissions`.

    A grant or withdrawal belongs to the unit of work. What it answers is left to be delivered after the commit, where
    permissions live elsewhere: the outbox messages, committed with the data; empty where they hold with the
    transaction. No answer may be older than the request that asks. A store that does not answer raises Unavailable;
    that is never reported as a right, nor as its absence. A unit of work is never held while a store elsewhere is
    asked: such an answer is waited for (`Asked`) when the unit is closed,
    and is good in a later one that finds its basis unchanged.
    """

    @property
    def live_elsewhere(self) -> bool:
        """Whether another service is asked."""

    async def diary(
        self, work: UnitOfWork, agent: AgentId, diary: DiaryId
    ) -> tuple[Diary | None, Asked[frozenset[Right]]]:
        """The diary, and what the agent may do with it beyond what its visibility gives everyone.

        Asked together, since nearly every use case needs both. No rights without a relation. Where the answer comes
        from elsewhere, its basis changes with every invitation, answer and revocation of the agent to this diary.
        """

    async def entry(
        self, work: UnitOfWork, agent: AgentId, diary: DiaryId, entry: EntryId
    ) -> tuple[Diary | None, Entry | None, Asked[frozenset[Right]]]:
        """The same with an entry of the diary. Where permissions are stored with the data, it is one statement."""
        ...

    async def readable(self, work: UnitOfWork, agent: AgentId) -> Asked[dict[DiaryId, frozenset[Relation]]]:
        """Every diary the agent may read by a relation.

        Where the answer comes from elsewhere, its basis changes with every right that is taken from the agent.
        """

    async def introduce(self, work: UnitOfWork, agent: AgentId) -> Pending:
        """Makes a new agent known (`Agent:id#self@Agent:id`); repeating it is not an error."""

    async def forget_agent(self, work: UnitOfWork, agent: AgentId) -> Pending:
        """Removes every relation of an agent that is being removed, and of its own diaries."""

    async def grant(self, work: UnitOfWork, diary: DiaryId, relation: Relation, agent: AgentId) -> Pending:
        """Gives the agent a relation to the diary; repeating it is not an error."""

    async def withdraw(self, work: UnitOfWork, diary: DiaryId, agent: AgentId) -> Pending:
        """Takes the agent's reader and writer relations away; a missing one is not an error. Ownership stays."""

    async def forget_diary(self, work: UnitOfWork, diary: DiaryId) -> Pending:
        """Removes every relation of a diary that is being deleted, and of its entries."""

    async def relate_entry(self, work: UnitOfWork, diary: DiaryId, entry: EntryId) -> Pending:
        """Makes the diary a new entry's parent, from which every right to it follows."""

    async def forget_entry(self, work: UnitOfWork, diary: DiaryId, entry: EntryId) -> Pending:
        """Removes every relation of an entry that is being deleted from the diary."""


class RelationStore(Protocol):
    """Tuples in namespaces `Agent`, `Diary` and `DiaryEntry` (docs/reference/access.md, "Rights").

    Every call is safe to repeat: a step that crashed between its effect and the memory of it is run again. A call that
    returned is in force for every later one; a store that settles late waits until it is, within a bound of its own.
    Any call raises Unavailable when the store does not answer, or not in that time; then it may have had its effect.
    An outage is never reported as an answer: not as a missing permit, nor as an empty list.
    """

    async def write(self, relation_tuple: RelationTuple) -> None:
        """Stores a tuple; repeating it is not an error, and one `delete` takes it away all the same."""

    async def delete(self, pattern: TuplePattern) -> None:
        """Removes every tuple that matches; a missing one is not an error."""

    async def permitted(self, thing: Thing, permits: Collection[Permit], agent: AgentId) -> frozenset[Permit]:
        """Which of the permits the agent has on a diary (`Right`) or an entry (`EntryRight`); unknown things give none.

        A permit follows from the tuples by these rules: `read` = owner, writers or readers; `write` = owner or
        writers; `manage` = owner; `view` = the parent's `read`; `edit` and `delete` = the parent's `write`.
        """

    async def list(self, pattern: TuplePattern) -> list[RelationTuple]:
        """Every tuple that matches, each once, in no order."""
