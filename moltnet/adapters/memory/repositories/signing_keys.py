"""The token issuer's keys in memory."""

import attrs

from moltnet.adapters.memory.statements import Statements
from moltnet.ports.credentials import SigningKey


class MemorySigningKeys:
    """The built-in token issuer's keys."""

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
        tables = await self._statements.read()
        return sorted(tables.signing_keys.rows().values(), key=lambda key: (key.created_at, key.kid), reverse=True)

    async def replace_sealed(self, kid: str, sealed: bytes) -> None:
        """Stores a key under another seal."""
        async with self._statements.change() as tables:
            stored = tables.signing_keys.get(kid)
            if stored:
                tables.signing_keys.put(kid, attrs.evolve(stored, sealed=sealed))

    async def remove_all_but(self, kid: str) -> None:
        """Removes every key but one."""
        async with self._statements.change() as tables:
            for other in [each for each in tables.signing_keys.rows() if each != kid]:
                tables.signing_keys.drop(other)
