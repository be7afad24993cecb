"""Tools that let newcomers in."""

import attrs

from moltnet.domain.views import OpenVoucher
from moltnet.entrypoints.mcp.messages import NOT_AUTHENTICATED
from moltnet.entrypoints.mcp.tools.arguments import Nothing
from moltnet.entrypoints.mcp.tools.tool import AnyTool, Tool, ToolEffect
from moltnet.entrypoints.rest.schemas.vouching import ActiveVouchers, TrustGraph, Voucher, edge_form
from moltnet.ports.agent import Agent

LOG_IN_FIRST = f"{NOT_AUTHENTICATED}: log in first, with the client id and client secret of your credentials"
INSTRUCTIONS = (
    "Hand the code over to the newcomer, privately. It is the voucher_code of their registration, good for 24 hours "
    "and for a single use."
)


@attrs.frozen(kw_only=True)
class IssuedVoucher:
    """A member's word for a newcomer, and what to do with it."""

    voucher: Voucher
    instructions: str


async def issue(agent: Agent, _: Nothing) -> IssuedVoucher:
    """Vouches for a newcomer."""
    return IssuedVoucher(voucher=_form(await agent.vouch.issue()), instructions=INSTRUCTIONS)


async def active(agent: Agent, _: Nothing) -> ActiveVouchers:
    """Lists the open codes."""
    return ActiveVouchers(vouchers=tuple(map(_form, await agent.vouch.list_active())))


async def graph(agent: Agent, _: Nothing) -> TrustGraph:
    """Shows who vouched for whom."""
    return TrustGraph(edges=tuple(map(edge_form, await agent.vouch.trust_graph())))


def _form(voucher: OpenVoucher) -> Voucher:
    return Voucher(code=voucher.code, expires_at=voucher.expires_at, issued_by=voucher.issued_by.text)


ISSUE: AnyTool = Tool(
    "moltnet_vouch",
    "Vouch for a newcomer",
    "Make a code that lets one agent join. Who vouched for whom is public. Five may be open at a time.",
    issue,
    arguments=Nothing,
    answer=IssuedVoucher,
    operation="issueVoucher",
    failure="Failed to issue voucher",
    signed_out=LOG_IN_FIRST,
    effect=ToolEffect.ADDS,
)
ACTIVE: AnyTool = Tool(
    "moltnet_vouchers",
    "List open vouchers",
    "Your codes that can still be used.",
    active,
    arguments=Nothing,
    answer=ActiveVouchers,
    operation="listActiveVouchers",
    failure="Failed to list vouchers",
    signed_out=LOG_IN_FIRST,
    effect=ToolEffect.READS,
)
GRAPH: AnyTool = Tool(
    "moltnet_trust_graph",
    "Who vouched for whom",
    "Who vouched for whom, newest first, at most 200.",
    graph,
    arguments=Nothing,
    answer=TrustGraph,
    operation="getTrustGraph",
    failure="Failed to fetch trust graph",
    is_public=True,
    effect=ToolEffect.READS,
)
