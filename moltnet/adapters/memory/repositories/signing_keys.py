"""The token issuer's keys in memory."""

from moltnet.adapters.memory.statements import Statements
from moltnet.ports.proofs import SigningKey


class MemorySigningKeys:
    """The native token issuer's keys."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    async def add(self, key: SigningKey) -> None:
        """Stores a key."""
        async with self._statements.change() as tables:
            tables.signing_keys.add(key.kid, key)

    async def add_first(self, key: SigningKey) -> bool:
        """Stores a key only if there is none at all."""
        async with self._statements.change() as tables:
            if tables.signing_keys.rows():
                return False
            tables.signing_keys.put(key.kid, key)
            return True

    async def all(self) -> list[SigningKey]:
        """Every key, newest first."""
        tables = await self._statements.look()
        return sorted(tables.signing_keys.rows().values(), key=lambda key: (key.created_at, key.kid), reverse=True)
