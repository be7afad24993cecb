"""The native token service over a storage, with a signing key that is made once for all tests."""

import functools
import itertools
from datetime import datetime, timedelta

import attrs

from moltnet.adapters.builtin.identity import StoredClientDirectory
from moltnet.adapters.builtin.keys import KeyEncryption, TokenKeys
from moltnet.adapters.builtin.tokens import BuiltinClients, BuiltinTokenIssuer, BuiltinTokenVerifier
from moltnet.adapters.memory.system import MemoryClock
from moltnet.adapters.nacl import NaclSignatures
from moltnet.adapters.system import SystemRandomness
from moltnet.domain.agents import Agent
from moltnet.domain.challenges import NetworkAddress
from moltnet.domain.credentials import ALL_SCOPES, TOKEN_LIFETIME, Scope
from moltnet.domain.ids import ClientId
from moltnet.ports.credentials import SigningKey
from moltnet.ports.identity import ClientRegistry, TokenIssuer, TokenVerifier
from moltnet.ports.storage import Storage
from tests.support.builders import NOON, an_id

ISSUER = "https://moltnet.example"
NETWORK = NetworkAddress.of(ISSUER)


class PooledKeys(KeyEncryption):
    """Makes three keys in all, as each takes some 50 ms, and gives them out in turn."""

    def __init__(self, secret: bytes) -> None:
        super().__init__(secret)
        made = (super(PooledKeys, self).new_key(NOON) for _ in range(3))
        self._turns = itertools.cycle(made)

    def new_key(self, at: datetime) -> SigningKey:
        """A key other than the two before it."""
        key = next(self._turns)
        return attrs.evolve(key, sealed=self.seal(self.unseal(key) or b""), created_at=at)


SEAL = PooledKeys(b"a key-encryption secret of 32 or more bytes")


@functools.cache
def a_token_key() -> SigningKey:
    """A signing key that `SEAL` opens, made at NOON; making one takes some 50 ms."""
    return KeyEncryption.new_key(SEAL, NOON)


@attrs.frozen(kw_only=True)
class TokenService:
    """The three token ports over one storage and one clock.

    Their issuer says of a token that it lasts `told_lifetime`, and that it has `unasked_scopes` if none are asked for.
    `instant` is how exactly its clock is set.
    """

    clock: MemoryClock
    clients: ClientRegistry
    issuer: TokenIssuer
    verifier: TokenVerifier
    strict_verifier: TokenVerifier
    told_lifetime: timedelta = TOKEN_LIFETIME
    unasked_scopes: frozenset[Scope] = frozenset()
    instant: timedelta = timedelta(microseconds=1)

    def advance(self, by: timedelta) -> None:
        """Lets time pass."""
        self.clock.advance(by)

    async def token_of(self, agent: Agent, scope: str | None = None) -> str:
        """A token of a fresh client of the agent's."""
        secret = await self.clients.create(ClientId(an_id()), agent, ALL_SCOPES)
        return (await self.issuer.issue(str(secret.client_id), secret.secret, scope)).text


async def native_tokens(storage: Storage) -> TokenService:
    """The native token service at NOON; `strict_verifier` gives tokens without scopes none."""
    clock, randomness = MemoryClock(NOON), SystemRandomness()
    async with storage.transaction() as work:
        await work.signing_keys.add(a_token_key())
    keys, client_directory = TokenKeys(storage, clock, SEAL), StoredClientDirectory(storage)
    return TokenService(
        clock=clock,
        clients=BuiltinClients(storage, clock, randomness, client_directory),
        issuer=BuiltinTokenIssuer(storage, clock, randomness, keys, ISSUER, NETWORK, NaclSignatures()),
        verifier=BuiltinTokenVerifier(client_directory, clock, keys, ISSUER, scopeless_tokens_have_all=True),
        strict_verifier=BuiltinTokenVerifier(client_directory, clock, keys, ISSUER, scopeless_tokens_have_all=False),
    )
