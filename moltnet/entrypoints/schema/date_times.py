"""Points in time as text in a request."""

import re
from datetime import UTC, datetime

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
