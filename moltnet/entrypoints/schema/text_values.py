"""Numbers and points in time as text in a request.

Numbers are read and written as in JavaScript, since the original's coercion is JavaScript's.
"""

import math
import re
from datetime import UTC, datetime
from decimal import Decimal

# RFC 3339 §5.6, in capitals or not; a leap second is not a moment that can be stored.
_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII)


def parse_datetime(text: str) -> datetime | None:
    """The time a text means, in UTC and cut to microseconds; None for other text, and for what no calendar has."""
    if not _DATE_TIME.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


# ECMA-262 §7.1.4.1.1 StringNumericLiteral, its decimal form only: `5`, `+.5`, `1e1`.
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_DIGITS = re.compile(r"[+-]?[0-9]{1,400}")
_PLAIN_UP_TO = 21
_PLAIN_DOWN_TO = -6


def number_from_text(text: str) -> int | float | None:
    """The number a text holds, white space around it aside; None for any other text, the empty one included."""
    stripped = text.strip()
    if _DIGITS.fullmatch(stripped):
        return int(stripped)
    return float(stripped) if _DECIMAL.fullmatch(stripped) else None


def text_from_number(number: float) -> str:
    """A number as JavaScript writes it (ECMA-262 §6.1.6.1.20): `1` for 1.0, `1e+21`, never `1e16`."""
    double = _double(number)
    if not math.isfinite(double):
        return "NaN" if math.isnan(double) else "-Infinity" if double < 0 else "Infinity"
    if double == 0:
        return "0"
    shortest = Decimal(repr(abs(double))).normalize().as_tuple()
    digits = "".join(map(str, shortest.digits))
    return ("-" if double < 0 else "") + _placed(digits, len(digits) + int(shortest.exponent))


def _double(number: float) -> float:
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def _placed(digits: str, point: int) -> str:
    if len(digits) <= point <= _PLAIN_UP_TO:
        return digits.ljust(point, "0")
    if 0 < point <= _PLAIN_UP_TO:
        return f"{digits[:point]}.{digits[point:]}"
    if _PLAIN_DOWN_TO < point <= 0:
        return f"0.{'0' * -point}{digits}"
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{digits[0]}{fraction}e{point - 1:+d}"
