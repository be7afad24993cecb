"""The port `TokenIssuer`, for clients that prove their agent's key (RFC 7523)."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from moltnet.domain.agents import Agent
from moltnet.domain.challenges import InvalidAssertion
from moltnet.domain.credentials import ALL_SCOPES, AccessToken, ClientSecret, InvalidClient, InvalidScope, InvalidToken
from moltnet.domain.ids import ClientId
from moltnet.ports.keys import KeyPair
from moltnet.ports.storage import Storage
from tests.support.assertions import assertion_claims, encoded, signed_assertion
from tests.support.builders import an_agent, an_id
from tests.support.network import a_key_pair
from tests.support.stored import joined
from tests.support.tokens import ISSUER, TokenService, native_tokens


@pytest.fixture
async def tokens(storage: Storage) -> TokenService:
    return await native_tokens(storage)


@pytest.fixture
def key() -> KeyPair:
    return a_key_pair()


@pytest.fixture
async def prover(storage: Storage, key: KeyPair) -> Agent:
    return await joined(storage, an_agent(public_key=key.public_key))


@pytest.fixture
async def secret(tokens: TokenService, prover: Agent) -> ClientSecret:
    return await tokens.clients.create(ClientId(an_id()), prover, ALL_SCOPES)


@pytest.fixture
def claims(tokens: TokenService, secret: ClientSecret) -> dict[str, object]:
    return assertion_claims(secret.client_id, ISSUER, tokens.clock.now())


async def issued(tokens: TokenService, assertion: str, scope: str | None = None) -> AccessToken:
    return await tokens.issuer.issue_for_assertion(assertion, None, scope)


async def test_the_key_gives_what_the_secret_gives(tokens, key, prover, claims):
    token = await issued(tokens, signed_assertion(key, claims))
    caller = await tokens.verifier.verify(token.text)
    assert (caller.agent_id, caller.scopes) == (prover.id, ALL_SCOPES)
    narrow = await issued(tokens, signed_assertion(key, claims | {"jti": "another"}), "diary:read")
    assert narrow.scopes == {"diary:read"}


async def test_a_client_named_beside_it_is_the_same(tokens, key, claims):
    assertion = signed_assertion(key, claims)
    for other in (str(an_id()), "", "x", "\x00"):
        with pytest.raises(InvalidAssertion):
            await tokens.issuer.issue_for_assertion(assertion, other, None)
    assert await tokens.issuer.issue_for_assertion(assertion, claims["iss"], None)


async def test_an_assertion_is_good_once(tokens, key, claims):
    assertion = signed_assertion(key, claims)
    await issued(tokens, assertion)
    for again in (assertion, signed_assertion(key, claims | {"exp": claims["exp"] - 1})):
        with pytest.raises(InvalidAssertion, match="used before"):
            await issued(tokens, again)


async def test_of_the_same_assertion_at_once_one_is_taken(tokens, key, claims):
    assertion = signed_assertion(key, claims)
    results = await asyncio.gather(*(issued(tokens, assertion) for _ in range(8)), return_exceptions=True)
    assert sum(isinstance(each, AccessToken) for each in results) == 1
    assert sum(isinstance(each, InvalidAssertion) for each in results) == 7


async def test_it_stays_used_until_it_is_over(tokens, storage, key, claims):
    assertion = signed_assertion(key, claims)
    await issued(tokens, assertion)
    tokens.advance(timedelta(seconds=299))
    async with storage.transaction() as work:
        await work.nonces.purge(tokens.clock.now())
    with pytest.raises(InvalidAssertion, match="used before"):
        await issued(tokens, assertion)
    tokens.advance(timedelta(seconds=1))
    with pytest.raises(InvalidAssertion, match="expired"):
        await issued(tokens, assertion)


async def test_two_clients_may_choose_the_same_id_for_theirs(tokens, storage, key, claims):
    await issued(tokens, signed_assertion(key, claims | {"jti": "1"}))
    other = a_key_pair()
    agent = await joined(storage, an_agent(public_key=other.public_key))
    client = await tokens.clients.create(ClientId(an_id()), agent, ALL_SCOPES)
    theirs = assertion_claims(client.client_id, ISSUER, tokens.clock.now()) | {"jti": "1"}
    assert await issued(tokens, signed_assertion(other, theirs))


async def test_a_refused_assertion_uses_nothing_up(tokens, key, claims):
    with pytest.raises(InvalidClient):
        await issued(tokens, signed_assertion(a_key_pair(), claims))
    with pytest.raises(InvalidScope):
        await issued(tokens, signed_assertion(key, claims), "everything")
    assert await issued(tokens, signed_assertion(key, claims))


@pytest.mark.parametrize(
    "header",
    [*({"alg": each} for each in ("none", "HS256", "RS256", "ES256", 7, None)), {"crit": ["exp"]}, {"crit": []}],
    ids=str,
)
async def test_no_other_algorithm_is_taken(tokens, key, claims, header):
    with pytest.raises(InvalidAssertion):
        await issued(tokens, signed_assertion(key, claims, **header))


async def test_a_key_in_the_header_is_not_trusted(tokens, claims):
    thief = a_key_pair()
    named = {"kty": "OKP", "crv": "Ed25519", "x": encoded(thief.public_key.raw)}
    with pytest.raises(InvalidClient):
        await issued(tokens, signed_assertion(thief, claims, jwk=named, kid="x", jku="https://thief.example"))


async def test_unknown_clients_and_other_keys_get_the_same_answer(tokens, key, claims):
    nobody = str(an_id())
    told = []
    for signer, said in ((a_key_pair(), claims), (key, claims | {"iss": nobody, "sub": nobody})):
        with pytest.raises(InvalidClient) as refused:
            await issued(tokens, signed_assertion(signer, said))
        told.append((type(refused.value), refused.value.detail))
    assert told[0] == told[1]


async def test_what_was_changed_after_signing_is_refused(tokens, key, claims):
    header, _, signature = signed_assertion(key, claims).split(".")
    changed = encoded(json.dumps(claims | {"jti": "another"}).encode())
    for text in (f"{header}.{changed}.{signature}", f"{header}.{changed}.", f"{header}.{changed}.{encoded(bytes(64))}"):
        with pytest.raises(InvalidClient):
            await issued(tokens, text)


@pytest.mark.parametrize(
    "text", ["", ".", "..", "a.b.c", "é", "\ud800", "\x00", "x" * 4097, "e30.e30.", "W10.W10.AA", "[" * 4000], ids=repr
)
async def test_any_other_text_is_refused(tokens, text):
    with pytest.raises(InvalidAssertion):
        await issued(tokens, text)


@pytest.mark.parametrize("said", [None, [], "x", 7], ids=repr)
async def test_claims_are_an_object(tokens, key, said):
    with pytest.raises(InvalidAssertion):
        await issued(tokens, signed_assertion(key, said))


async def test_a_rotated_secret_ends_the_tokens_of_a_key_too_and_a_removed_client_all(tokens, key, prover, claims):
    token = await issued(tokens, signed_assertion(key, claims))
    rotated = await tokens.clients.rotate(prover.id)
    with pytest.raises(InvalidToken):
        await tokens.verifier.verify(token.text)
    assert await issued(tokens, signed_assertion(key, claims | {"jti": "another"}))
    await tokens.clients.delete(rotated.client_id)
    with pytest.raises(InvalidClient):
        await issued(tokens, signed_assertion(key, claims | {"jti": "a third"}))


async def test_first_use_by_key_closes_the_first_secrets_window(tokens, key, prover, claims):
    await issued(tokens, signed_assertion(key, claims))
    assert await tokens.clients.first_secret(prover.id) is None


@pytest.fixture
async def by_hydra(storage: Storage) -> AsyncIterator[TokenService]:
    from tests.support.ory.tokens import ory_tokens  # noqa: PLC0415 - takes a second to import

    async with ory_tokens(storage) as service:
        yield service


@pytest.mark.real
@pytest.mark.ory
async def test_a_service_that_verifies_none_says_so(by_hydra, key):
    assert not by_hydra.issuer.takes_assertions
    with pytest.raises(InvalidClient, match="no client assertions"):
        await issued(by_hydra, signed_assertion(key, {}))
