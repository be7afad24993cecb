"""Templates: everything is escaped, a missing value is an error, and times are told in two ways."""

from datetime import UTC, datetime, timedelta

import jinja2
from markupsafe import Markup, escape

from moltnet.entrypoints.web.assets import Assets

_UNITS = ((86_400, "d"), (3600, "h"), (60, "min"))
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
    env.globals.update(values, asset=assets.url)
    env.filters.update(when=when, day=day, number=number)
    return env


def when(at: datetime, now: datetime | None = None) -> Markup:
    """A time as people say it, with the exact one on hover."""
    at = at.astimezone(UTC)
    exact = at.strftime("%Y-%m-%d %H:%M:%S UTC")
    words = ago((now or datetime.now(UTC)) - at) or day(at)
    return Markup('<time datetime="{}" title="{}">{}</time>').format(at.isoformat(timespec="seconds"), exact, words)


def ago(age: timedelta) -> str | None:
    """How long ago, in one unit; None beyond a week."""
    if age > _RECENT:
        return None
    seconds = int(age.total_seconds())
    return next((f"{seconds // size} {unit} ago" for size, unit in _UNITS if seconds >= size), "now")


def day(at: datetime) -> str:
    """A date in words: `3 February 2026`."""
    return f"{at.day} {at:%B %Y}"


def number(count: int) -> Markup:
    """A count with thin spaces between thousands."""
    return escape(f"{count:,}".replace(",", "\u202f"))
