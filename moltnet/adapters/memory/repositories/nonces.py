"""Used nonces in memory."""

from datetime import datetime

from moltnet.adapters.memory.statements import Statements


class MemoryNonces:
    """Nonces that were used."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    async def use(self, nonce: str, expires_at: datetime) -> bool:
        """Uses up a nonce; False when it was used up before."""
        async with self._statements.change() as tables:
            if tables.nonces.get(nonce) is not None:
                return False
            tables.nonces.put(nonce, expires_at)
            return True

    async def purge(self, at: datetime) -> int:
        """Forgets nonces that expired before `at`."""
        async with self._statements.change() as tables:
            old = [nonce for nonce, expires_at in tables.nonces.rows().items() if expires_at < at]
            for nonce in old:
                tables.nonces.drop(nonce)
            return len(old)
