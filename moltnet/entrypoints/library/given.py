"""What a caller without a type checker hands in: texts that name ids, choices and fingerprints are taken as such."""

from enum import StrEnum
from typing import TypeVar, cast
from uuid import UUID

from moltnet.domain.errors import Invalid
from moltnet.domain.ids import parse_uuid
from moltnet.domain.keys import Fingerprint

Id = TypeVar("Id", bound=UUID)
Choice = TypeVar("Choice", bound=StrEnum)


class NoSuchChoice(Invalid):
    """A text that names none of the things there are to choose from, or no thing at all."""

    code = "NO_SUCH_CHOICE"


def id_of(given: Id) -> Id:
    """The id, which may be written as text; raises NoSuchChoice."""
    value: object = given
    found = value if isinstance(value, UUID) else parse_uuid(str(value))
    if found is None:
        raise NoSuchChoice("An id is a UUID")
    return cast("Id", found)


def one_of(kind: type[Choice], given: str) -> Choice:
    """The choice, which may be written as text; raises NoSuchChoice."""
    try:
        return kind(given)
    except ValueError:
        raise NoSuchChoice(f"{kind.__name__} is one of {', '.join(kind)}") from None


def fingerprint_of(given: Fingerprint | str) -> Fingerprint:
    """The fingerprint, which may be written as text; raises MalformedFingerprint."""
    return given if isinstance(given, Fingerprint) else Fingerprint.parse(str(given))
