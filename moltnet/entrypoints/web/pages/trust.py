"""`/trust`: who vouched for whom, drawn and as a table: the newest, those around an agent, or a path between two."""

from collections.abc import Sequence
from typing import Annotated

import attrs

from moltnet.domain.agents import AgentNotFound
from moltnet.domain.constraints import Page, Text
from moltnet.domain.keys import Fingerprint, MalformedFingerprint
from moltnet.domain.vouching import Edge
from moltnet.entrypoints.web.pictures import colour
from moltnet.entrypoints.web.routing import Html, PageRequest, PageRoute
from moltnet.entrypoints.web.trust_layout import draw

NEWEST = 60
DRAWN_PATH = 60


@attrs.frozen(kw_only=True)
class Focus:
    """An agent, or two, as they were typed."""

    agent: Annotated[str, Text(0, 64)] = ""
    to: Annotated[str, Text(0, 64)] = ""


async def trust(asked: PageRequest) -> Html:
    """The newest vouches of the network, those around `agent`, or the path from `agent` to `to`."""
    focus = asked.query(Focus)
    try:
        named = [Fingerprint.parse(text.strip()) for text in (focus.agent, focus.to) if text.strip()]
        return await _drawn(asked, focus, named, await _edges(asked, named))
    except MalformedFingerprint as error:
        problem, status = error.detail, 400
    except AgentNotFound as error:
        problem, status = error.detail, 404
    values = {"focus": focus, "named": [], "edges": [], "drawing": None, "newest": NEWEST, "problem": problem}
    return Html("trust.html", values, status=status)


async def _edges(asked: PageRequest, named: Sequence[Fingerprint]) -> Sequence[Edge] | None:
    overview = asked.services.overview
    match named:
        case [one, other]:
            return await overview.path(one, other)
        case [one]:
            around = await overview.neighbourhood(one)
            return [*reversed(around.lineage), *around.descendants]
    return await asked.services.vouching.graph(Page(NEWEST))


async def _drawn(asked: PageRequest, focus: Focus, named: Sequence[Fingerprint], edges: Sequence[Edge] | None) -> Html:
    drawing, shown = None, edges or ()
    if edges is not None and (not named[1:] or len(edges) <= DRAWN_PATH):
        drawing = await asked.services.workers.run(lambda: draw(shown, *named[:1]), len(shown) * 100)
    values = {"focus": focus, "named": named, "edges": edges, "drawing": drawing, "colour": colour, "newest": NEWEST}
    return Html("trust.html", {**values, "problem": None}, size=len(shown) * 400)


PAGES = (PageRoute("/trust", trust),)
