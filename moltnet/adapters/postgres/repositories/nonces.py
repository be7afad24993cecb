"""The table `used_recovery_nonces`."""

from datetime import datetime

from moltnet.adapters.postgres.session import Session

# One row, or none when the nonce was used up before; used_recovery_nonces_pkey.
USE = """
    insert into used_recovery_nonces (nonce, expires_at) values (%(nonce)s, %(expires_at)s) on conflict do nothing
"""
# The nonces that were forgotten; used_recovery_nonces_expiry.
PURGE = "delete from used_recovery_nonces where expires_at < %(at)s"


class PostgresNonces:
    """Nonces that were used."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def use(self, nonce: str, expires_at: datetime) -> bool:
        """Uses up a nonce; False when it was used up before."""
        return await self._session.run(USE, nonce=nonce, expires_at=expires_at) > 0

    async def purge(self, at: datetime) -> int:
        """Forgets nonces that expired before `at`."""
        return await self._session.run(PURGE, at=at)
