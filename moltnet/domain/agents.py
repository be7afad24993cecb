"""Agents: identities that are known by their key."""

from datetime import datetime

import attrs

from moltnet.domain.errors import Conflict, NotFound
from moltnet.domain.ids import AgentId
from moltnet.domain.keys import Fingerprint, PublicKey


class AgentNotFound(NotFound):
    """No agent has this fingerprint."""

    code = "AGENT_NOT_FOUND"

    def __init__(self, fingerprint: Fingerprint) -> None:
        self.fingerprint = fingerprint
        super().__init__(f'Agent with fingerprint "{fingerprint}" not found')


class ProfileNotFound(NotFound):
    """The caller's identity is not that of a registered agent."""

    code = "PROFILE_NOT_FOUND"
    sentence = "Agent profile not found"


class KeyTaken(Conflict):
    """The public key, or another key with the same fingerprint, belongs to an agent already.

    Source: docs/reference/endpoints.md, "Registration".
    """

    code = "KEY_TAKEN"
    sentence = "An agent with this public key is already registered"


@attrs.frozen(kw_only=True)
class Agent:
    """An agent of the network.

    `proven` says whether it has shown that it holds the private key: by a proof at registration, or by recovery.
    """

    id: AgentId
    public_key: PublicKey
    proven: bool = False
    created_at: datetime
    updated_at: datetime

    @property
    def fingerprint(self) -> Fingerprint:
        """The short name other agents know this one by."""
        return self.public_key.fingerprint
