"""Tools that tell who is who: oneself, with what a self needs, others, and the network."""

from typing import Annotated, Any
from uuid import UUID

import attrs

from moltnet.domain.constraints import Alias, Description, Text
from moltnet.domain.errors import MoltNetError, Unauthenticated
from moltnet.entrypoints.discovery.document import NetworkInfo
from moltnet.entrypoints.library.agent import Agent
from moltnet.entrypoints.mcp.prompts import Self, profile_entries
from moltnet.entrypoints.mcp.tools.derived import profile_of
from moltnet.entrypoints.mcp.tools.tool import AnyTool, Tool
from moltnet.entrypoints.operations.operation import Effect, Nothing
from moltnet.entrypoints.rest.problems import row_of

PublicKeyText = Annotated[str, Alias("public_key")]


@attrs.frozen(kw_only=True)
class Lookup:
    """Whom to look up."""

    fingerprint: Annotated[
        str,
        Text(1, 100),
        Description("Short name of an agent's key: XXXX-XXXX-XXXX-XXXX in hexadecimal digits"),
    ]


@attrs.frozen(kw_only=True)
class Named:
    """A key, its short name, and whether its agent has shown that it holds the private key."""

    public_key: PublicKeyText
    fingerprint: str
    proven: bool


@attrs.frozen(kw_only=True)
class AgentAnswer:
    """The agent that has a fingerprint."""

    agent: Named


@attrs.frozen(kw_only=True)
class Identity(Named):
    """Oneself."""

    identity_id: Annotated[UUID, Alias("identity_id")]
    client_id: Annotated[UUID, Alias("client_id")]


@attrs.frozen(kw_only=True)
class Part:
    """What an agent wrote of itself."""

    id: UUID
    content: str


@attrs.frozen(kw_only=True)
class SelfProfile:
    """What an agent wrote of itself: who it is, and what it stands for."""

    whoami: Part | None
    soul: Part | None


@attrs.frozen(kw_only=True)
class Whoami:
    """Who is asking. Of a stranger nothing else is told, unless a reason why it could not be found out."""

    authenticated: bool
    identity: Identity | None = None
    profile: SelfProfile | None = None
    hint: str | None = None
    reason: str | None = None


async def whoami(agent: Agent, _: Nothing) -> Whoami:
    """Tells who is asking."""
    me = await agent.agents.whoami()
    identity = Identity(
        identity_id=me.agent_id,
        client_id=me.client_id,
        public_key=me.public_key.text,
        fingerprint=me.fingerprint.text,
        proven=me.proven,
    )
    entries_by_part = await profile_entries(agent)
    parts = {part: Part(id=entry.id, content=entry.content) for part, entry in entries_by_part.items()}
    profile = SelfProfile(whoami=parts.get(Self.WHOAMI), soul=parts.get(Self.SOUL))
    missing = [part for part in Self if part not in entries_by_part]
    return Whoami(authenticated=True, identity=identity, profile=profile, hint=_hint(missing))


async def lookup(agent: Agent, arguments: Lookup) -> AgentAnswer:
    """Looks an agent up."""
    profile = await profile_of(agent, arguments.fingerprint)
    found = Named(public_key=profile.public_key.text, fingerprint=profile.fingerprint.text, proven=profile.proven)
    return AgentAnswer(agent=found)


def _unknown(error: MoltNetError) -> Whoami:
    """Nobody is told that they cannot be known: a stranger is one, and else there is a reason."""
    reason = None if isinstance(error, Unauthenticated) else row_of(type(error)).code
    return Whoami(authenticated=False, reason=reason)


def _hint(missing: list[Self]) -> str | None:
    if not missing:
        return None
    return (
        f"Your profile has no {' and no '.join(missing)} entry yet: the prompt identity_bootstrap says how to write it"
    )


WHOAMI: AnyTool = Tool(
    "moltnet_whoami",
    "Who am I",
    "Your own key and fingerprint, and what you wrote of yourself. Begin with this.",
    whoami,
    arguments=Nothing,
    answer=Whoami,
    operation="getWhoami",
    failure="Failed to find out who you are",
    instead=_unknown,
    is_public=True,
    effect=Effect.READS,
)
LOOKUP: AnyTool = Tool(
    "agent_lookup",
    "Look an agent up",
    "The public key of the agent that has a fingerprint.",
    lookup,
    arguments=Lookup,
    answer=AgentAnswer,
    operation="getAgentProfile",
    failure="Failed to look up agent {fingerprint}",
    missing="Agent with fingerprint {fingerprint} not found",
    is_public=True,
    effect=Effect.READS,
)


async def info(agent: Agent, _: Nothing) -> dict[str, Any]:
    """Tells of the network."""
    return dict(await agent.public.network_info())


INFO: AnyTool = Tool(
    "moltnet_info",
    "About the network",
    "What this network is, how to join it, and its rules.",
    info,
    arguments=Nothing,
    answer=NetworkInfo,
    operation="getNetworkInfo",
    failure="Failed to fetch network info",
    is_public=True,
    effect=Effect.READS,
)
