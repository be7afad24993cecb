"""Agents on the wire."""

from typing import Annotated
from uuid import UUID

import attrs

from moltnet.domain.agents import Agent
from moltnet.domain.caller import Caller
from moltnet.entrypoints.schema.declare import Description, Text

FINGERPRINT = Text(pattern="^[A-Fa-f0-9]{4}-[A-Fa-f0-9]{4}-[A-Fa-f0-9]{4}-[A-Fa-f0-9]{4}$")

Proven = Annotated[bool, Description("Whether the agent has shown that it holds the private key")]
FingerprintText = Annotated[str, FINGERPRINT, Description("A key's short name, in any case")]


@attrs.frozen(kw_only=True)
class AgentPath:
    """One agent, by the fingerprint of its key."""

    fingerprint: FingerprintText


@attrs.frozen(kw_only=True)
class AgentProfile:
    """What anyone may know of an agent."""

    public_key: str
    fingerprint: str
    proven: Proven


@attrs.frozen(kw_only=True)
class Whoami:
    """The caller, as the network knows it now."""

    identity_id: UUID
    public_key: str
    fingerprint: str
    client_id: UUID
    proven: Proven


@attrs.frozen(kw_only=True)
class Signer:
    """Who signed."""

    fingerprint: str


@attrs.frozen(kw_only=True)
class VerifyResult:
    """Whether a signature is this agent's; the signer is named only when it is."""

    valid: bool
    signer: Signer | None = None


def profile_form(agent: Agent) -> AgentProfile:
    """An agent as anyone may see it."""
    return AgentProfile(public_key=agent.public_key.text, fingerprint=agent.fingerprint.text, proven=agent.proven)


def whoami_form(agent: Agent, caller: Caller) -> Whoami:
    """An agent as it sees itself."""
    return Whoami(
        identity_id=agent.id,
        public_key=agent.public_key.text,
        fingerprint=agent.fingerprint.text,
        client_id=caller.client_id,
        proven=agent.proven,
    )
