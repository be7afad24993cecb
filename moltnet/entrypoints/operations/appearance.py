"""How an operation looks: over HTTP, and as a tool of MCP."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from enum import Enum, auto
from itertools import chain
from types import EllipsisType, MappingProxyType
from typing import Any, get_args

import attrs

from moltnet.domain.constraints import Integer
from moltnet.domain.ids import Versioned
from moltnet.entrypoints.schema.declare import Member, Members, Shape, members_of, shape_of
from moltnet.entrypoints.schema.views import unbounded

_NO_HEADERS: Mapping[str, str] = MappingProxyType({})
_PATH_NAME = re.compile(r"\{(\w+)\}")


class Effect(Enum):
    """What an operation does to the network, as a tool's annotations say (MCP, ToolAnnotations)."""

    READS = "reads"
    ADDS = "adds"
    CHANGES = "changes"  # doing it again changes nothing more
    REMOVES = "removes"  # the same, and what it removes is gone

    @property
    def annotations(self) -> dict[str, bool]:
        """The hints that differ from what they mean when they are absent; nothing outside the network is reached."""
        return {**_HINTS[self], "openWorldHint": False}


_HINTS: Mapping[Effect, Mapping[str, bool]] = MappingProxyType(
    {
        Effect.READS: {"readOnlyHint": True},
        Effect.ADDS: {"destructiveHint": False},
        Effect.CHANGES: {"destructiveHint": False, "idempotentHint": True},
        Effect.REMOVES: {"destructiveHint": True, "idempotentHint": True},
    }
)


@attrs.frozen
class Envelope:
    """The object around what an operation answers.

    Attributes:
        name: what its schema is called.
        about: what it is.
        member: the member that holds what is answered.
        is_counted: whether the output is a list and how many there are in all; the latter is in `total`.
        echoed: members of the input that are repeated in it.
    """

    name: str
    description: str
    member: str
    is_counted: bool = attrs.field(default=False, kw_only=True)
    echoed: tuple[str, ...] = attrs.field(default=(), kw_only=True)

    def around(self, output: Any, form: Members) -> Members:
        """The shape of the object; `form` is the input's."""
        inner = shape_of(get_args(output)[0] if self.is_counted else output)
        members = [Member(self.member, self.member, inner, attrs.NOTHING)]
        if self.is_counted:
            members.append(Member("total", "total", Integer(), attrs.NOTHING))
        repeated = (each for each in form.members if each.attribute in self.echoed)
        members += [Member(each.attribute, each.attribute, unbounded(each.shape), attrs.NOTHING) for each in repeated]
        return Members(object, tuple(members), self.name, self.description)

    def wrap(self, shown: Any, request: object) -> dict[str, object]:
        """The members of the object."""
        counted = dict(zip((self.member, "total"), shown, strict=True)) if self.is_counted else {self.member: shown}
        return counted | {name: getattr(request, name) for name in self.echoed}

    def unwrap(self, value: object) -> object:
        """What is answered, of the object in JSON; None where that is none of its kind."""
        if not isinstance(value, dict):
            return None
        inner = value.get(self.member)
        return [inner, value.get("total")] if self.is_counted else inner


SUCCESS = Envelope("Success", "It is done.", "success")
"""What is answered where there is nothing to show."""


@attrs.frozen
class Joined:
    """A list that stands in a query as one comma-separated text of this shape, or as a list of such texts.

    `apart` is a parameter of its own for items that may hold a comma, which stands there once for each of them.
    """

    shape: Shape
    description: str
    apart: Member | None = None

    @staticmethod
    def split(value: str | Iterable[str]) -> list[str]:
        """The items of a text, or of a list of texts."""
        return [item for item in ",".join([value] if isinstance(value, str) else value).split(",") if item]

    def parameters(self, name: str, items: Collection[str]) -> dict[str, object]:
        """A list as the parameters of a query, the first of which is called so; a set in the order of its texts."""
        items = sorted(items) if isinstance(items, frozenset) else items
        # Other networks of this interface know the first parameter alone.
        apart = [item for item in items if self.apart and (not item or "," in item)]
        text = ",".join(item for item in items if item not in apart)
        return ({name: text} if text else {}) | ({self.apart.alias: apart} if self.apart and apart else {})


def _itself(thing: Any) -> Any:
    return thing


@attrs.frozen
class Http:
    """How an operation looks over HTTP.

    Path parameters are members of the input, by their names in JSON; the others are in the body, of a GET or DELETE in
    the query.

    Attributes:
        status: of the answer.
        status_when: another one, for answers of which something holds.
        version_of: the thing whose version the answer tells, of an operation that is versioned.
        joined: members of the input that are joined in a query.
        envelope: the object around what is answered; none where that is an object itself.
        problems: statuses of problems that are this operation's own, beside those every route can have.
        headers: of each answer.
        aliases: other paths, which the OpenAPI document does not show.
        lists_errors: whether a validation problem lists its faults.
        repeatable: whether a POST only reads, so that a client may send it again.
        free_when_bare: whether requests without a query are not counted, whatever the rate.
        once_only: whether a client never sends it again: what it does is not to be done twice.
    """

    method: str
    path: str
    tag: str = attrs.field(kw_only=True)
    status: int = attrs.field(default=200, kw_only=True)
    status_when: tuple[int, Callable[[Any], bool]] | None = attrs.field(default=None, kw_only=True)
    version_of: Callable[[Any], Versioned] = attrs.field(default=_itself, kw_only=True)
    joined: Mapping[str, Joined] = attrs.field(factory=dict, kw_only=True)
    envelope: Envelope | None = attrs.field(default=None, kw_only=True)
    problems: tuple[int, ...] = attrs.field(default=(), kw_only=True)
    headers: Mapping[str, str] = attrs.field(default=_NO_HEADERS, kw_only=True)
    aliases: tuple[str, ...] = attrs.field(default=(), kw_only=True)
    lists_errors: bool = attrs.field(default=True, kw_only=True)
    repeatable: bool = attrs.field(default=False, kw_only=True)
    free_when_bare: bool = attrs.field(default=False, kw_only=True)
    once_only: bool = attrs.field(default=False, kw_only=True)

    @property
    def statuses(self) -> tuple[int, ...]:
        """Every status that a good answer may have."""
        return (self.status, self.status_when[0]) if self.status_when else (self.status,)

    def status_of(self, shown: object) -> int:
        """The status of an answer."""
        return self.status_when[0] if self.status_when and self.status_when[1](shown) else self.status

    def parts(self, form: type) -> "Parts":
        """Which members of a form stand where; raises TypeError for a path parameter that is no member."""
        shape, in_path = members_of(form), set(_PATH_NAME.findall(self.path))
        placed = {member.attribute for member in shape.members if member.alias in in_path}
        if len(placed) != len(in_path):
            raise TypeError(f"{form!r} does not hold the parameters of {self.path}")
        rest = [member.attribute for member in shape.members if member.attribute not in placed]
        params = shape.only(*placed) if placed else None
        others = shape.only(*rest) if rest else None
        if self.method not in {"GET", "DELETE"}:
            return Parts(params, others, None)
        return Parts(
            params, None, others and attrs.evolve(others, members=tuple(chain(*map(self._in_query, others.members))))
        )

    def joined_in(self, query: Members | None) -> dict[str, Joined]:
        """How members are joined in a query, by what they are called there."""
        members = query.members if query else ()
        return {each.alias: self.joined[each.attribute] for each in members if each.attribute in self.joined}

    def _in_query(self, member: Member) -> tuple[Member, ...]:
        joined = self.joined.get(member.attribute)
        if joined is None:
            return (member,)
        text = attrs.evolve(member, shape=joined.shape, description=joined.description)
        return (text, joined.apart) if joined.apart else (text,)


@attrs.frozen
class Parts:
    """The members of an input by where they stand in a request; None where there are none."""

    params: Members | None
    body: Members | None
    query: Members | None


class Placeholder(Enum):
    """What stands in a tool's answer for something that is known once it ran."""

    OUTPUT = auto()


OUTPUT = Placeholder.OUTPUT
NOT_AUTHENTICATED = "Not authenticated"


@attrs.frozen
class Tool:
    """How an operation looks as a tool of MCP.

    Attributes:
        answer: the object that is answered, by its members: OUTPUT stands for what the operation answers; none where
            the answer is made in `mcp.tools`.
        failure: the phrase for whatever goes wrong; `{name}` stands for an argument.
        missing: the phrase when there is no such thing, where it is another.
        signed_out: the phrase for a client without credentials.
        takes: the members of the input that it takes, in their order; `...` stands for all that are not named here.
        omits: those that it does not take though they are not named.
        needs: those that it must be given though the operation does without.
        retired: arguments that it once had and now passes over, each with the hint that is given for it.
    """

    name: str
    title: str
    text: str
    effect: Effect
    answer: Mapping[str, object] = attrs.field(factory=dict, kw_only=True)
    failure: str = attrs.field(kw_only=True)
    missing: str | None = attrs.field(default=None, kw_only=True)
    signed_out: str = attrs.field(default=NOT_AUTHENTICATED, kw_only=True)
    takes: "tuple[str | EllipsisType, ...]" = attrs.field(default=(...,), kw_only=True)
    omits: tuple[str, ...] = attrs.field(default=(), kw_only=True)
    needs: tuple[str, ...] = attrs.field(default=(), kw_only=True)
    retired: Mapping[str, str] = attrs.field(factory=dict, kw_only=True)

    def members(self, form: Members) -> list[Member]:
        """The members of an input that it takes, those that it needs without their default."""
        by_name = {each.attribute: each for each in form.members}
        others = [name for name in by_name if name not in {*self.takes, *self.omits}]
        names = chain.from_iterable(others if each is ... else [each] for each in self.takes)
        members = [by_name[name] for name in names]
        return [attrs.evolve(each, default=attrs.NOTHING) if each.attribute in self.needs else each for each in members]
