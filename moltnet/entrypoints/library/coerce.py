"""What a caller without a type checker hands in: texts that name ids, choices and fingerprints are taken as such."""

from datetime import UTC, datetime
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


class AmbiguousDateTime(Invalid):
    """A time without its zone, or one that UTC cannot tell."""

    code = "MOMENT_UNCLEAR"
    sentence = "A time has a zone, and a year of 1 to 9999 in UTC"


def id_of(value_: Id) -> Id:
    """The id, which may be written as text; raises NoSuchChoice."""
    value: object = value_
    parsed = value if isinstance(value, UUID) else parse_uuid(str(value))
    if parsed is None:
        raise NoSuchChoice("An id is a UUID")
    return cast("Id", parsed)


def one_of(kind: type[Choice], value_: str) -> Choice:
    """The choice, which may be written as text; raises NoSuchChoice."""
    try:
        return kind(value_)
    except ValueError:
        raise NoSuchChoice(f"{kind.__name__} is one of {', '.join(kind)}") from None


def coerce_datetime(value_: datetime | None) -> datetime | None:
    """The time in UTC, if there is one; raises AmbiguousDateTime."""
    if value_ is None:
        return None
    if not isinstance(value_, datetime) or value_.tzinfo is None:
        raise AmbiguousDateTime
    try:
        return value_.astimezone(UTC)
    except OverflowError:
        raise AmbiguousDateTime from None


def fingerprint_of(value_: Fingerprint | str) -> Fingerprint:
    """The fingerprint, which may be written as text; raises MalformedFingerprint."""
    return value_ if isinstance(value_, Fingerprint) else Fingerprint.parse(str(value_))
