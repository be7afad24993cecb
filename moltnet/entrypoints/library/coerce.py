"""What a caller without a type checker hands in: texts that name ids, choices and fingerprints are taken as such."""

from collections.abc import Collection
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypeVar, cast
from uuid import UUID

from moltnet.domain.constraints import Integer, Text, check_page
from moltnet.domain.errors import Invalid
from moltnet.domain.ids import parse_uuid
from moltnet.domain.keys import Fingerprint
from moltnet.domain.text import check_texts
from moltnet.entrypoints.schema.declare import Choice as Choices
from moltnet.entrypoints.schema.declare import DateTime, Items, Member, Members, Shape, Uuid, members_of

Id = TypeVar("Id", bound=UUID)
Choice = TypeVar("Choice", bound=StrEnum)
Input = TypeVar("Input")


class NoSuchChoice(Invalid):
    """A text that names none of the things there are to choose from, or no thing at all."""

    code = "NO_SUCH_CHOICE"


class AmbiguousDateTime(Invalid):
    """A time without its zone, or one that UTC cannot tell."""

    code = "MOMENT_UNCLEAR"
    sentence = "A time has a zone, and a year of 1 to 9999 in UTC"


def coerced(value_: Input) -> Input:
    """The input of an operation with its members in their types; raises Invalid for what cannot be taken as such."""
    form: type[Any] = type(value_)
    members = members_of(form).members
    values = {member.attribute: _coerced(member, getattr(value_, member.attribute)) for member in members}
    limits = {member.attribute: member.shape for member in members}.get("limit")
    if isinstance(limits, Integer):
        check_page(values["limit"], values.get("offset", 0), limits.max)
    read: Input = form(**values)
    return read


def _coerced(member: Member, value: Any) -> Any:
    if value is None:
        return None
    if isinstance(member.shape, Items):
        return _items(member.shape, value)
    if member.kind is Fingerprint:
        return fingerprint_of(value)
    return _scalar(member.shape, value)


def _items(shape: Items, values: Collection[Any]) -> Any:
    items = (_scalar(shape.item, each) for each in values)
    return frozenset(items) if isinstance(shape.item, Choices) else tuple(items)


def _scalar(shape: Shape, value: Any) -> Any:
    match shape:
        case Uuid():
            return id_of(value)
        case Choices(options):
            return one_of(cast("type[StrEnum]", options), value)
        case DateTime():
            return coerce_datetime(value)
        case Text():
            check_texts(value)
        case Members():
            return coerced(value)
    return value


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
