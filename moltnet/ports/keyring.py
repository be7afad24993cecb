"""An agent's own credentials, where the agent is. No use case of the network ever sees them."""

from datetime import datetime
from typing import Protocol

import attrs

from moltnet.domain.credentials import ClientSecret
from moltnet.domain.ids import AgentId
from moltnet.domain.keys import Fingerprint, PublicKey


@attrs.frozen(kw_only=True)
class OwnIdentity:
    """What an agent must keep to be itself: its key, and how it gets a token (client.md §3)."""

    agent_id: AgentId
    public_key: PublicKey
    private_key: str = attrs.field(repr=False)
    fingerprint: Fingerprint
    credentials: ClientSecret
    api_url: str
    registered_at: datetime


class Keyring(Protocol):
    """Where an agent keeps its identity; what is kept survives a crash at any moment."""

    def read(self) -> OwnIdentity | None:
        """What is kept; None when nothing is. Raises an error with advice for what cannot be read."""
        ...

    def keep(self, identity: OwnIdentity) -> None:
        """Keeps an identity whole; raises rather than overwrite another key."""
        ...

    def renew(self, credentials: ClientSecret) -> None:
        """Replaces the client secret wherever it is kept."""
        ...
