"""The JSON Schema (2020-12) of wire forms, and examples of them, from the same shapes that validate and convert them.

Forms of answers and enumerations become named components, under the names of their classes; forms of requests stand
inline where they are used.
"""

from collections.abc import Callable, Mapping
from uuid import NAMESPACE_URL, uuid5

import attrs

from moltnet.domain.constraints import LARGEST_INTEGER, Integer, Number, Text
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

JsonSchema = dict[str, object]


@attrs.frozen
class Components:
    """The named schemas that documents made with it refer to."""

    schemas: dict[str, JsonSchema] = attrs.field(factory=dict)

    def request_schema(self, shape: Shape) -> JsonSchema:
        """What a request may hold: members with a default are optional."""
        return self._schema(shape, self._inline)

    def answer_schema(self, shape: Shape) -> JsonSchema:
        """What an answer holds: only members that may be absent are optional."""
        return self._schema(shape, self._component)

    def member_schema(self, member: Member) -> JsonSchema:
        """A member of a request, with its default and its meaning."""
        return _annotated(member, self.request_schema(member.shape))

    def _schema(self, shape: Shape, of_form: Callable[[Members], JsonSchema]) -> JsonSchema:
        match shape:
            case Members():
                return of_form(shape)
            case Items(item, count):
                limits = _present(minItems=count.min or None, maxItems=count.max)
                return {"type": "array", "items": self._schema(item, of_form)} | limits
            case Nullable(inner):
                return _or_null(self._schema(inner, of_form))
            case Choice(options):
                self.schemas.setdefault(options.__name__, _enumeration(shape))
                return {"$ref": f"#/components/schemas/{options.__name__}"}
            case _:
                return _scalar(shape)

    def _inline(self, shape: Members) -> JsonSchema:
        required = [member.alias for member in shape.members if member.required]
        return _object({member.alias: self.member_schema(member) for member in shape.members}, required)

    def _component(self, shape: Members) -> JsonSchema:
        name = shape.name
        if name not in self.schemas:
            self.schemas[name] = {}  # Keeps the place while the members are read, in case one refers back.
            required = [member.alias for member in shape.members if not member.may_be_absent]
            properties = {member.alias: self._answer_member(member) for member in shape.members}
            self.schemas[name] = _present(description=shape.description) | _object(properties, required)
        return {"$ref": f"#/components/schemas/{name}"}

    def _answer_member(self, member: Member) -> JsonSchema:
        return _annotated(attrs.evolve(member, default=None), self.answer_schema(member.shape))


def _object(properties: dict[str, JsonSchema], required: list[str]) -> JsonSchema:
    return {"type": "object", "properties": properties} | _present(required=required or None)


def _scalar(shape: Shape) -> JsonSchema:
    match shape:
        case Text(shortest, longest, pattern):
            return {"type": "string"} | _present(minLength=shortest or None, maxLength=longest, pattern=pattern)
        case Integer(lowest, highest):
            limit = None if highest == LARGEST_INTEGER else highest
            return {"type": "integer"} | _present(minimum=lowest, maximum=limit)
        case Number(lowest, highest):
            return {"type": "number"} | _present(minimum=lowest, maximum=highest)
        case Constant(value):
            return {"const": value}
        case _:
            return _UNBOUNDED[type(shape)]


def _enumeration(choice: Choice) -> JsonSchema:
    return {"type": "string", "enum": [option.value for option in choice.options]}


def _or_null(schema: JsonSchema) -> JsonSchema:
    kind = schema.get("type")
    return schema | {"type": [kind, "null"]} if kind else {"anyOf": [schema, {"type": "null"}]}


def _annotated(member: Member, schema: JsonSchema) -> JsonSchema:
    default = json_value(member.default) if isinstance(member.default, str | int | float) else None
    return schema | _present(default=default, description=member.description)


def _present(**members: object) -> JsonSchema:
    return {name: value for name, value in members.items() if value is not None}


_UNBOUNDED: dict[type, JsonSchema] = {
    Boolean: {"type": "boolean"},
    Uuid: {"type": "string", "format": "uuid"},
    DateTime: {"type": "string", "format": "date-time"},
    Anything: {},
}


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
                return self.samples.get(name, _scalar_example(shape, name))

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


def _scalar_example(shape: Shape, name: str) -> object:
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
            return _UNBOUNDED_EXAMPLES.get(type(shape), "text")


# Defaults that a request leaves out.
_NOTHING: tuple[object, ...] = (None, (), frozenset())
_UNBOUNDED_EXAMPLES: dict[type, object] = {Boolean: False, DateTime: DATE_TIME, Anything: {}}
