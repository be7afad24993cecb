"""What a wire form may hold: the constraints written beside attrs fields, and the shapes read from them.

A form is a frozen attrs class; its attributes are snake_case here and camelCase on the wire. Constraints stand in
`typing.Annotated`. Validation, conversion and the OpenAPI document are all made from the shapes of this module.

    @attrs.frozen(kw_only=True)
    class CreateDiary:
        name: Annotated[str, Text(1, 255)]
        visibility: Visibility = Visibility.PRIVATE

A member with a default is optional in a request. `X | None` with default None is an optional member: absent, never
null. `X | None` without a default is nullable: always there, null when there is nothing to tell.
"""

import types
from collections.abc import Iterator
from datetime import datetime
from enum import Enum
from typing import Annotated, Any, Literal, NewType, TypeVar, Union, get_args, get_origin, get_type_hints
from uuid import UUID

import attrs

# What a JSON number holds exactly everywhere (RFC 8259 §6), and a bigint column with room to spare.
LARGEST_INTEGER = 2**53 - 1


@attrs.frozen
class Text:
    """Text of `min` to `max` code points; `pattern` is an expression from `^` to `$` that JavaScript reads alike."""

    min: int = 0
    max: int | None = None
    pattern: str | None = attrs.field(default=None)

    @pattern.validator
    def _anchored(self, _: object, pattern: str | None) -> None:
        if pattern is not None and not (pattern.startswith("^") and pattern.endswith("$")):
            raise TypeError(f"a pattern stands between ^ and $: {pattern}")


@attrs.frozen
class Integer:
    """A number without a fraction, within bounds."""

    min: int | None = None
    max: int = LARGEST_INTEGER


@attrs.frozen
class Number:
    """Any finite number, within bounds."""

    min: float | None = None
    max: float | None = None


@attrs.frozen
class ItemCount:
    """How many items a list holds."""

    min: int = 0
    max: int | None = None


@attrs.frozen
class Alias:
    """The member's name on the wire, where it is not the camelCase of the attribute."""

    name: str


@attrs.frozen
class Description:
    """What a member means, for the OpenAPI document."""

    text: str


@attrs.frozen
class Boolean:
    """True or false."""


@attrs.frozen
class Uuid:
    """A UUID; in a request in any case and with an optional `urn:uuid:` before it."""


@attrs.frozen
class DateTime:
    """A point in time; in a request with its offset from UTC (RFC 3339 §5.6)."""


@attrs.frozen
class Choice:
    """One of the values of a StrEnum."""

    options: type[Enum]


@attrs.frozen
class Constant:
    """Exactly this value."""

    value: str | int | bool


@attrs.frozen
class Anything:
    """Whatever JSON can say."""


@attrs.frozen
class Nullable:
    """A shape, or null."""

    inner: "Shape"


@attrs.frozen
class Items:
    """A list."""

    item: "Shape"
    count: ItemCount = ItemCount()


@attrs.frozen
class Member:
    """One member of a form: its attribute here, its name on the wire, and what it may hold.

    `default` is `attrs.NOTHING` where there is none.
    """

    attribute: str
    alias: str
    shape: "Shape"
    default: object
    description: str | None = None

    @property
    def required(self) -> bool:
        """Whether a request must have it."""
        return self.default is attrs.NOTHING

    @property
    def may_be_absent(self) -> bool:
        """Whether an answer may go without it."""
        return self.default is None


@attrs.frozen
class Members:
    """An object: the members of a form, in their order on the wire."""

    form: type
    members: tuple[Member, ...]


Shape = Text | Integer | Number | Boolean | Uuid | DateTime | Choice | Constant | Anything | Nullable | Items | Members

_PLAIN: dict[object, Shape] = {
    str: Text(),
    int: Integer(),
    float: Number(),
    bool: Boolean(),
    UUID: Uuid(),
    datetime: DateTime(),
    object: Anything(),
}


def members_of(form: type) -> Members:
    """The shape of a form; raises TypeError for a class that is none, or a member no shape is known for."""
    if not attrs.has(form):
        raise TypeError(f"{form!r} is no attrs class")
    hints = get_type_hints(form, include_extras=True)
    return Members(form, tuple(_member(field, hints[field.name]) for field in attrs.fields(form)))


def shape_of(hint: Any) -> Shape:
    """The shape of a type expression; raises TypeError when there is none."""
    hint = hint.__supertype__ if isinstance(hint, NewType) else hint
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _constrained(shape_of(arguments[0]), arguments[1:])
    if origin in {Union, types.UnionType}:
        return _nullable(arguments)
    if origin is Literal and len(arguments) == 1:
        return Constant(arguments[0])
    if origin in {list, tuple}:
        return Items(shape_of(arguments[0]))
    return _PLAIN[hint] if hint in _PLAIN else _class_shape(hint)


def _member(field: "attrs.Attribute[object]", hint: object) -> Member:
    marks = tuple(_marks(hint))
    shape, default = shape_of(hint), field.default
    # An optional member is absent, never null, so its shape is that of the value alone.
    if default is None and isinstance(shape, Nullable):
        shape = shape.inner
    return Member(
        attribute=field.name,
        alias=next((mark.name for mark in marks if isinstance(mark, Alias)), _camel(field.name)),
        shape=shape,
        default=default,
        description=next((mark.text for mark in marks if isinstance(mark, Description)), None),
    )


def _marks(hint: object) -> Iterator[object]:
    if get_origin(hint) is Annotated:
        yield from get_args(hint)[1:]
    elif get_origin(hint) in {Union, types.UnionType}:
        for each in get_args(hint):
            yield from _marks(each)


def _constrained(shape: Shape, marks: tuple[object, ...]) -> Shape:
    for mark in marks:
        if isinstance(mark, ItemCount) and isinstance(shape, Items):
            shape = Items(shape.item, mark)
        elif isinstance(mark, Text | Integer | Number) and type(mark) is type(shape):
            shape = mark
        elif not isinstance(mark, Alias | Description):
            raise TypeError(f"{mark!r} does not go with {shape!r}")
    return shape


def _nullable(options: tuple[object, ...]) -> Shape:
    present = [option for option in options if option is not types.NoneType]
    if len(present) != 1 or len(present) == len(options):
        raise TypeError(f"only `X | None` has a shape, not {options!r}")
    return Nullable(shape_of(present[0]))


def _class_shape(hint: object) -> Shape:
    if isinstance(hint, TypeVar) or not isinstance(hint, type):
        raise TypeError(f"no shape for {hint!r}")
    return Choice(hint) if issubclass(hint, Enum) else members_of(hint)


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)
