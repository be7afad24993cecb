"""Examples of wire forms, from the same shapes that validate and document them, and from samples of their members."""

from collections.abc import Mapping
from uuid import NAMESPACE_URL, uuid5

import attrs

from moltnet.domain.constraints import Integer, Number
from moltnet.entrypoints.schema.convert import json_value
from moltnet.entrypoints.schema.declare import (
    Anything,
    Boolean,
    Choice,
    Constant,
    DateTime,
    Items,
    Member,
    Members,
    Nullable,
    Shape,
    Uuid,
)

DATE_TIME = "2026-01-30T10:00:00.123Z"


@attrs.frozen
class Examples:
    """Makes examples, the same each time.

    Attributes:
        samples: JSON values by `Form`, else by `Form.member`, else by `member`, as members are called on the wire. A
            member that may be left out, and means nothing then, is in an example only if it has a sample.
    """

    samples: Mapping[str, object]

    def of(self, shape: Shape, name: str = "") -> object:
        """A value of this shape, for a member of this name."""
        match shape:
            case Members(name=form) if form in self.samples:
                return self.samples[form]
            case Members(members=members, name=form):
                return {member.alias: self.of_member(form, member) for member in members if self.shows(form, member)}
            case Items(item):
                return [self.of(item, name)]
            case Nullable(inner):
                return self.of(inner, name)
            case _:
                return self.samples.get(name, _scalar(shape, name))

    def shows(self, form: str, member: Member) -> bool:
        """Whether a member is in an example of the form of this name."""
        return member.default not in _NOTHING or self._key(form, member) is not None

    def of_member(self, form: str, member: Member) -> object:
        """A value of a member of a form: its sample, its default, else what its shape makes of its name."""
        key = self._key(form, member)
        if key:
            return self.samples[key]
        if member.required or member.default in _NOTHING:
            return self.of(member.shape, member.alias)
        return json_value(member.default)

    def _key(self, form: str, member: Member) -> str | None:
        keys = (f"{form}.{member.alias}", member.alias)
        return next((key for key in keys if key in self.samples), None)


def _scalar(shape: Shape, name: str) -> object:
    match shape:
        case Constant(value):
            return value
        case Choice(options):
            return next(iter(options)).value
        case Integer(lowest) | Number(lowest):
            return lowest or 0
        case Uuid():
            return str(uuid5(NAMESPACE_URL, name))
        case _:
            return _UNBOUNDED.get(type(shape), "text")


# Defaults that a request leaves out.
_NOTHING: tuple[object, ...] = (None, (), frozenset())
_UNBOUNDED: dict[type, object] = {Boolean: False, DateTime: DATE_TIME, Anything: {}}
