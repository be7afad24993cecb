"""The native token service where only a token of its own making can show it: claims that no client was ever given."""

from datetime import timedelta
from typing import Any

import pytest

from moltnet.adapters.builtin.claims import sign, token_claims
from moltnet.adapters.builtin.identity import StoredClientDirectory
from moltnet.adapters.builtin.keys import REREAD_AFTER, TokenKeys
from moltnet.adapters.builtin.tokens import BuiltinTokenVerifier
from moltnet.adapters.memory.storage import MemoryStorage
from moltnet.adapters.memory.system import MemoryClock
from moltnet.domain.agents import Agent
from moltnet.domain.credentials import TOKEN_LIFETIME, Client, InvalidToken, Scope
from tests.support.builders import NOON, a_client, an_id
from tests.support.stored import joined
from tests.support.tokens import ISSUER, SEAL, a_token_key

TICK = timedelta(microseconds=1)
READ_AND_SIGN = frozenset({Scope.DIARY_READ, Scope.CRYPTO_SIGN})


@pytest.fixture
async def storage() -> MemoryStorage:
    storage = MemoryStorage()
    async with storage.transaction() as work:
        await work.signing_keys.add(a_token_key())
    return storage


@pytest.fixture
async def agent(storage: MemoryStorage) -> Agent:
    return await joined(storage)


@pytest.fixture
async def client(storage: MemoryStorage, agent: Agent) -> Client:
    client = a_client(agent_id=agent.id, scopes=READ_AND_SIGN)
    async with storage.transaction() as work:
        await work.clients.put(client)
    return client


@pytest.fixture(params=[True, False], ids=["scopeless has all", "scopeless has none"])
def verifier(storage: MemoryStorage, request: pytest.FixtureRequest) -> BuiltinTokenVerifier:
    clock = MemoryClock(NOON)
    keys = TokenKeys(storage, clock, SEAL)
    return BuiltinTokenVerifier(
        StoredClientDirectory(storage), clock, keys, ISSUER, scopeless_tokens_have_all=request.param
    )


def token_of(client: Client, agent: Agent, *scopes: Scope, **changes: Any) -> str:
    key = SEAL.open(a_token_key())
    assert key is not None
    return sign(ISSUER, {**token_claims(client, agent, frozenset(scopes), an_id(), NOON), **changes}, key)


async def test_scope_its_client_has_not_is_not_the_tokens(verifier: BuiltinTokenVerifier, client: Client, agent: Agent):
    caller = await verifier.verify(token_of(client, agent, Scope.DIARY_READ, Scope.DIARY_WRITE))
    assert caller.scopes == {Scope.DIARY_READ}


async def test_token_of_scopes_its_client_has_not_has_none(
    verifier: BuiltinTokenVerifier, client: Client, agent: Agent
):
    caller = await verifier.verify(token_of(client, agent, Scope.DIARY_WRITE))
    assert caller.scopes == frozenset()


async def test_client_of_another_agent_is_refused(
    verifier: BuiltinTokenVerifier, storage: MemoryStorage, client: Client
):
    other = await joined(storage)
    with pytest.raises(InvalidToken):
        await verifier.verify(token_of(client, other))


@pytest.mark.parametrize("generation", [0, 2, 10**30])
async def test_any_other_generation_is_refused(
    verifier: BuiltinTokenVerifier, client: Client, agent: Agent, generation: int
):
    with pytest.raises(InvalidToken):
        await verifier.verify(token_of(client, agent, **{"moltnet:generation": generation}))


async def test_key_is_the_one_the_agent_has_now(verifier: BuiltinTokenVerifier, client: Client, agent: Agent):
    token = token_of(client, agent, **{"moltnet:public_key": "ed25519:anything", "moltnet:fingerprint": "anything"})
    assert (await verifier.verify(token)).public_key.text == agent.public_key.text


async def test_token_that_was_accepted_ends_with_its_key(storage: MemoryStorage, client: Client, agent: Agent):
    clock = MemoryClock(NOON)
    elsewhere, keys = TokenKeys(storage, clock, SEAL), TokenKeys(storage, clock, SEAL)
    verifier = BuiltinTokenVerifier(StoredClientDirectory(storage), clock, keys, ISSUER, scopeless_tokens_have_all=True)
    token = token_of(client, agent)
    assert await verifier.verify(token)
    await elsewhere.rotate()
    clock.advance(REREAD_AFTER)
    assert await verifier.verify(token)
    await elsewhere.replace()
    clock.advance(REREAD_AFTER)
    with pytest.raises(InvalidToken):
        await verifier.verify(token)


@pytest.mark.parametrize("passed", [-TICK, TOKEN_LIFETIME])
async def test_token_that_was_accepted_is_good_in_its_time_alone(
    storage: MemoryStorage, client: Client, agent: Agent, passed: timedelta
):
    clock = MemoryClock(NOON)
    keys = TokenKeys(storage, clock, SEAL)
    verifier = BuiltinTokenVerifier(StoredClientDirectory(storage), clock, keys, ISSUER, scopeless_tokens_have_all=True)
    token = token_of(client, agent, nbf=NOON.timestamp(), exp=(NOON + TOKEN_LIFETIME).timestamp())
    assert await verifier.verify(token)
    clock.advance(TOKEN_LIFETIME - TICK)
    assert await verifier.verify(token)
    clock.advance(passed + TICK - TOKEN_LIFETIME)
    with pytest.raises(InvalidToken):
        await verifier.verify(token)
