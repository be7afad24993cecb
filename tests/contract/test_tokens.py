"""The ports `ClientRegistry`, `TokenIssuer` and `TokenVerifier`, together as one service."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID, uuid4

import attrs
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from moltnet.domain.agents import Agent, ProfileNotFound
from moltnet.domain.credentials import (
    ALL_SCOPES,
    CLOCK_SKEW,
    FIRST_SECRET_WINDOW,
    TOKEN_LIFETIME,
    ClientNotFound,
    ClientSecret,
    InvalidClient,
    InvalidScope,
    InvalidToken,
    Scope,
)
from moltnet.domain.ids import AgentId, ClientId
from moltnet.ports.storage import Storage
from tests.support.builders import an_id
from tests.support.network import a_key_pair
from tests.support.stored import joined
from tests.support.tokens import TokenService, native_tokens


@pytest.fixture(params=["native", pytest.param("ory", marks=[pytest.mark.real, pytest.mark.ory])])
async def tokens(request: pytest.FixtureRequest, storage: Storage) -> AsyncIterator[TokenService]:
    if request.param == "native":
        yield await native_tokens(storage)
        return
    from tests.support.ory.tokens import ory_tokens  # noqa: PLC0415 - takes a second to import

    async with ory_tokens(storage) as service:
        yield service


@pytest.fixture
async def secret(tokens: TokenService, agent: Agent) -> ClientSecret:
    return await tokens.clients.create(ClientId(an_id()), agent, ALL_SCOPES)


async def issued(tokens: TokenService, secret: ClientSecret, scope: str | None = None) -> str:
    return (await tokens.issuer.issue(str(secret.client_id), secret.secret, scope)).text


async def test_token_stands_for_its_agent(tokens: TokenService, agent: Agent, secret: ClientSecret):
    caller = await tokens.verifier.verify(await issued(tokens, secret))
    assert (caller.agent_id, caller.public_key, caller.client_id) == (agent.id, agent.public_key, secret.client_id)
    assert caller.public_key.text == agent.public_key.text


async def test_token_endpoint_states_the_lifetime(tokens: TokenService, secret: ClientSecret):
    answer = await tokens.issuer.issue(str(secret.client_id), secret.secret, None)
    assert answer.lifetime == tokens.told_lifetime
    assert answer.scopes == tokens.unasked_scopes


async def test_token_without_scopes_has_all_of_its_client(tokens: TokenService, secret: ClientSecret):
    token = await issued(tokens, secret)
    assert (await tokens.verifier.verify(token)).scopes == ALL_SCOPES
    assert (await tokens.strict_verifier.verify(token)).scopes == tokens.unasked_scopes


@pytest.mark.parametrize("scope", ["crypto:sign diary:read", "diary:read crypto:sign diary:read"])
async def test_token_with_scopes_has_those(tokens: TokenService, secret: ClientSecret, scope: str):
    asked = frozenset({Scope.DIARY_READ, Scope.CRYPTO_SIGN})
    answer = await tokens.issuer.issue(str(secret.client_id), secret.secret, scope)
    assert answer.scopes == asked
    for verifier in (tokens.verifier, tokens.strict_verifier):
        assert (await verifier.verify(answer.text)).scopes == asked


@pytest.mark.parametrize("scope", ["diary:read admin", "DIARY:READ", "\x00", "diary:read,diary:write"])
async def test_scope_the_client_has_not_is_refused(tokens: TokenService, secret: ClientSecret, scope: str):
    with pytest.raises(InvalidScope):
        await issued(tokens, secret, scope)


async def test_unknown_client_and_wrong_secret_get_the_same_answer(tokens: TokenService, secret: ClientSecret):
    details = set()
    for client_id, text in [
        (str(secret.client_id), "wrong"),
        (str(secret.client_id), ""),
        (str(secret.client_id), secret.secret + "\x00"),
        (str(secret.client_id), "\ud800"),
        (str(uuid4()), secret.secret),
        ("not a client id", secret.secret),
        ("\x00\ud800", secret.secret),
    ]:
        with pytest.raises(InvalidClient) as refusal:
            await tokens.issuer.issue(client_id, text, "no such scope")
        details.add(refusal.value.detail)
    assert len(details) == 1


async def test_client_grants_no_more_than_its_scopes(tokens: TokenService, agent: Agent):
    scopes = frozenset({Scope.DIARY_READ, Scope.CRYPTO_SIGN})
    secret = await tokens.clients.create(ClientId(an_id()), agent, scopes)
    assert (await tokens.verifier.verify(await issued(tokens, secret))).scopes == scopes
    with pytest.raises(InvalidScope):
        await issued(tokens, secret, "diary:read diary:write")


async def test_creating_a_client_again_replaces_its_secret(tokens: TokenService, agent: Agent, secret: ClientSecret):
    again = await tokens.clients.create(secret.client_id, agent, ALL_SCOPES)
    assert again.client_id == secret.client_id
    assert again.secret != secret.secret
    await issued(tokens, again)
    with pytest.raises(InvalidClient):
        await issued(tokens, secret)


async def test_creating_a_client_again_revives_no_ended_token(tokens: TokenService, agent: Agent, secret: ClientSecret):
    ended = await issued(tokens, secret)
    await tokens.clients.rotate(agent.id)
    await tokens.clients.create(secret.client_id, agent, ALL_SCOPES)
    with pytest.raises(InvalidToken):
        await tokens.verifier.verify(ended)


async def test_rotation_ends_the_old_secret_and_every_token_at_once(
    tokens: TokenService, agent: Agent, secret: ClientSecret
):
    old = await issued(tokens, secret)
    fresh = await tokens.clients.rotate(agent.id)
    assert fresh.client_id == secret.client_id
    with pytest.raises(InvalidToken):
        await tokens.verifier.verify(old)
    with pytest.raises(InvalidClient):
        await issued(tokens, secret)
    assert (await tokens.verifier.verify(await issued(tokens, fresh))).agent_id == agent.id


async def test_rotation_ends_a_token_that_was_in_use(tokens: TokenService, agent: Agent, secret: ClientSecret):
    used = await issued(tokens, secret)
    assert (await tokens.verifier.verify(used)).agent_id == agent.id
    await tokens.clients.rotate(agent.id)
    with pytest.raises(InvalidToken):
        await tokens.verifier.verify(used)


async def test_token_in_use_states_the_key_its_agent_has_now(
    tokens: TokenService, storage: Storage, agent: Agent, secret: ClientSecret
):
    used = await issued(tokens, secret)
    assert (await tokens.verifier.verify(used)).public_key == agent.public_key
    renewed = attrs.evolve(agent, public_key=a_key_pair().public_key)
    async with storage.transaction() as work:
        await work.agents.put(renewed)
    assert (await tokens.verifier.verify(used)).public_key == renewed.public_key


async def test_of_rotations_at_once_only_the_last_secret_is_good(
    tokens: TokenService, agent: Agent, secret: ClientSecret
):
    fresh = await asyncio.gather(*(tokens.clients.rotate(agent.id) for _ in range(4)))
    good = 0
    for each in [secret, *fresh]:
        try:
            await issued(tokens, each)
            good += 1
        except InvalidClient:
            pass
    assert good == 1


async def test_rotation_gives_a_client_to_an_agent_that_has_none(tokens: TokenService, storage: Storage):
    newcomer = await joined(storage)
    first = await tokens.clients.rotate(newcomer.id)
    assert (await tokens.verifier.verify(await issued(tokens, first))).agent_id == newcomer.id
    second = await tokens.clients.rotate(newcomer.id)
    assert second.client_id == first.client_id
    with pytest.raises(InvalidClient):
        await issued(tokens, first)


async def test_rotation_needs_an_agent(tokens: TokenService):
    with pytest.raises(ProfileNotFound):
        await tokens.clients.rotate(AgentId(an_id()))


async def test_client_states_the_agent_it_was_made_for(tokens: TokenService, agent: Agent, secret: ClientSecret):
    assert await tokens.clients.agent_of(str(secret.client_id)) == agent.id
    await tokens.clients.delete(secret.client_id)
    for unknown in (str(secret.client_id), "no id", ""):
        with pytest.raises(ClientNotFound):
            await tokens.clients.agent_of(unknown)


async def test_deleted_client_is_gone_with_its_tokens(tokens: TokenService, secret: ClientSecret):
    token = await issued(tokens, secret)
    await tokens.clients.delete(secret.client_id)
    await tokens.clients.delete(secret.client_id)
    with pytest.raises(InvalidToken):
        await tokens.verifier.verify(token)
    with pytest.raises(InvalidClient):
        await issued(tokens, secret)


async def test_removed_agent_has_no_token(tokens: TokenService, storage: Storage, agent: Agent, secret: ClientSecret):
    token = await issued(tokens, secret)
    async with storage.transaction() as work:
        await work.agents.remove(agent.id)
    with pytest.raises(InvalidToken):
        await tokens.verifier.verify(token)
    with pytest.raises(InvalidClient):
        await issued(tokens, secret)


async def test_token_is_good_until_its_lifetime_is_over(tokens: TokenService, secret: ClientSecret):
    token = await issued(tokens, secret)
    tokens.advance(TOKEN_LIFETIME - tokens.instant)
    await tokens.verifier.verify(token)
    tokens.advance(tokens.instant)
    with pytest.raises(InvalidToken):
        await tokens.verifier.verify(token)


async def test_token_issued_within_a_second_is_good_at_once_and_for_its_lifetime(
    tokens: TokenService, secret: ClientSecret
):
    tokens.advance(timedelta(microseconds=300_001))
    token = await issued(tokens, secret)
    await tokens.verifier.verify(token)
    tokens.advance(tokens.told_lifetime - tokens.instant)
    await tokens.verifier.verify(token)


async def test_token_is_not_good_before_it_was_issued_by_any_clock(tokens: TokenService, secret: ClientSecret):
    token = await issued(tokens, secret)
    tokens.advance(-CLOCK_SKEW - tokens.instant)
    with pytest.raises(InvalidToken):
        await tokens.verifier.verify(token)


async def test_anyone_can_check_a_token_with_the_published_keys(
    tokens: TokenService, agent: Agent, secret: ClientSecret
):
    published = await tokens.issuer.published_keys()
    key_set = KeySet.import_key_set({"keys": [dict(key) for key in published]})
    checked = jwt.decode(await issued(tokens, secret, "diary:read"), key_set, algorithms=["RS256"])
    assert checked.header["kid"] in {key["kid"] for key in published}
    assert set(published[0]) == {"use", "kty", "kid", "alg", "n", "e"}
    assert UUID(checked.claims["jti"]).version == 4
    assert checked.claims["moltnet:identity_id"] == str(agent.id)
    assert checked.claims["moltnet:public_key"] == agent.public_key.text
    assert checked.claims["moltnet:fingerprint"] == str(agent.fingerprint)
    assert checked.claims["sub"] == checked.claims["client_id"] == str(secret.client_id)
    assert (checked.claims["aud"], checked.claims["scp"]) == ([], ["diary:read"])
    lifetime = timedelta(seconds=checked.claims["exp"] - checked.claims["iat"])
    assert TOKEN_LIFETIME - tokens.instant <= lifetime <= TOKEN_LIFETIME


@pytest.mark.parametrize("text", ["", ".", "..", "a.b.c", "ory_at_opaque", "\x00", "\ud800", "é" * 9, "a" * 100_000])
async def test_text_that_is_no_token_is_refused(tokens: TokenService, text: str):
    with pytest.raises(InvalidToken):
        await tokens.verifier.verify(text)


# The first secret


async def test_first_secret_replaces_the_one_before(tokens: TokenService, agent: Agent, secret: ClientSecret):
    fresh = await tokens.clients.first_secret(agent.id)
    assert fresh is not None
    assert fresh.client_id == secret.client_id
    with pytest.raises(InvalidClient):
        await issued(tokens, secret)
    assert (await tokens.verifier.verify(await issued(tokens, fresh))).agent_id == agent.id


async def test_first_secret_is_reported_until_a_token_was_given(
    tokens: TokenService, agent: Agent, secret: ClientSecret
):
    for _ in range(2):
        fresh = await tokens.clients.first_secret(agent.id)
    assert fresh is not None
    token = await issued(tokens, fresh)
    assert await tokens.clients.first_secret(agent.id) is None
    assert (await tokens.verifier.verify(token)).client_id == secret.client_id


async def test_no_first_secret_after_rotation(tokens: TokenService, agent: Agent, secret: ClientSecret):
    rotated = await tokens.clients.rotate(agent.id)
    assert await tokens.clients.first_secret(agent.id) is None
    assert rotated.client_id == secret.client_id
    assert await issued(tokens, rotated)


async def test_refused_credentials_are_no_use(tokens: TokenService, agent: Agent, secret: ClientSecret):
    with pytest.raises(InvalidClient):
        await tokens.issuer.issue(str(secret.client_id), "another secret", None)
    assert await tokens.clients.first_secret(agent.id) is not None


async def test_first_secret_is_for_a_young_client_only(tokens: TokenService, agent: Agent, secret: ClientSecret):
    tokens.advance(FIRST_SECRET_WINDOW)
    assert await tokens.clients.first_secret(agent.id) is None
    assert await issued(tokens, secret)


async def test_nobody_has_no_first_secret(tokens: TokenService, storage: Storage):
    assert await tokens.clients.first_secret((await joined(storage)).id) is None


async def test_repeated_creation_is_no_use(tokens: TokenService, agent: Agent, secret: ClientSecret):
    await tokens.clients.create(secret.client_id, agent, ALL_SCOPES)
    assert await tokens.clients.first_secret(agent.id) is not None
