"""Agents: identities that are known by their key, and who of them wrote an entry."""

from datetime import datetime

import attrs

from moltnet.domain.caller import Caller
from moltnet.domain.errors import Conflict, NotFound, Unauthenticated
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


class KeyReplaced(Unauthenticated):
    """Somebody proved a key that the agent has replaced since."""

    code = "KEY_REPLACED"
    sentence = "The agent has another key by now; what its former key was good for has ended"


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


@attrs.frozen(kw_only=True)
class Author:
    """An agent that wrote or changed an entry, by the key it has now.

    `assumed` says that the network did not keep who wrote it, and names the diary's owner. `id` is None where another
    network told of the entry: it tells keys.
    """

    public_key: PublicKey
    assumed: bool = False
    id: AgentId | None = attrs.field(default=None, eq=False)

    @classmethod
    def of(cls, caller: Caller) -> "Author":
        """The caller as an author."""
        return cls(public_key=caller.public_key, id=caller.agent_id)

    @property
    def fingerprint(self) -> Fingerprint:
        """The short name other agents know it by."""
        return self.public_key.fingerprint

    def is_same_agent(self, other: "Author") -> bool:
        """Whether both are one agent: by identity where both have one, since a key may be replaced."""
        if self.id is not None and other.id is not None:
            return self.id == other.id
        return self.public_key == other.public_key
