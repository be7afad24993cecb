"""What a wire form may hold: the constraints written beside attrs fields, and the shapes read from them.

A form is a frozen attrs class; its attributes are snake_case here and camelCase on the wire. Constraints stand in
`typing.Annotated`. Validation, conversion and the OpenAPI document are all made from the shapes of this module.

    @attrs.frozen(kw_only=True)
    class CreateDiary:
        name: Annotated[str, Text(1, 255)]
        visibility: Visibility = Visibility.PRIVATE

A member with a default is optional in a request. `X | None` with default None is an optional member: absent, never
null. `X | None` without a default is nullable: always there, null when there is no value.
"""

import types
from collections.abc import Iterator
from datetime import datetime
from enum import Enum
from functools import cache
from inspect import cleandoc
from typing import (
    Annotated,
    Any,
    Literal,
    NewType,
    TypeVar,
    Union,
    dataclass_transform,
    get_args,
    get_origin,
    get_type_hints,
)
from uuid import UUID

import attrs

from moltnet.domain.constraints import Alias, Description, Hint, Integer, ItemCount, Number, Text
from moltnet.domain.keys import Fingerprint, PublicKey


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
    count: ItemCount = attrs.field(factory=ItemCount)


@attrs.frozen
class Member:
    """One member of a form: its attribute here, its name on the wire, and what it may hold.

    Attributes:
        default: `attrs.NOTHING` where there is none.
        hint: what it means in place of `description`, for a language model.
        kind: the Python type of its value, or the NewType; None where that is not one class.
        is_mark: whether only True says anything: False is left out.
    """

    attribute: str
    alias: str
    shape: "Shape"
    default: object
    description: str | None = None
    hint: str | None = None
    kind: object = None
    is_mark: bool = False

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
    """An object: the members of a form, in their order on the wire.

    Attributes:
        form: the class that holds them.
        name: what the schema of an answer is called.
        about: what the object is.
        is_part: whether the class has other members, too.
    """

    form: type
    members: tuple[Member, ...]
    name: str = attrs.field()
    description: str | None = attrs.field()
    is_part: bool = False

    @name.default
    def _of_the_class(self) -> str:
        return self.form.__name__

    @description.default
    def _documented(self) -> str | None:
        return cleandoc(self.form.__doc__) if self.form.__doc__ else None

    def only(self, *attributes: str) -> "Members":
        """The same with these members alone, in their own order."""
        members = tuple(each for each in self.members if each.attribute in attributes)
        return attrs.evolve(self, is_part=True, members=members)


Form = TypeVar("Form")
Shape = Text | Integer | Number | Boolean | Uuid | DateTime | Choice | Constant | Anything | Nullable | Items | Members

_PLAIN: dict[object, Shape] = {
    str: Text(),
    int: Integer(),
    float: Number(),
    bool: Boolean(),
    UUID: Uuid(),
    datetime: DateTime(),
    Fingerprint: Text(),
    PublicKey: Text(),
    object: Anything(),
}


VIEWS: dict[type, Members] = {}
"""What is shown of the classes that have a view (`schema.views`)."""
_AS_WRITTEN: set[type] = set()


@dataclass_transform(frozen_default=True, kw_only_default=True)
def snake_form(form: type[Form]) -> type[Form]:
    """A frozen attrs class whose members are called on the wire as they are here, in snake_case."""
    frozen = attrs.frozen(kw_only=True)(form)
    _AS_WRITTEN.add(frozen)
    return frozen


def has_view(form: type) -> bool:
    """Whether a view says which members of a class are shown."""
    return form in VIEWS


def members_of(form: "type | Members") -> Members:
    """The shape of a form: of its view, if it has one; raises TypeError as `shape_of` does."""
    if isinstance(form, Members):
        return form
    return VIEWS[form] if form in VIEWS else _read(form)


@cache
def _read(form: type) -> Members:
    if not attrs.has(form):
        raise TypeError(f"{form!r} is no attrs class")
    hints = get_type_hints(form, include_extras=True)
    return Members(form, tuple(member(field, hints[field.name], form) for field in attrs.fields(form)))


def shape_of(hint: Any) -> Shape:
    """The shape of a type expression, or the shape itself; raises TypeError when there is none."""
    if isinstance(hint, Shape):
        return hint
    hint = hint.__supertype__ if isinstance(hint, NewType) else hint
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _constrained(shape_of(arguments[0]), arguments[1:])
    if origin in {Union, types.UnionType}:
        return _nullable(arguments)
    if origin is Literal and len(arguments) == 1:
        return Constant(arguments[0])
    if origin in {list, tuple, frozenset}:
        return Items(shape_of(arguments[0]))
    return _PLAIN[hint] if hint in _PLAIN else _class_shape(hint)


def member(field: "attrs.Attribute[object]", hint: object, form: type) -> Member:
    """A field of a form as a member of it."""
    marks = tuple(_marks(hint))
    shape, default = shape_of(hint), field.default
    named = field.name if form in _AS_WRITTEN else camel(field.name)
    # An optional member is absent, never null, so its shape is that of the value alone.
    if default is None and isinstance(shape, Nullable):
        shape = shape.inner
    return Member(
        attribute=field.name,
        alias=next((mark.name for mark in marks if isinstance(mark, Alias)), named),
        shape=shape,
        default=default,
        description=next((mark.text for mark in marks if isinstance(mark, Description)), None),
        hint=next((mark.text for mark in marks if isinstance(mark, Hint)), None),
        kind=kind_of(hint),
    )


def kind_of(hint: Any) -> object:
    """The class or NewType of a type expression's values; None where that is not one."""
    if get_origin(hint) is Annotated:
        return kind_of(get_args(hint)[0])
    if get_origin(hint) in {Union, types.UnionType}:
        present = [each for each in get_args(hint) if each is not types.NoneType]
        return kind_of(present[0]) if len(present) == 1 else None
    return hint if isinstance(hint, type | NewType) else None


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
        elif not isinstance(mark, Alias | Description | Hint):
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


def camel(name: str) -> str:
    """A name of Python as JSON has it."""
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)
