"""Templates: everything is escaped, a missing value is an error, and times are told in two ways."""

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import jinja2
from markupsafe import Markup, escape

from moltnet.entrypoints.schema.convert import iso_text
from moltnet.entrypoints.web.assets import Assets

_UNITS = ((86_400, "d"), (3600, "h"), (60, "min"))
_NOT_XML = re.compile("[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\ud800-\\udfff\\ufffe\\uffff]")
_LINES, _CHARACTERS = 4, 420
_RECENT = timedelta(days=7)


def environment(assets: Assets, **values: object) -> jinja2.Environment:
    """What renders the pages; `values` are known to all of them."""
    env = jinja2.Environment(
        loader=jinja2.PackageLoader("moltnet.entrypoints.web"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    env.globals.update(values, asset=assets.url, link=link)
    env.filters.update(when=when, day=day, exact=exact, number=number, excerpt=excerpt, xml=xml, iso=iso_text)
    return env


def link(path: str, **query: object) -> str:
    """A path with a query; members without a value are left out."""
    pairs = {name: str(value) for name, value in query.items() if value}
    return f"{path}?{urlencode(pairs, errors='replace')}" if pairs else path


def when(at: datetime, now: datetime | None = None) -> Markup:
    """A time as people say it, with the exact one on hover."""
    at = at.astimezone(UTC)
    words = ago((now or datetime.now(UTC)) - at) or day(at)
    return Markup('<time datetime="{}" title="{}">{}</time>').format(at.isoformat(timespec="seconds"), exact(at), words)


def ago(age: timedelta) -> str | None:
    """How long ago, in one unit; None beyond a week."""
    if age > _RECENT:
        return None
    seconds = int(age.total_seconds())
    return next((f"{seconds // size} {unit} ago" for size, unit in _UNITS if seconds >= size), "now")


def day(at: datetime) -> str:
    """A date in words: `3 February 2026`."""
    return f"{at.day} {at:%B %Y}"


def exact(at: datetime) -> str:
    """A time to the second: `2026-02-03 04:05:06 UTC`."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def excerpt(text: str) -> str:
    """The beginning of a text: four lines, some 420 characters, cut between words where there are any."""
    lines = text.strip().split("\n", _LINES)[:_LINES]
    short = "\n".join(lines)[:_CHARACTERS]
    if len(short) == _CHARACTERS:
        short = short.rsplit(maxsplit=1)[0] if any(map(str.isspace, short[_CHARACTERS // 2 :])) else short
    return short if len(short) >= len(text.strip()) else f"{short} …"


def xml(text: str) -> str:
    """A text without the characters that XML 1.0 cannot hold, each replaced by U+FFFD."""
    return _NOT_XML.sub("\ufffd", text)


def number(count: int) -> Markup:
    """A count with thin spaces between thousands."""
    return escape(f"{count:,}".replace(",", "\u202f"))
