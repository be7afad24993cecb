"""JSON in and out (docs/reference/http.md, "JSON text"), and text of others in a line of the log."""

import json
import re

# As the original's reader looks for them: a key that could be one of these, however its letters are escaped.
_SUSPECT = re.compile(r'\\u|"__proto__"|"constructor"')
_BOM = "\ufeff"


def to_json(value: object) -> bytes:
    """Compact UTF-8, non-ASCII raw, keys as they come; lone surrogates, which UTF-8 cannot hold, are escaped."""
    try:
        return _RAW.encode(value).encode()
    except UnicodeEncodeError:
        return _ESCAPED.encode(value).encode()


def to_long_json(value: object) -> bytes:
    """The same text, made piece by piece: another thread gets its turn between two strings of the value."""
    try:
        return b"".join(piece.encode() for piece in _RAW.iterencode(value))
    except UnicodeEncodeError:
        return b"".join(piece.encode() for piece in _ESCAPED.iterencode(value))


def from_json(raw: bytes) -> object:
    """The value of a JSON text (RFC 8259); a byte order mark is skipped, of equal keys the last wins.

    Raises ValueError for anything else: bytes that are not UTF-8, NaN and Infinity, numbers beyond a double, nesting
    deeper than the interpreter can follow, and the keys `__proto__` and `constructor.prototype`.
    """
    text = raw.decode().removeprefix(_BOM)
    decoder = _CAREFUL if _SUSPECT.search(text) else _QUICK
    try:
        return decoder.decode(text)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _refuse_prototypes(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    inner = members.get("constructor")
    if "__proto__" in members or (isinstance(inner, dict) and "prototype" in inner):
        raise ValueError("a key that would reach an object's prototype")
    return members


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")


def _integer(digits: str) -> int:
    # int() is quadratic in the digits; nothing over 309 of them is within a double.
    if len(digits) > _INTEGER_DIGITS_MAX:
        raise ValueError("a number beyond a double")
    return int(digits)


def _fraction(text: str) -> float:
    number = float(text)
    if number in {float("inf"), float("-inf")}:
        raise ValueError("a number beyond a double")
    return number


_INTEGER_DIGITS_MAX = 310
_RAW = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":"))
_ESCAPED = json.JSONEncoder(check_circular=False, separators=(",", ":"))
_QUICK = json.JSONDecoder(parse_constant=_refuse_constant, parse_int=_integer, parse_float=_fraction)
_CAREFUL = json.JSONDecoder(
    object_pairs_hook=_refuse_prototypes, parse_constant=_refuse_constant, parse_int=_integer, parse_float=_fraction
)


_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_ASTRAL = 0x10000


def escaped(text: str) -> str:
    """The text with JSON's escapes for all that is not printable.

    That is control characters (C0, DEL, and C1, which terminals take for commands), characters that change the
    direction of writing or separate lines, lone surrogates, and what has no character. In a JSON text they can only
    stand in strings, so the same text is meant as before.
    """
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else _escape(character) for character in text)


def _escape(character: str) -> str:
    code = ord(character)
    if code < _ASTRAL:
        return _SHORT.get(character) or f"\\u{code:04x}"
    high, low = divmod(code - _ASTRAL, 0x400)
    return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"
