"""What is to become of relations elsewhere: committed with the data it follows from, and delivered afterwards."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType
from uuid import UUID

import attrs

from moltnet.domain.errors import Unavailable
from moltnet.domain.ids import AgentId, DiaryId, EntryId
from moltnet.domain.permissions import (
    RIGHTS,
    WITHDRAWABLE,
    Link,
    Namespace,
    Relation,
    RelationTuple,
    Right,
    Thing,
    TuplePattern,
)


class PermissionWorkflow(StrEnum):
    """The workflow that delivers a change (docs/reference/data.md, "Workflows")."""

    GRANT_DIARY_OWNER = "grantDiaryOwner"
    GRANT_DIARY_WRITER = "grantDiaryWriter"
    GRANT_DIARY_READER = "grantDiaryReader"
    REMOVE_DIARY_RELATIONS = "removeDiaryRelations"
    GRANT_ENTRY_PARENT = "grantEntryParent"
    REMOVE_ENTRY_RELATIONS = "removeEntryRelations"
    INTRODUCE_AGENT = "introduceAgent"
    FORGET_AGENT = "forgetAgent"


GRANTS: Mapping[Relation, PermissionWorkflow] = MappingProxyType(
    {
        Relation.OWNER: PermissionWorkflow.GRANT_DIARY_OWNER,
        Relation.WRITERS: PermissionWorkflow.GRANT_DIARY_WRITER,
        Relation.READERS: PermissionWorkflow.GRANT_DIARY_READER,
    }
)
_GRANTED: Mapping[PermissionWorkflow, Relation] = MappingProxyType(
    {name: relation for relation, name in GRANTS.items()}
)


class RelationsPending(Unavailable):
    """What was committed does not hold in the permission store yet; it is delivered later."""

    code = "RELATIONS_PENDING"
    sentence = "The permission store does not answer; the change is stored and takes effect once it answers"


@attrs.frozen(kw_only=True)
class Change:
    """A change of relations. A diary's changes, its entries' among them, keep their order; so do an agent's own.

    `removeDiaryRelations` with an agent takes its reader and writer relations; without one, all, and entries' links.
    """

    workflow: PermissionWorkflow
    diary_id: DiaryId | None = None
    entry_id: EntryId | None = None
    agent_id: AgentId | None = None

    @classmethod
    def granting(cls, diary_id: DiaryId, relation: Relation, agent_id: AgentId) -> "Change":
        """The agent gets a relation to the diary."""
        return cls(workflow=GRANTS[relation], diary_id=diary_id, agent_id=agent_id)

    @classmethod
    def removing(cls, diary_id: DiaryId, agent_id: AgentId | None = None) -> "Change":
        """The agent loses what a share gave it; without an agent, the diary is gone."""
        return cls(workflow=PermissionWorkflow.REMOVE_DIARY_RELATIONS, diary_id=diary_id, agent_id=agent_id)

    @property
    def partition_key(self) -> UUID:
        """The diary, or the agent where there is none: changes of one partition are delivered one after the other."""
        partition_key = self.diary_id or self.agent_id
        if partition_key is None:
            raise ValueError("a change is about a diary or an agent")
        return partition_key

    @property
    def written(self) -> RelationTuple | None:
        """The tuple that it makes."""
        if self.diary_id and self.agent_id and self.workflow in _GRANTED:
            relation = _GRANTED[self.workflow]
            return RelationTuple(Thing.diary(self.diary_id), relation, Thing.agent(self.agent_id))
        if self.workflow is PermissionWorkflow.GRANT_ENTRY_PARENT and self.diary_id and self.entry_id:
            return RelationTuple(Thing.entry(self.entry_id), Link.PARENT, Thing.diary(self.diary_id))
        if self.workflow is PermissionWorkflow.INTRODUCE_AGENT and self.agent_id:
            return RelationTuple(Thing.agent(self.agent_id), Link.SELF, Thing.agent(self.agent_id))
        return None

    @property
    def removed(self) -> tuple[TuplePattern, ...]:
        """The tuples that it takes away."""
        if self.workflow is PermissionWorkflow.REMOVE_ENTRY_RELATIONS and self.entry_id:
            return (TuplePattern.matching(Thing.entry(self.entry_id)),)
        if self.workflow is PermissionWorkflow.FORGET_AGENT and self.agent_id:
            return (TuplePattern.matching(Thing.agent(self.agent_id)),)
        if self.workflow is not PermissionWorkflow.REMOVE_DIARY_RELATIONS or self.diary_id is None:
            return ()
        diary = Thing.diary(self.diary_id)
        if self.agent_id is None:
            links = TuplePattern(namespace=Namespace.DIARY_ENTRY, relation=Link.PARENT, subject=diary)
            return TuplePattern.matching(diary), links
        matching, subject = TuplePattern.matching(diary), Thing.agent(self.agent_id)
        return tuple(attrs.evolve(matching, relation=each, subject=subject) for each in sorted(WITHDRAWABLE))

    def after(self, relations: frozenset[Relation], diary_id: DiaryId, agent_id: AgentId) -> frozenset[Relation]:
        """What the agent is to the diary after this change."""
        if self.diary_id != diary_id or self.agent_id not in {None, agent_id}:
            return relations
        if self.workflow in _GRANTED:
            return relations | {_GRANTED[self.workflow]}
        if self.workflow is PermissionWorkflow.REMOVE_DIARY_RELATIONS:
            return relations - WITHDRAWABLE if self.agent_id else frozenset()
        return relations


@attrs.frozen
class OutboxMessage:
    """A committed change that may not be delivered yet; within a partition, numbers are in the order of the commits."""

    number: int
    change: Change

    @property
    def workflow_id(self) -> str:
        """By which every process starts the same workflow for it."""
        return f"{self.change.workflow}-{self.number}"


def relations_after(
    relations: frozenset[Relation], pending: Iterable[OutboxMessage], diary_id: DiaryId, agent_id: AgentId
) -> frozenset[Relation]:
    """What the agent is to the diary once pending messages are delivered, in their order.

    `relations` is what the store elsewhere answered.
    """
    for message in pending:
        relations = message.change.after(relations, diary_id, agent_id)
    return relations


def relations_giving(rights: frozenset[Right]) -> frozenset[Relation]:
    """The relations that rights may have come from: each that gives no more than them."""
    return frozenset(relation for relation in Relation if RIGHTS[relation] <= rights)
