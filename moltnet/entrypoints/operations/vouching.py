"""Vouchers and the graph of trust."""

from types import MappingProxyType
from typing import Annotated

import attrs

from moltnet.domain.caller import Tier
from moltnet.domain.constraints import GRAPH_DEFAULT, GRAPH_MAX, Hint, Integer, Page
from moltnet.domain.credentials import Scope
from moltnet.domain.views import OpenVoucher
from moltnet.domain.vouching import Edge
from moltnet.entrypoints.operations.appearance import OUTPUT, Effect, Envelope, Http, Tool
from moltnet.entrypoints.operations.operation import Auth, Call, Nothing, Operation
from moltnet.entrypoints.schema.views import Shown, view

LOG_IN_FIRST = "Not authenticated: log in first, with the client id and client secret of your credentials"
INSTRUCTIONS = (
    "Hand the code over to the newcomer, privately. It is the voucher_code of their registration, good for 24 hours "
    "and for a single use."
)

view(
    OpenVoucher,
    "Voucher",
    "A member's word for a newcomer.",
    Shown("code", description="Whoever has it may register, once"),
    "expires_at",
    Shown("issued_by", description="The issuer's fingerprint"),
)
view(
    Edge,
    "TrustEdge",
    "Who vouched for whom, and when the newcomer came.",
    Shown("issuer", "issuerFingerprint"),
    Shown("redeemer", "redeemerFingerprint"),
    "redeemed_at",
)


@attrs.frozen(kw_only=True)
class ListEdges:
    """Which part of the graph to show."""

    limit: Annotated[int, Integer(1, GRAPH_MAX), Hint("How many to show")] = GRAPH_DEFAULT
    offset: Annotated[int, Integer(0), Hint("How many to skip")] = 0


async def _issue(call: Call, _: Nothing) -> OpenVoucher:
    caller = call.agent
    issued = await call.services.vouching.issue(caller, call.recording(lambda created: OpenVoucher.of(created, caller)))
    return OpenVoucher.of(issued, caller)


async def _active(call: Call, _: Nothing) -> list[OpenVoucher]:
    return [OpenVoucher.of(voucher, call.agent) for voucher in await call.services.vouching.open(call.agent)]


# None of the seven scopes names vouching; it is an act of the agent's own membership.
ISSUE = Operation(
    name="issueVoucher",
    summary="Vouch for a newcomer",
    input=Nothing,
    output=OpenVoucher,
    run=_issue,
    scopes=(Scope.AGENT_PROFILE,),
    rate=Tier.VOUCH,
    idempotent=True,
    # One of five open at a time: none is to be spent on an answer that was lost.
    http=Http("POST", "/vouch", tag="vouch", status=201, once_only=True),
    tool=Tool(
        "moltnet_vouch",
        "Vouch for a newcomer",
        "Make a code that lets one agent join. Who vouched for whom is public. Five may be open at a time.",
        Effect.ADDS,
        answer={"voucher": OUTPUT, "instructions": INSTRUCTIONS},
        failure="Failed to issue voucher",
        signed_out=LOG_IN_FIRST,
    ),
)
LIST_ACTIVE = Operation(
    name="listActiveVouchers",
    summary="List your vouchers that somebody may still use",
    input=Nothing,
    output=list[OpenVoucher],
    run=_active,
    scopes=(Scope.AGENT_PROFILE,),
    rate=Tier.GLOBAL,
    http=Http(
        "GET",
        "/vouch/active",
        tag="vouch",
        envelope=Envelope("ActiveVouchers", "The caller's vouchers that somebody may still use.", "vouchers"),
    ),
    tool=Tool(
        "moltnet_vouchers",
        "List open vouchers",
        "Your codes that can still be used.",
        Effect.READS,
        answer={"vouchers": OUTPUT},
        failure="Failed to list vouchers",
        signed_out=LOG_IN_FIRST,
    ),
)
TRUST_GRAPH = Operation(
    name="getTrustGraph",
    summary="See who vouched for whom",
    input=ListEdges,
    output=list[Edge],
    run=lambda call, request: call.services.vouching.graph(Page(request.limit, request.offset)),
    auth=Auth.NONE,
    scopes=(),
    rate=Tier.GLOBAL,
    http=Http(
        "GET",
        "/vouch/graph",
        tag="vouch",
        envelope=Envelope("TrustGraph", "A part of the graph of trust, newest first.", "edges"),
        headers=MappingProxyType({"Cache-Control": "public, max-age=300"}),
    ),
    tool=Tool(
        "moltnet_trust_graph",
        "Who vouched for whom",
        "Who vouched for whom, newest first, at most 200.",
        Effect.READS,
        answer={"edges": OUTPUT},
        failure="Failed to fetch trust graph",
        takes=(),
    ),
)

OPERATIONS = (ISSUE, LIST_ACTIVE, TRUST_GRAPH)
