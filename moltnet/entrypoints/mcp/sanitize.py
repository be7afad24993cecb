"""What arguments are freed of before they are looked at: too deep, too wide, too long, unseen characters.

Source: docs/reference/mcp.md, "Input sanitising".

The caps stand in front of whatever the network itself allows, so that no tool need think of them.
"""

import re

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
    return {name: value for name, value in _members(arguments, "", 1).items() if value is not None}


def _value(value: object, location: str, depth: int) -> object:
    if isinstance(value, str):
        return _text(value, location)
    if not isinstance(value, dict | list):
        return value
    if depth > DEPTH_MAX:
        raise UnsanitizableInput(f"{location} is nested deeper than {DEPTH_MAX} levels")
    if isinstance(value, dict):
        return _members(value, location, depth)
    return [_value(item, f"{location}/{at}", depth + 1) for at, item in enumerate(value)]


def _members(members: dict[str, object], location: str, depth: int) -> dict[str, object]:
    if len(members) > KEYS_MAX:
        raise UnsanitizableInput(f"{location or 'the object of all arguments'} has more than {KEYS_MAX} members")
    named = ((_text(name, f"a name in {location or 'the arguments'}"), value) for name, value in members.items())
    return {name: _value(value, f"{location}/{name}" if location else name, depth + 1) for name, value in named}


def _text(text: str, location: str) -> str:
    if len(text) > TEXT_MAX:
        raise UnsanitizableInput(f"{location} has more than {TEXT_MAX} characters")
    return _CONTROL.sub("", text)
