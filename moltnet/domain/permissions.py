"""Relations, rights, and the only table from the one to the other (docs/reference/access.md, "Rights")."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType

from moltnet.domain.errors import Forbidden


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
