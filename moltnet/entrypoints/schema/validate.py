"""Checks JSON values against shapes with the semantics of Ajv (docs/reference/http.md, "Validation and coercion").

A check is made once for each shape and then answers the value with its scalars coerced, or raises Refused with the
first rule that fails. Only the union of constants tells more than one fault: one for each constant, then the union.
Strings must be storable: U+0000 and lone surrogates are refused.
"""

import math
import re
from collections.abc import Callable
from functools import cache
from itertools import repeat

import attrs

from moltnet.domain.constraints import Integer, Number, Text
from moltnet.domain.ids import parse_uuid
from moltnet.domain.text import text_fault
from moltnet.entrypoints.schema.declare import (
    Anything,
    Boolean,
    Choice,
    Constant,
    DateTime,
    Items,
    Members,
    Nullable,
    Shape,
    Uuid,
    members_of,
)
from moltnet.entrypoints.schema.text_values import number_from_text, parse_datetime, text_from_number

Check = Callable[[object], object]


@attrs.frozen
class Fault:
    """One rule that does not hold, at a JSON pointer (RFC 6901); the root is the empty pointer."""

    message: str
    pointer: str = ""
    missing: str | None = None

    @property
    def field(self) -> str:
        """How the `errors` array names the place: pointer, else the missing member, else `unknown`."""
        return self.pointer or self.missing or "unknown"


class Refused(Exception):
    """A value does not have the shape it should have."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__(faults)
        self.faults = faults

    def under(self, key: str) -> "Refused":
        """The same faults, seen from the value that holds this one at `key`."""
        return Refused(*(attrs.evolve(fault, pointer=f"/{key}{fault.pointer}") for fault in self.faults))


def form_checker(form: type | Members) -> Callable[[object], dict[str, object]]:
    """The check for a form: the members it names, by their names on the wire; others are ignored."""
    return _members(members_of(form))


@cache
def checker(shape: Shape) -> Check:
    """The check for a shape."""
    return _MAKERS[type(shape)](shape)


def _text(rule: Text) -> Check:
    shortest, longest = rule.min, math.inf if rule.max is None else rule.max
    matches = _matcher(rule.pattern) if rule.pattern else None

    def check(value: object) -> str:
        text = value if type(value) is str else _as_text(value)
        _refuse_unstorable(text)
        if len(text) > longest:
            raise Refused(Fault(f"must NOT have more than {longest} characters"))
        if len(text) < shortest:
            raise Refused(Fault(f"must NOT have fewer than {shortest} characters"))
        if matches and not matches(text):
            raise Refused(Fault(f'must match pattern "{rule.pattern}"'))
        return text

    return check


def _formatted(name: str, parse: Callable[[str], object]) -> Check:
    def check(value: object) -> str:
        text = value if type(value) is str else _as_text(value)
        if parse(text) is None:
            raise Refused(Fault(f'must match format "{name}"'))
        return text

    return check


def _integer(rule: Integer) -> Check:
    def check(value: object) -> int:
        number = value if type(value) is int else _as_number(value, "integer")
        if number != int(number):
            raise Refused(Fault("must be integer"))
        _refuse_outside(number, rule.min, rule.max)
        return int(number)

    return check


def _number(rule: Number) -> Check:
    def check(value: object) -> float:
        number = _as_number(value, "number")
        _refuse_outside(number, rule.min, rule.max)
        return float(number)

    return check


def _boolean(_: Boolean) -> Check:
    def check(value: object) -> bool:
        single = _single(value)
        if single is True or single == "true" or (_is_number(single) and single == 1):
            return True
        if single is False or single is None or single == "false" or (_is_number(single) and single == 0):
            return False
        raise Refused(Fault("must be boolean"))

    return check


def _choice(rule: Choice) -> Check:
    values = frozenset(option.value for option in rule.options)
    union = Fault("must match a schema in anyOf")
    unequal = (*repeat(Fault("must be equal to constant"), len(values)), union)
    no_text = (*repeat(Fault("must be string"), len(values)), union)

    def check(value: object) -> object:
        single = _single(value)
        if isinstance(single, dict | list):
            raise Refused(*no_text)
        if single not in values:
            raise Refused(*unequal)
        return single

    return check


def _constant(rule: Constant) -> Check:
    def check(value: object) -> object:
        if type(value) is not type(rule.value) or value != rule.value:
            raise Refused(Fault("must be equal to constant"))
        return value

    return check


def _anything(_: Anything) -> Check:
    return lambda value: value


def _nullable(rule: Nullable) -> Check:
    inner = checker(rule.inner)
    return lambda value: None if value is None else inner(value)


def _items(rule: Items) -> Check:
    check_item = checker(rule.item)
    fewest, most = rule.count.min, math.inf if rule.count.max is None else rule.count.max

    def check(value: object) -> list[object]:
        if isinstance(value, dict):
            raise Refused(Fault("must be array"))
        items = value if isinstance(value, list) else [value]
        if len(items) > most:
            raise Refused(Fault(f"must NOT have more than {most} items"))
        if len(items) < fewest:
            raise Refused(Fault(f"must NOT have fewer than {fewest} items"))
        return [_checked(check_item, item, str(at)) for at, item in enumerate(items)]

    return check


def _members(rule: Members) -> Callable[[object], dict[str, object]]:
    required = tuple(member.alias for member in rule.members if member.required)
    checks = tuple((member.alias, checker(member.shape)) for member in rule.members)

    def check(value: object) -> dict[str, object]:
        if not isinstance(value, dict):
            raise Refused(Fault("must be object"))
        for name in required:
            if name not in value:
                raise Refused(Fault(f"must have required property '{name}'", missing=name))
        return {name: _checked(check_member, value[name], name) for name, check_member in checks if name in value}

    return check


def _checked(check: Check, value: object, key: str) -> object:
    try:
        return check(value)
    except Refused as refused:
        raise refused.under(key) from None


def _single(value: object) -> object:
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _as_text(value: object) -> str:
    single = _single(value)
    if isinstance(single, str):
        return single
    if single is None:
        return ""
    if isinstance(single, bool):
        return "true" if single else "false"
    if isinstance(single, int | float):
        return text_from_number(single)
    raise Refused(Fault("must be string"))


def _as_number(value: object, expected: str) -> int | float:
    single = 0 if value is None else _single(value)
    number = number_from_text(single) if isinstance(single, str) else 0 if single is None else single
    # Beyond what a double holds there is only infinity, which is not a JSON number.
    if isinstance(number, int | float) and abs(number) <= _LARGEST_DOUBLE:
        return number
    raise Refused(Fault(f"must be {expected}"))


def _refuse_outside(number: float, lowest: float | None, highest: float | None) -> None:
    if highest is not None and number > highest:
        raise Refused(Fault(f"must be <= {highest}"))
    if lowest is not None and number < lowest:
        raise Refused(Fault(f"must be >= {lowest}"))


def _refuse_unstorable(text: str) -> None:
    fault = text_fault(text)
    if fault:
        raise Refused(Fault(fault))


def _matcher(pattern: str) -> Callable[[str], object]:
    # JavaScript's $ is the very end; Python's also matches before a last line feed.
    return re.compile(pattern[1:-1], re.ASCII).fullmatch


_LARGEST_DOUBLE = float.fromhex("0x1.fffffffffffffp+1023")
_MAKERS: dict[type, Callable[..., Check]] = {
    Text: _text,
    Integer: _integer,
    Number: _number,
    Boolean: _boolean,
    Uuid: lambda _: _formatted("uuid", parse_uuid),
    DateTime: lambda _: _formatted("date-time", parse_datetime),
    Choice: _choice,
    Constant: _constant,
    Nullable: _nullable,
    Items: _items,
    Members: _members,
    Anything: _anything,
}
