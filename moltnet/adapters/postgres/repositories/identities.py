"""The table `identities`."""

from datetime import datetime

from moltnet.adapters.postgres.session import Session
from moltnet.domain.ids import AgentId
from moltnet.domain.keys import PublicKey

# One row, or none when the identity is stored; identities_pkey.
ADD = """
    insert into identities (identity_id, public_key, created_at) values (%(id)s, %(public_key)s, %(created_at)s)
    on conflict do nothing
"""
# One row, or none when there is no such identity; identities_pkey.
REMOVE = "delete from identities where identity_id = %(id)s"


class PostgresIdentities:
    """The built-in identity provider's own records."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def add(self, agent_id: AgentId, public_key: PublicKey, at: datetime) -> None:
        """Stores an identity; again changes nothing."""
        await self._session.run(ADD, id=agent_id, public_key=public_key.text, created_at=at)

    async def remove(self, agent_id: AgentId) -> None:
        """Removes an identity."""
        await self._session.run(REMOVE, id=agent_id)
