"""What arguments are freed of before they are looked at (mcp.md §5): too deep, too wide, too long, unseen characters.

The caps stand in front of whatever the network itself allows, so that no tool need think of them.
"""

import re

DEPTH_MAX = 10
KEYS_MAX = 100
TEXT_MAX = 10_000

# All but tab, line feed and carriage return.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class Unclean(Exception):
    """Arguments no tool takes; the text says why."""


def cleaned(arguments: dict[str, object]) -> dict[str, object]:
    """The arguments without control characters, and without those that are null: they say nothing.

    Raises Unclean beyond ten levels, a hundred keys of an object, or 10 000 characters of a text.
    """
    return {name: value for name, value in _members(arguments, 1).items() if value is not None}


def _value(value: object, depth: int) -> object:
    if isinstance(value, str):
        return _text(value)
    if not isinstance(value, dict | list):
        return value
    if depth > DEPTH_MAX:
        raise Unclean(f"nested deeper than {DEPTH_MAX} levels")
    return _members(value, depth) if isinstance(value, dict) else [_value(item, depth + 1) for item in value]


def _members(members: dict[str, object], depth: int) -> dict[str, object]:
    if len(members) > KEYS_MAX:
        raise Unclean(f"an object has more than {KEYS_MAX} members")
    return {_text(name): _value(value, depth + 1) for name, value in members.items()}


def _text(text: str) -> str:
    if len(text) > TEXT_MAX:
        raise Unclean(f"a text has more than {TEXT_MAX} characters")
    return _CONTROL.sub("", text)
