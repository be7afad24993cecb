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
from collections.abc import Iterable, Iterator
from datetime import datetime
from enum import Enum
from functools import cached_property
from inspect import cleandoc
from itertools import chain
from typing import Annotated, Any, Literal, NewType, TypeVar, Union, get_args, get_origin, get_type_hints
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
class Joined:
    """A list that stands in a query as one comma-separated text of this shape, or as a list of such texts."""

    shape: "Shape"
    description: str

    @staticmethod
    def split(value: object) -> list[str]:
        """The items of a text, or of a list of texts."""
        return [item for item in ",".join([value] if isinstance(value, str) else value).split(",") if item]  # type: ignore[arg-type]  # of texts


@attrs.frozen
class Member:
    """One member of a form: its attribute here, its name on the wire, and what it may hold.

    Attributes:
        default: `attrs.NOTHING` where there is none.
        hint: what it means in place of `description`, for a language model.
        kind: the Python type of its value, or the NewType; None where that is not one class.
        is_mark: whether only True says anything: False is left out.
        joined: how it stands in a query, where that is as one text.
    """

    attribute: str
    alias: str
    shape: "Shape"
    default: object
    description: str | None = None
    hint: str | None = None
    kind: object = None
    is_mark: bool = False
    joined: "Joined | None" = None

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


_VIEWS: dict[type, Members] = {}


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

    def of(self, member: Member) -> Member:
        """The member as it is shown."""
        return attrs.evolve(
            member,
            alias=self.alias or member.alias,
            description=self.description or member.description,
            shape=self._shape(member),
            default=self._default(member),
            is_mark=self.is_mark or self.is_optional,
        )

    def _shape(self, member: Member) -> Shape:
        if self.is_mark:
            return Constant(value=True)
        shape = unbounded(member.shape)
        if self.is_always:
            return shape if isinstance(shape, Nullable) else Nullable(shape)
        return shape.inner if self.is_optional and isinstance(shape, Nullable) else shape

    def _default(self, member: Member) -> object:
        if self.is_always:
            return attrs.NOTHING
        # A member without something to tell is left out; that it has a default otherwise says nothing to who reads.
        return None if self.is_mark or self.is_optional or member.default is None else attrs.NOTHING


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
            part = members_of(_kind(hints[each.attribute]))  # type: ignore[arg-type]  # a class that has a view
            members += [attrs.evolve(one, attribute=f"{each.attribute}.{one.attribute}") for one in part.members]
            continue
        field = fields.get(each.attribute)
        own = _member(field, hints[field.name]) if field else _property(form, each.attribute)
        members.append(each.of(own))
    _VIEWS[form] = Members(form, tuple(members), name, description)


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
    return Member(name, _camel(name), shape_of(hint), attrs.NOTHING, kind=_kind(hint))


def has_view(form: type) -> bool:
    """Whether a view says which members of a class are shown."""
    return form in _VIEWS


def members_of(form: "type | Members") -> Members:
    """The shape of a form: of its view, if it has one; raises TypeError as `shape_of` does."""
    if isinstance(form, Members):
        return form
    return _VIEWS[form] if form in _VIEWS else _read(form)


def _read(form: type) -> Members:
    if not attrs.has(form):
        raise TypeError(f"{form!r} is no attrs class")
    hints = get_type_hints(form, include_extras=True)
    return Members(form, tuple(_member(field, hints[field.name]) for field in attrs.fields(form)))


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
        hint=next((mark.text for mark in marks if isinstance(mark, Hint)), None),
        kind=_kind(hint),
        joined=next((mark for mark in marks if isinstance(mark, Joined)), None),
    )


def _kind(hint: Any) -> object:
    if get_origin(hint) is Annotated:
        return _kind(get_args(hint)[0])
    if get_origin(hint) in {Union, types.UnionType}:
        present = [each for each in get_args(hint) if each is not types.NoneType]
        return _kind(present[0]) if len(present) == 1 else None
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
        elif not isinstance(mark, Alias | Description | Hint | Joined):
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
