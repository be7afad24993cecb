"""What a tool is: a declaration that the server, its listing and the tests all read; and how its errors are told.

`run(agent, arguments)` asks the agent and answers a form; what it raises is told by the tool's messages. `code` and
`status` beside a message are those of REST's one table.

Arguments are first freed of what no tool takes: too deep, too wide, too long, unseen characters. The caps stand in
front of whatever the network itself allows, so that no tool need think of them. Clients send lists and dates as other
text than the schema asks for, and call arguments by other names. What can only mean one thing is taken; a name that the
tool does not know is refused, since a filter that is passed over finds everything.

Source: docs/reference/mcp.md, "Input sanitising".
"""

import logging
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from difflib import get_close_matches
from functools import cached_property
from types import MappingProxyType
from typing import Any

import attrs

from moltnet.domain.constraints import Text
from moltnet.domain.errors import Limited, MoltNetError, NotFound, Unauthenticated, Unavailable
from moltnet.entrypoints.library.agent import Agent
from moltnet.entrypoints.operations.appearance import Tool as Face
from moltnet.entrypoints.rest.json_text import from_json
from moltnet.entrypoints.rest.problems import DISCLOSED, STATUSES, row_of
from moltnet.entrypoints.schema.declare import Choice, DateTime, Items, Member, Members, Shape
from moltnet.entrypoints.schema.document import Components, JsonSchema
from moltnet.entrypoints.schema.validate import Fault, Refused, form_checker
from moltnet.ports.remote import Problem

DEPTH_MAX = 10
KEYS_MAX = 100
TEXT_MAX = 10_000

# All but tab, line feed and carriage return.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class UnsanitizableInput(Exception):
    """Arguments no tool takes; the text names the argument and says why."""


def cleaned(arguments: dict[str, object]) -> dict[str, object]:
    """The arguments without control characters, and without those that are null: they say nothing.

    Raises Unclean beyond ten levels, a hundred keys of an object, or 10 000 characters of a text.
    """
    return {name: value for name, value in _cleaned_members(arguments, "", 1).items() if value is not None}


def _cleaned_value(value: object, location: str, depth: int) -> object:
    if isinstance(value, str):
        return _text(value, location)
    if not isinstance(value, dict | list):
        return value
    if depth > DEPTH_MAX:
        raise UnsanitizableInput(f"{location} is nested deeper than {DEPTH_MAX} levels")
    if isinstance(value, dict):
        return _cleaned_members(value, location, depth)
    return [_cleaned_value(item, f"{location}/{at}", depth + 1) for at, item in enumerate(value)]


def _cleaned_members(members: dict[str, object], location: str, depth: int) -> dict[str, object]:
    if len(members) > KEYS_MAX:
        raise UnsanitizableInput(f"{location or 'the object of all arguments'} has more than {KEYS_MAX} members")
    named = ((_text(name, f"a name in {location or 'the arguments'}"), value) for name, value in members.items())
    return {name: _cleaned_value(value, f"{location}/{name}" if location else name, depth + 1) for name, value in named}


def _text(text: str, location: str) -> str:
    if len(text) > TEXT_MAX:
        raise UnsanitizableInput(f"{location} has more than {TEXT_MAX} characters")
    return _CONTROL.sub("", text)


DATE_TIME_FORM = "a time with its zone, as 2026-01-31T09:30:00Z, or a date, as 2026-01-31 (0:00 UTC)"

OTHER_NAMES = MappingProxyType({"diary_id": "diary_ref"})
"""Later names of arguments (docs/reference/mcp.md, "Other names"), by what they are called here."""

_MEANT = MappingProxyType(
    {
        "diary": "diary_ref",
        "id": "entry_id",
        "kind": "entry_type",
        "q": "query",
        "text": "content",
        "type": "entry_type",
        "types": "entry_types",
    }
)
_NAMES_SHOWN_MAX = 5
_NAME_SHOWN_MAX = 60
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


class InvalidArguments(Exception):
    """Arguments that do not have the shape the tool declares; the text says which and why."""


def prepared(form: Members, sent: Mapping[str, object], retired: Iterable[str] = ()) -> dict[str, object]:
    """The arguments by the names and in the forms that the schema of `form` checks; `retired` ones are passed over.

    Raises InvalidArguments for a name that the form does not have, for two values of one argument, and for text that
    begins like a list and is none; Unclean for what a list in text may not hold.
    """
    members = {member.alias: member for member in form.members}
    arguments = _by_present_names(members, sent)
    unknown = [name for name in arguments if name not in members and name not in retired]
    if unknown:
        raise InvalidArguments("; ".join(_unknown(name, tuple(members)) for name in unknown[:_NAMES_SHOWN_MAX]))
    values = {name: _value(members[name], value) for name, value in arguments.items() if name in members}
    return {name: value for name, value in values.items() if value is not None}


def explained(form: Members, faults: Iterable[Fault]) -> str:
    """What is wrong with arguments, each fault once, with what the argument means or may hold."""
    return "; ".join(dict.fromkeys(_explained(form, fault) for fault in faults))


def _by_present_names(members: Mapping[str, Member], sent: Mapping[str, object]) -> dict[str, object]:
    arguments: dict[str, object] = {}
    for name, value in sent.items():
        present = OTHER_NAMES.get(name)
        key = present if present in members and name not in members else name
        if key in arguments and arguments[key] != value:
            raise InvalidArguments(f"{key} and {name} differ: they are the same argument")
        arguments[str(key)] = value
    return arguments


def _unknown(name: str, known: tuple[str, ...]) -> str:
    # The name is repeated to whoever sent it; text that UTF-8 cannot hold is not.
    shown = name[:_NAME_SHOWN_MAX].encode(errors="replace").decode()
    snake = re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name[:_NAME_SHOWN_MAX]).lower().replace("-", "_")
    likely = [_MEANT.get(snake), OTHER_NAMES.get(snake), *get_close_matches(snake, known, n=1)]
    meant = next((each for each in likely if each in known), None)
    if meant:
        return f"unknown argument {shown}; did you mean {meant}?"
    return f"unknown argument {shown}; this tool takes {', '.join(known) or 'no arguments'}"


def _value(member: Member, value: object) -> object:
    """The value as the schema asks for it; None for an optional one that is empty, which means left out."""
    shape = member.shape
    if isinstance(shape, Items) and isinstance(value, str) and value.lstrip().startswith("["):
        value = _list(member.alias, value)
    if not member.required and _is_empty(shape, value):
        return None
    if isinstance(shape, DateTime) and isinstance(value, str) and _DATE.fullmatch(value):
        return f"{value}T00:00:00Z"
    return value


def _is_empty(shape: Shape, value: object) -> bool:
    """Whether a value says nothing: empty text where no text is asked for, no items where there must be some."""
    if isinstance(shape, Items) and shape.count.min and value == []:
        return True
    return value == "" and not isinstance(shape, Text)


def _list(name: str, text: str) -> object:
    try:
        return cleaned({name: from_json(text.encode(errors="surrogatepass"))})[name]
    except ValueError:
        raise InvalidArguments(f"{name} must be an array, or the JSON text of one") from None


def _explained(form: Members, fault: Fault) -> str:
    location = fault.pointer.strip("/")
    name = location.partition("/")[0] or fault.missing or ""
    member = next((each for each in form.members if each.alias == name), None)
    if member is None:
        return f"{location} {fault.message}".strip()
    if fault.missing is None and (rule := _rule(member.shape, fault.pointer.count("/"))):
        return f"{location} must be {rule}"
    return " ".join(filter(None, (location, fault.message, f"({member.description})" if member.description else None)))


def _rule(shape: Shape, depth: int) -> str | None:
    """What a choice or a time must be; None for other shapes, and for a list as a whole."""
    scalar = shape.item if isinstance(shape, Items) and depth > 1 else shape
    match scalar:
        case Choice(options):
            return f"one of {', '.join(str(option.value) for option in options)}"
        case DateTime():
            return DATE_TIME_FORM
        case _:
            return None


_SERVER_FAULT = 500
_LOG = logging.getLogger(__name__)


@attrs.frozen(kw_only=True)
class Failure:
    """A tool's result when it did not do what it was asked.

    `detail` is a sentence for a person, without anything the caller may not know. `retry_after` is in seconds.
    """

    error: str
    code: str
    status: int
    detail: str
    retry_after: int | None = None

    @property
    def members(self) -> dict[str, object]:
        """The result's members."""
        return attrs.asdict(self, filter=lambda _, value: value is not None)


def failure(error: MoltNetError, message: str) -> Failure:
    """An error under a phrase; a service that is down is logged here, once, and not described."""
    if isinstance(error, Unavailable):
        _LOG.warning("%s", error.detail, exc_info=error)
    code, status = _code_and_status(error)
    return Failure(
        error=message,
        code=code,
        status=status,
        detail=_detail(error, status),
        retry_after=error.retry_after_s if isinstance(error, Limited | Problem) else None,
    )


def _detail(error: MoltNetError, status: int) -> str:
    if isinstance(error, DISCLOSED):
        return error.sentence
    return Unavailable.sentence if status >= _SERVER_FAULT else error.detail


def _code_and_status(error: MoltNetError) -> tuple[str, int]:
    row = row_of(type(error))
    if isinstance(error, Problem):
        return error.problem_code or row.code, error.status_code
    return row.code, STATUSES.get(type(error), row.status)


Run = Callable[[Agent, Mapping[str, object]], Awaitable[object]]

_COMPONENT = "#/components/schemas/"


@attrs.frozen(slots=False, kw_only=True, eq=False)
class Tool:
    """One tool.

    What it answers is not listed: all output schemas together cost more than all the rest, and what answers hold speaks
    for itself.

    Attributes:
        face: its names, texts and phrases, as its operation declares them.
        run: asks the agent, and answers an object or its members; arguments are given by their names.
        arguments: their shape.
        operation: what the tool does, by its name in REST: it is counted with it.
        instead: what it answers where others fail; None lets it fail.
        is_public: whether it needs no credentials.
    """

    face: Face
    run: Run
    arguments: Members = attrs.field(factory=lambda: Members(dict, ()))
    operation: str
    instead: Callable[[MoltNetError], object] | None = None
    is_public: bool = False

    @property
    def name(self) -> str:
        """What it is called."""
        return self.face.name

    def parsed_arguments(self, arguments: Mapping[str, object]) -> Mapping[str, object]:
        """The arguments, checked. Raises InvalidArguments, for a name that it does not know too."""
        try:
            return self._check(prepared(self.arguments, cleaned(dict(arguments)), self.face.retired))
        except UnsanitizableInput as unsanitizable:
            raise InvalidArguments(str(unsanitizable)) from None
        except Refused as refused:
            raise InvalidArguments(explained(self.arguments, refused.faults)) from None

    def message(self, error: MoltNetError, arguments: Mapping[str, object]) -> str:
        """What the tool calls an error."""
        if isinstance(error, Unauthenticated):
            return self.face.signed_out
        message = self.face.missing if self.face.missing and isinstance(error, NotFound) else self.face.failure
        return message.format_map(arguments) if "{" in message else message

    @cached_property
    def definition(self) -> dict[str, object]:
        """The tool as `tools/list` shows it; its schema refers to nothing outside itself."""
        components = Components()
        schema = components.request_schema(self.arguments)
        return {
            "name": self.face.name,
            "title": self.face.title,
            "description": self.face.text,
            "inputSchema": _inlined(schema, components.schemas),
            "annotations": self.face.effect.annotations,
        }

    @cached_property
    def _check(self) -> Callable[[object], dict[str, object]]:
        return form_checker(self.arguments)


def _inlined(node: Any, named: Mapping[str, JsonSchema]) -> Any:
    if isinstance(node, list):
        return [_inlined(item, named) for item in node]
    if not isinstance(node, dict):
        return node
    rest = {name: _inlined(value, named) for name, value in node.items() if name != "$ref"}
    target = node.get("$ref")
    return _inlined(named[target.removeprefix(_COMPONENT)], named) | rest if target else rest
