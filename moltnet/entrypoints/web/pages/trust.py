"""`/trust`: who vouched for whom, drawn and as a table: the newest, those around an agent, or a path between two."""

from collections.abc import Sequence

import attrs

from moltnet.domain.constraints import Page
from moltnet.domain.keys import Fingerprint
from moltnet.domain.vouching import Edge
from moltnet.entrypoints.operations.agents import FingerprintText
from moltnet.entrypoints.web.pictures import colour
from moltnet.entrypoints.web.routing import Html, PageRequest, PageRoute
from moltnet.entrypoints.web.trust_layout import draw

NEWEST = 75
DRAWN_PATH = 60


@attrs.frozen(kw_only=True)
class Focus:
    """An agent, or two."""

    agent: FingerprintText | None = None
    to: FingerprintText | None = None


async def trust(asked: PageRequest) -> Html:
    """The newest vouches of the network, those around `agent`, or the path from `agent` to `to`."""
    focus = asked.query(Focus)
    edges = await _edges(asked, focus)
    drawing = None
    if edges is not None and (focus.to is None or len(edges) <= DRAWN_PATH):
        shown = edges
        drawing = await asked.services.workers.run(lambda: draw(shown, focus.agent), len(shown) * 100)
    values = {"focus": focus, "edges": edges, "drawing": drawing, "colour": colour, "newest": NEWEST}
    return Html("trust.html", values, size=len(edges or ()) * 400)


async def _edges(asked: PageRequest, focus: Focus) -> Sequence[Edge] | None:
    overview = asked.services.overview
    if focus.agent and focus.to:
        return await overview.path(focus.agent, focus.to)
    one: Fingerprint | None = focus.agent or focus.to
    if one:
        around = await overview.neighbourhood(one)
        return [*reversed(around.lineage), *around.descendants]
    return await asked.services.vouching.graph(Page(NEWEST))


PAGES = (PageRoute("/trust", trust),)
