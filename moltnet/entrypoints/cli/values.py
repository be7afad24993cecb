"""Texts of a command line as values of the domain, and options from the input of an operation.

A wrong value is refused before the network is asked.
"""

import csv
import sys
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from enum import Enum
from itertools import chain
from typing import Any, TypeVar

import attrs
import click

from moltnet.domain.constraints import LARGEST_INTEGER, Integer, Number
from moltnet.domain.diaries import NAME_MAX
from moltnet.domain.errors import Invalid, MoltNetError
from moltnet.domain.ids import parse_uuid
from moltnet.domain.keys import Fingerprint
from moltnet.entrypoints.schema.declare import Boolean, Choice, DateTime, Items, Member, Shape, Uuid, members_of
from moltnet.entrypoints.schema.text_values import parse_datetime

Value = TypeVar("Value")
Option = TypeVar("Option", bound=Enum)


class Typed(click.ParamType[Value]):
    """A parameter type by a function of text that returns None, or raises a MoltNetError, for a wrong one."""

    def __init__(self, name: str, convert: Callable[[str], Value | None], rule: str = "") -> None:
        self.name = name
        self._convert = convert
        self._rule = rule

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Value:
        """The value; a default that is not text is returned unchanged. Fails with the rule or the error's sentence."""
        try:
            converted = self._convert(value) if isinstance(value, str) else value
        except MoltNetError as error:
            self.fail(error.detail, param, ctx)
        if converted is None:
            self.fail(self._rule, param, ctx)
        found: Value = converted
        return found


class OneOf(click.Choice[Option]):
    """A member of an enum, by its value."""

    def normalize_choice(self, choice: object, ctx: click.Context | None) -> str:  # noqa: ARG002  # click's signature
        """The text of a member, or the text typed."""
        return str(choice.value if isinstance(choice, Enum) else choice)


@attrs.frozen
class DiaryRef:
    """The id or the name of a diary; without either, the default diary."""

    text: str | None = None


class NotUtf8(Invalid):
    """Bytes that are not UTF-8."""

    code = "NOT_UTF8"
    sentence = "What was given is not UTF-8 text"


class GivenTwice(Invalid):
    """The same thing as an option and as an argument."""

    code = "GIVEN_TWICE"

    def __init__(self, option: str) -> None:
        super().__init__(f"Say it once: as an argument, or with {option}")


def _diary_ref(text: str) -> DiaryRef | None:
    return DiaryRef(text) if text.strip() and len(text) <= NAME_MAX and text.isprintable() else None


def _date_time(text: str) -> datetime | None:
    return parse_datetime(f"{text}T00:00:00Z" if len(text) == len("2026-01-31") else text)


def comma_separated(text: str) -> tuple[str, ...]:
    """The parts of a text; a part in double quotes may contain commas."""
    parts = chain.from_iterable(csv.reader(text.splitlines(), skipinitialspace=True))
    return tuple(part.strip() for part in parts if part.strip())


_NAME_RULE = f"it must be the id or the name of a diary, which has at most {NAME_MAX} characters"
_TIME_RULE = "it must be a day, or a time with its zone: 2026-01-31 (from its beginning, UTC) or 2026-01-31T09:30:00Z"
DIARY = Typed("diary", _diary_ref, _NAME_RULE)
ID = Typed("id", parse_uuid, "it must be a UUID, such as the commands that list things print")
DATE_TIME = Typed("time", _date_time, _TIME_RULE)
FINGERPRINT = Typed("fingerprint", Fingerprint.parse)
TEXTS = Typed("text", comma_separated)

_TYPES: Mapping[type, click.ParamType[Any]] = {Boolean: click.BOOL, DateTime: DATE_TIME, Items: TEXTS, Uuid: ID}
# Where an option is not named as the member of the input.
_NAMES = {"entry_type": "--type", "entry_types": "--type"}
# Where it is described for a person in other words.
_HELP = {
    "entry_type": "The kind of memory.",
    "entry_types": "Only this kind; may be named several times.",
    "exclude_superseded": "Leave out what a newer entry replaces.",
    "explain": "Show why each entry was found, and what was left out.",
    "if_duplicate": "What to do when the diary holds the same text: store it again, or return the entry that is there.",
    "name": "Its name: 1 to 255 characters.",
    "occurred_at": "When it happened, if not now.",
    "role": "What the agent may do.",
    "superseded_by": "The id of the entry that replaces it.",
    "tags": "Tags, separated by commas.",
    "visibility": "Who may read it without an invitation.",
}


def input_options(form: type, *, without: Collection[str] = ()) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Gives a command an option for each member of an operation's input, but for those that it takes otherwise.

    Type, bounds, default and help are the member's own.
    """

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        for member in reversed(members_of(form).members):
            if member.attribute not in without:
                _option(member)(command)
        return command

    return decorate


def _option(member: Member) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    help_text = _HELP.get(member.attribute) or f"{member.description or member.hint}."
    default = member.default.value if isinstance(member.default, Enum) else member.default
    is_shown = isinstance(default, str | int | float) and not isinstance(default, bool)
    # click takes even None for a default, with which no option is required, and False for a value that may be left out.
    optional: dict[str, Any] = {} if member.required else {"default": default, "show_default": is_shown}
    if isinstance(member.shape, Boolean):
        optional["is_flag"] = True
    return click.option(
        _NAMES.get(member.attribute) or f"--{member.attribute.replace('_', '-')}",
        member.attribute,
        type=_parameter_type(member.shape),
        multiple=isinstance(member.shape, Items) and isinstance(member.shape.item, Choice),
        required=member.required,
        help=help_text,
        **optional,
    )


def _parameter_type(shape: Shape) -> click.ParamType[Any]:
    match shape:
        case Integer(least, most):
            kind: click.ParamType[Any] = click.IntRange(least, None if most == LARGEST_INTEGER else most)
        case Number(least, most):
            kind = click.FloatRange(least, most)
        case Choice(options) | Items(Choice(options)):
            kind = OneOf(options)
        case _:
            kind = _TYPES.get(type(shape), click.STRING)
    return kind


def text_or_stdin(text: str) -> str:
    """The text, or for `-` all of standard input, unchanged.

    Raises:
        NotUtf8: standard input is not UTF-8.
    """
    return utf8(sys.stdin.buffer.read()) if text == "-" else text


def utf8(raw: bytes) -> str:
    """Bytes as text, line ends included; raises NotUtf8."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NotUtf8 from error


def checked(value: Value) -> Value:
    """The value of an option; raises NotUtf8 for bytes that Python read as halves of surrogate pairs (PEP 383)."""
    try:
        str(value).encode("utf-8")
    except UnicodeEncodeError as error:
        raise NotUtf8 from error
    return value


def only_one(option: str, named: str | None, argument: str | None) -> str | None:
    """A value that may be an option or an argument; None for neither. Raises GivenTwice for both."""
    if named is not None and argument is not None:
        raise GivenTwice(option)
    return argument if named is None else named
