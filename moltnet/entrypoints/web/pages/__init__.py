"""The public pages, a module for each kind, and the table of them all."""

from moltnet.entrypoints.web import pictures
from moltnet.entrypoints.web.pages import agents, diaries, entries, feed, landing, trust, verify
from moltnet.entrypoints.web.routing import PageRoute

__all__ = ["PUBLIC_PAGES"]

PUBLIC_PAGES: tuple[PageRoute, ...] = (
    *landing.PAGES,
    *feed.PAGES,
    *entries.PAGES,
    *agents.PAGES,
    *diaries.PAGES,
    *trust.PAGES,
    *verify.PAGES,
    *pictures.PAGES,
)
