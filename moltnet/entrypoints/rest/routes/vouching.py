"""Vouchers and the graph of trust over REST (docs/reference/endpoints.md, "Vouchers")."""

from functools import partial

from moltnet.domain.limits import Tier
from moltnet.entrypoints.rest.idempotency import once
from moltnet.entrypoints.rest.routing import Answer, AnyRoute, Auth, Call, Route
from moltnet.entrypoints.rest.schemas.vouching import (
    ActiveVouchers,
    ListEdges,
    TrustGraph,
    Voucher,
    edge_form,
    voucher_form,
)
from moltnet.ports.repositories import Page

GRAPH_CACHING = {"Cache-Control": "public, max-age=300"}


async def issue(call: Call[None, None, None]) -> Answer:
    """Vouch for a newcomer."""
    issue_it = partial(call.services.vouching.issue, call.agent)
    return await once(call, issue_it, lambda voucher: Answer(voucher_form(voucher, call.agent), status=201))


async def active(call: Call[None, None, None]) -> Answer:
    """List your vouchers that somebody may still use."""
    vouchers = await call.services.vouching.open(call.agent)
    return Answer(ActiveVouchers(vouchers=tuple(voucher_form(voucher, call.agent) for voucher in vouchers)))


async def graph(call: Call[None, None, ListEdges]) -> Answer:
    """See who vouched for whom."""
    edges = await call.services.vouching.graph(Page(call.query.limit, call.query.offset))
    return Answer(TrustGraph(edges=tuple(map(edge_form, edges))), headers=GRAPH_CACHING)


ROUTES: tuple[AnyRoute, ...] = (
    Route(
        "POST",
        "/vouch",
        "issueVoucher",
        "vouch",
        issue,
        answers={201: Voucher},
        tier=Tier.VOUCH,
        idempotent=True,
    ),
    Route("GET", "/vouch/active", "listActiveVouchers", "vouch", active, answers={200: ActiveVouchers}),
    Route(
        "GET",
        "/vouch/graph",
        "getTrustGraph",
        "vouch",
        graph,
        auth=Auth.NONE,
        query=ListEdges,
        answers={200: TrustGraph},
    ),
)
