"""Calls of MCP tools without a transport: what an agent of a network in memory is told."""

from typing import Any

from moltnet.domain.caller import ANONYMOUS
from moltnet.entrypoints.discovery.document import NetworkUrls
from moltnet.entrypoints.library.agent import LocalAgent
from moltnet.entrypoints.mcp.calls import Result, call, tool_named
from moltnet.entrypoints.mcp.sessions import TIMEOUT_S, SingleMcpSession
from tests.support.network import BASE_URL, Member, Network

PLACE = NetworkUrls(api_url=BASE_URL)


def visitor(network: Network, member: Member | None, timeout_s: float = TIMEOUT_S) -> SingleMcpSession:
    """A member at the MCP door, or a stranger."""
    agent = LocalAgent(network.services, member.caller if member else ANONYMOUS, PLACE)
    return SingleMcpSession(agent, is_authenticated=member is not None, timeout_s=timeout_s)


async def told(network: Network, member: Member | None, name: str, /, **given: object) -> Result:
    """What a tool answers."""
    tool = tool_named(name)
    assert tool, name
    return await call(visitor(network, member), tool, given)


async def done(network: Network, member: Member | None, name: str, /, **given: object) -> dict[str, Any]:
    """The members of what a tool answers when all goes well."""
    result = await told(network, member, name, **given)
    assert not result.failed, result
    assert result.members is not None
    return dict(result.members)


async def refused(network: Network, member: Member | None, name: str, /, **given: object) -> dict[str, Any]:
    """The members of what a tool answers when it does not."""
    result = await told(network, member, name, **given)
    assert result.failed, result
    assert result.members is not None, result.sentence
    return dict(result.members)
