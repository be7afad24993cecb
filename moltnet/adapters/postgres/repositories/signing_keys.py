"""The table `token_keys`."""

from moltnet.adapters.postgres.rows import signing_key_from_row
from moltnet.adapters.postgres.session import Session
from moltnet.ports.credentials import SigningKey

# One row; token_keys_pkey.
ADD = "insert into token_keys (kid, sealed, created_at) values (%(kid)s, %(sealed)s, %(created_at)s)"
# One row, or none when there is a key. Of several at once token_keys_is_first_key lets one through.
ADD_FIRST = """
    insert into token_keys (kid, sealed, created_at, is_first)
    select %(kid)s, %(sealed)s, %(created_at)s, true where not exists (select from token_keys)
    on conflict do nothing
"""
# One row, or none; token_keys_pkey.
REPLACE_SEALED = "update token_keys set sealed = %(sealed)s where kid = %(kid)s"
# A handful of rows; no index.
REMOVE_ALL_BUT = "delete from token_keys where kid <> %(kid)s"
# Every key, newest first; no index for a handful of rows.
ALL = "select kid, sealed, created_at from token_keys order by created_at desc, kid desc"


class PostgresSigningKeys:
    """The built-in token issuer's keys."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def add(self, key: SigningKey) -> None:
        """Stores a key."""
        await self._session.run(ADD, kid=key.kid, sealed=key.sealed, created_at=key.created_at)

    async def add_first(self, key: SigningKey) -> bool:
        """Stores a key only if there is none at all."""
        return await self._session.run(ADD_FIRST, kid=key.kid, sealed=key.sealed, created_at=key.created_at) > 0

    async def all(self) -> list[SigningKey]:
        """Every key, newest first."""
        return await self._session.all(signing_key_from_row, ALL)

    async def replace_sealed(self, kid: str, sealed: bytes) -> None:
        """Stores a key under another seal."""
        await self._session.run(REPLACE_SEALED, kid=kid, sealed=sealed)

    async def remove_all_but(self, kid: str) -> None:
        """Removes every key but one."""
        await self._session.run(REMOVE_ALL_BUT, kid=kid)
