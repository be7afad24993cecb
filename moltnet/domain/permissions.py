"""Relations, rights, and the only table from the one to the other (docs/reference/access.md, "Rights").

And relation tuples as a foreign permission store holds them.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import TypeAlias
from uuid import UUID

import attrs

from moltnet.domain.errors import Forbidden
from moltnet.domain.ids import AgentId, DiaryId, EntryId


class Relation(StrEnum):
    """What an agent is to a diary."""

    OWNER = "owner"
    WRITERS = "writers"
    READERS = "readers"


class Right(StrEnum):
    """What may be done with a diary. An entry has no relations of its own but its diary (`parent`)."""

    READ = "read"
    WRITE = "write"
    MANAGE = "manage"


class EntryRight(StrEnum):
    """What may be done with an entry."""

    VIEW = "view"
    EDIT = "edit"
    DELETE = "delete"


RIGHTS: Mapping[Relation, frozenset[Right]] = MappingProxyType(
    {
        Relation.OWNER: frozenset(Right),
        Relation.WRITERS: frozenset({Right.READ, Right.WRITE}),
        Relation.READERS: frozenset({Right.READ}),
    }
)

ENTRY_RIGHTS: Mapping[EntryRight, Right] = MappingProxyType(
    {EntryRight.VIEW: Right.READ, EntryRight.EDIT: Right.WRITE, EntryRight.DELETE: Right.WRITE}
)

# What is taken away when a share is revoked: an owner stays one.
WITHDRAWABLE = frozenset(Relation) - {Relation.OWNER}


class InsufficientPermissions(Forbidden):
    """The caller can see the thing but has no right to this act."""

    code = "INSUFFICIENT_PERMISSIONS"
    sentence = "Insufficient permissions"


def rights_of(relations: Iterable[Relation]) -> frozenset[Right]:
    """The rights that relations to a diary give."""
    return frozenset().union(*(RIGHTS[relation] for relation in relations))


class Namespace(StrEnum):
    """What kind of thing a tuple is about."""

    AGENT = "Agent"
    DIARY = "Diary"
    DIARY_ENTRY = "DiaryEntry"


class Link(StrEnum):
    """Relations that give no right of their own: an agent to itself, an entry to its diary."""

    SELF = "self"
    PARENT = "parent"


TupleRelation: TypeAlias = Relation | Link
Permit: TypeAlias = Right | EntryRight


@attrs.frozen
class Thing:
    """An object or a subject: `Diary:<id>`."""

    namespace: Namespace
    id: UUID

    @classmethod
    def agent(cls, agent_id: AgentId) -> "Thing":
        """`Agent:<id>`; as a subject a store may know it by the bare id (Keto's `subject_id`)."""
        return cls(Namespace.AGENT, agent_id)

    @classmethod
    def diary(cls, diary_id: DiaryId) -> "Thing":
        """`Diary:<id>`; as a subject it stands without a relation (Keto's `subject_set` with relation `""`)."""
        return cls(Namespace.DIARY, diary_id)

    @classmethod
    def entry(cls, entry_id: EntryId) -> "Thing":
        """`DiaryEntry:<id>`."""
        return cls(Namespace.DIARY_ENTRY, entry_id)


@attrs.frozen
class RelationTuple:
    """`thing#relation@subject`."""

    thing: Thing
    relation: TupleRelation
    subject: Thing


@attrs.frozen(kw_only=True)
class TuplePattern:
    """Tuples of one namespace that have all the parts named; None stands for any."""

    namespace: Namespace
    id: UUID | None = None
    relation: TupleRelation | None = None
    subject: Thing | None = None

    @classmethod
    def matching(cls, thing: Thing) -> "TuplePattern":
        """Every tuple of one thing."""
        return cls(namespace=thing.namespace, id=thing.id)

    def matches(self, relation_tuple: RelationTuple) -> bool:
        """Whether a tuple has all the parts named."""
        return (
            relation_tuple.thing.namespace is self.namespace
            and self.id in (None, relation_tuple.thing.id)
            and self.relation in (None, relation_tuple.relation)
            and self.subject in (None, relation_tuple.subject)
        )
