"""Which members of a domain class leave the process, and how: `view` says so, once for every transport."""

from collections.abc import Iterable
from functools import cached_property
from itertools import chain
from typing import get_type_hints

import attrs

from moltnet.domain.constraints import Integer, Number, Text
from moltnet.entrypoints.schema.declare import (
    VIEWS,
    Constant,
    Items,
    Member,
    Members,
    Nullable,
    Shape,
    camel,
    kind_of,
    member,
    members_of,
    shape_of,
)


@attrs.frozen
class Shown:
    """A member of a view that is not shown by its own name as it is; it may be a property.

    Attributes:
        is_mark: whether it is a truth that is told only where it holds.
        is_optional: whether it is left out where there is nothing to tell: None, or no items.
        is_always: whether it is there even where it is None.
    """

    attribute: str
    alias: str | None = None
    description: str | None = None
    is_mark: bool = attrs.field(default=False, kw_only=True)
    is_optional: bool = attrs.field(default=False, kw_only=True)
    is_always: bool = attrs.field(default=False, kw_only=True)

    def of(self, own: Member) -> Member:
        """The member as it is shown."""
        return attrs.evolve(
            own,
            alias=self.alias or own.alias,
            description=self.description or own.description,
            shape=self._shape(own),
            default=self._default(own),
            is_mark=self.is_mark or self.is_optional,
        )

    def _shape(self, own: Member) -> Shape:
        if self.is_mark:
            return Constant(value=True)
        shape = unbounded(own.shape)
        if self.is_always:
            return shape if isinstance(shape, Nullable) else Nullable(shape)
        return shape.inner if self.is_optional and isinstance(shape, Nullable) else shape

    def _default(self, own: Member) -> object:
        if self.is_always:
            return attrs.NOTHING
        # A member without something to tell is left out; that it has a default otherwise says nothing to who reads.
        return None if self.is_mark or self.is_optional or own.default is None else attrs.NOTHING


@attrs.frozen
class Within:
    """Shows the members of a part of the class as if they were its own: all that the part's view shows."""

    attribute: str


def unbounded(shape: Shape) -> Shape:
    """The shape of what is shown: bounds are of what is taken."""
    match shape:
        case Items(item):
            return Items(unbounded(item))
        case Nullable(inner):
            return Nullable(unbounded(inner))
        case Text() | Integer() | Number():
            return type(shape)()
        case _:
            return shape


def view(form: type, name: str, description: str, *shown: str | Shown | Within) -> None:
    """Says which members of a domain class leave the process, and what the schema of it is called.

    Members that are shown as they are stand in one text, with spaces between them; one with a question mark behind it
    is there even where it is None.

    A class of the domain is not rendered without one: a new field of it is not shown before it is named here.
    Raises TypeError for a member that the class does not have.
    """
    hints = get_type_hints(form, include_extras=True)
    fields = {field.name: field for field in attrs.fields(form)}
    members: list[Member] = []
    for each in chain.from_iterable(map(_named, shown)):
        if isinstance(each, Within):
            part = members_of(kind_of(hints[each.attribute]))  # type: ignore[arg-type]  # a class that has a view
            members += [attrs.evolve(one, attribute=f"{each.attribute}.{one.attribute}") for one in part.members]
            continue
        field = fields.get(each.attribute)
        own = member(field, hints[field.name], form) if field else _property(form, each.attribute)
        members.append(each.of(own))
    VIEWS[form] = Members(form, tuple(members), name, description)


def _named(shown: str | Shown | Within) -> Iterable[Shown | Within]:
    if not isinstance(shown, str):
        return (shown,)
    return (Shown(name.removesuffix("?"), is_always=name.endswith("?")) for name in shown.split())


def _property(form: type, name: str) -> Member:
    """A member that is computed; raises TypeError where there is none of this name."""
    computed = getattr(form, name, None)
    if not isinstance(computed, property | cached_property):
        raise TypeError(f"{form!r} has no {name}")
    getter = computed.fget if isinstance(computed, property) else computed.func
    hint = get_type_hints(getter, include_extras=True)["return"]
    return Member(name, camel(name), shape_of(hint), attrs.NOTHING, kind=kind_of(hint))
