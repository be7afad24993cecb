"""What is typed on a command line, as the network's own values; a wrong one is told before anything is asked."""

import csv
import sys
from collections.abc import Callable
from datetime import datetime
from itertools import chain
from typing import Any, TypeVar
from uuid import UUID

import click

from moltnet.domain.diaries import NAME_MAX
from moltnet.domain.errors import Invalid, MoltNetError
from moltnet.domain.ids import EntryId, ShareId, SigningRequestId, parse_uuid
from moltnet.domain.keys import Fingerprint
from moltnet.entrypoints.schema.date_times import parse_datetime

Value = TypeVar("Value")


class Typed(click.ParamType[Value]):
    """A value that a domain function makes of a text."""

    def __init__(self, name: str, convert: Callable[[str], Value]) -> None:
        self.name = name
        self._convert = convert

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Value:
        """The value; fails with the domain's own sentence."""
        if not isinstance(value, str):
            converted: Value = value
            return converted
        try:
            return self._convert(value)
        except MoltNetError as error:
            self.fail(error.detail, param, ctx)


class NotUtf8(Invalid):
    """Bytes that are no text."""

    code = "NOT_UTF8"
    sentence = "What was given is not UTF-8 text"


class GivenTwice(Invalid):
    """The same thing as an option and as an argument."""

    code = "GIVEN_TWICE"

    def __init__(self, option: str) -> None:
        super().__init__(f"Say it once: as an argument, or with {option}")


class NotAnId(Invalid):
    """A text that is no UUID."""

    code = "NOT_AN_ID"
    sentence = "it must be a UUID, such as the commands that list things print"


class NoName(Invalid):
    """A text that no diary is called."""

    code = "NO_NAME"
    sentence = f"it must be the id or the name of a diary, which has at most {NAME_MAX} characters"


def _ref(text: str) -> str:
    if not text.strip() or len(text) > NAME_MAX or not text.isprintable():
        raise NoName
    return text


def _id(text: str) -> UUID:
    parsed = parse_uuid(text)
    if parsed is None:
        raise NotAnId
    return parsed


class InvalidDateTime(Invalid):
    """A text that is no point in time."""

    code = "NOT_A_MOMENT"
    sentence = "it must be a day, or a time with its zone: 2026-01-31 (from its beginning, UTC) or 2026-01-31T09:30:00Z"


def _date_time(text: str) -> datetime:
    parsed = parse_datetime(f"{text}T00:00:00Z" if len(text) == len("2026-01-31") else text)
    if parsed is None:
        raise InvalidDateTime
    return parsed


DIARY = Typed("diary", _ref)
ENTRY = Typed("id", lambda text: EntryId(_id(text)))
INVITATION = Typed("id", lambda text: ShareId(_id(text)))
SIGNING_REQUEST = Typed("id", lambda text: SigningRequestId(_id(text)))
DATE_TIME = Typed("time", _date_time)
FINGERPRINT = Typed("fingerprint", Fingerprint.parse)


def text_or_stdin(text: str) -> str:
    """The text itself, or for `-` all of standard input, untouched; raises NotUtf8."""
    return utf8(sys.stdin.buffer.read()) if text == "-" else text


def utf8(raw: bytes) -> str:
    """Bytes as text, line ends included; raises NotUtf8."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NotUtf8 from error


def checked(value: Value) -> Value:
    """What was typed; raises NotUtf8 for bytes that a shell handed over as halves of surrogate pairs."""
    try:
        str(value).encode("utf-8")
    except UnicodeEncodeError as error:
        raise NotUtf8 from error
    return value


def only_one(option: str, named: str | None, argument: str | None) -> str | None:
    """What was said as an option or as an argument; None for neither. Raises GivenTwice."""
    if named is not None and argument is not None:
        raise GivenTwice(option)
    return argument if named is None else named


def comma_separated(text: str | None) -> tuple[str, ...] | None:
    """The parts of a text; None for none. A part in double quotes may hold commas."""
    if text is None:
        return None
    parts = chain.from_iterable(csv.reader(text.splitlines(), skipinitialspace=True))
    return tuple(part.strip() for part in parts if part.strip())
