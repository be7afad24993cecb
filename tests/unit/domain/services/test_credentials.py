"""Tokens for secrets, and fresh secrets for old ones or for a recovery session.

Source: docs/reference/endpoints.md, "Tokens" and "Secret rotation".
"""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import attrs
import pytest

from moltnet.domain.agents import ProfileNotFound
from moltnet.domain.caller import MissingScope
from moltnet.domain.credentials import (
    ALL_SCOPES,
    TOKEN_LIFETIME,
    ClientSecret,
    InvalidClient,
    InvalidScope,
    InvalidToken,
    Scope,
)
from moltnet.domain.recovery import SESSION_LIFETIME, InvalidSession
from moltnet.domain.registration import Registered
from tests.support.assertions import assertion_claims, signed_assertion
from tests.support.builders import a_caller
from tests.support.network import BASE_URL, Network, a_key_pair
from tests.support.tokens import a_token_key


@pytest.fixture
async def registered(network: Network) -> Registered:
    """A member that was just told its credentials."""
    async with network.storage.transaction() as work:
        await work.signing_keys.add(a_token_key())
    return await network.services.registration.genesis(a_key_pair().public_key.text)


async def token(network: Network, secret: ClientSecret, scope: str | None = None) -> str:
    issued = await network.services.credentials.token(str(secret.client_id), secret.secret, scope)
    return issued.text


async def session(network: Network, registered: Registered) -> str:
    """A recovery session of the member's."""
    recovery = await network.identities.begin_recovery(registered.agent_id)
    (flow,) = parse_qs(urlsplit(recovery.flow_url).query)["flow"]
    answer = await network.services.recovery.answer_flow(flow, recovery.code)
    assert answer.session_token is not None
    return answer.session_token


# A narrow token stays narrow


@pytest.mark.parametrize("left_out", list(Scope))
async def test_no_token_that_lacks_a_scope_gets_a_secret_that_has_it(
    network: Network, registered: Registered, left_out: Scope
) -> None:
    asked = " ".join(ALL_SCOPES - {left_out})
    caller = await network.services.authentication.authenticate(await token(network, registered.credentials, asked))
    with pytest.raises(MissingScope) as refused:
        await network.services.credentials.rotate(caller)
    assert refused.value.scope is left_out
    assert await token(network, registered.credentials)  # the owner is not locked out


async def test_a_token_with_all_that_its_client_has_rotates_however_little_that_is(network: Network) -> None:
    async with network.storage.transaction() as work:
        await work.signing_keys.add(a_token_key())
    scopes = frozenset({Scope.AGENT_PROFILE})
    narrow = await network.services.registration.genesis(a_key_pair().public_key.text, scopes)
    for asked in (None, "agent:profile"):
        caller = await network.services.authentication.authenticate(await token(network, narrow.credentials, asked))
        narrow = attrs.evolve(narrow, credentials=await network.services.credentials.rotate(caller))


# Tokens


async def test_a_token_stands_for_its_agent(network: Network, registered: Registered) -> None:
    caller = await network.services.authentication.authenticate(await token(network, registered.credentials))
    assert (caller.agent_id, caller.public_key) == (registered.agent_id, registered.public_key)
    assert caller.client_id == registered.credentials.client_id


async def test_a_token_without_scopes_has_all_of_its_clients(network: Network, registered: Registered) -> None:
    caller = await network.services.authentication.authenticate(await token(network, registered.credentials))
    assert caller.scopes == ALL_SCOPES


async def test_a_token_has_the_scopes_it_asked_for(network: Network, registered: Registered) -> None:
    narrow = await token(network, registered.credentials, "diary:read crypto:sign")
    caller = await network.services.authentication.authenticate(narrow)
    assert caller.scopes == {Scope.DIARY_READ, Scope.CRYPTO_SIGN}


async def test_a_scope_nobody_granted_is_refused(network: Network) -> None:
    async with network.storage.transaction() as work:
        await work.signing_keys.add(a_token_key())
    scopes = frozenset({Scope.DIARY_READ})
    narrow = await network.services.registration.genesis(a_key_pair().public_key.text, scopes)
    assert await token(network, narrow.credentials, "diary:read")
    for scope in ("diary:write", "diary:read diary:write", "no:scope"):
        with pytest.raises(InvalidScope):
            await token(network, narrow.credentials, scope)


async def test_wrong_and_unknown_credentials_get_the_same_answer(network: Network, registered: Registered) -> None:
    right = registered.credentials
    told = set()
    for client_id, secret in ((str(right.client_id), "wrong"), (str(a_caller().client_id), right.secret), ("?", "")):
        with pytest.raises(InvalidClient) as refused:
            await network.services.credentials.token(client_id, secret, None)
        told.add(refused.value.detail)
    assert len(told) == 1


async def test_a_token_lives_an_hour(network: Network, registered: Registered) -> None:
    text = await token(network, registered.credentials)
    network.clock.advance(TOKEN_LIFETIME - timedelta(microseconds=1))
    assert await network.services.authentication.authenticate(text)
    network.clock.advance(timedelta(seconds=1))
    with pytest.raises(InvalidToken):
        await network.services.authentication.authenticate(text)


async def test_what_is_no_token_stands_for_nobody(network: Network, registered: Registered) -> None:
    good = await token(network, registered.credentials)
    for text in ("", "token", good[:-8], good.replace(".", "")):
        with pytest.raises(InvalidToken):
            await network.services.authentication.authenticate(text)


async def test_tokens_verify_with_the_published_keys(network: Network, registered: Registered) -> None:
    assert registered
    (key,) = await network.services.credentials.published_keys()
    assert (key["kid"], key["kty"], key["alg"], key["use"]) == (a_token_key().kid, "RSA", "RS256", "sig")
    assert not key.keys() & {"d", "p", "q"}


# Fresh secrets


async def test_a_fresh_secret_ends_the_old_one_and_every_earlier_token(
    network: Network, registered: Registered
) -> None:
    old = registered.credentials
    earlier = await token(network, old)
    caller = await network.services.authentication.authenticate(earlier)
    fresh = await network.services.credentials.rotate(caller)
    assert fresh.client_id == old.client_id
    assert fresh.secret != old.secret
    with pytest.raises(InvalidToken):
        await network.services.authentication.authenticate(earlier)
    with pytest.raises(InvalidClient):
        await token(network, old)
    later = await network.services.authentication.authenticate(await token(network, fresh))
    assert attrs.evolve(caller, scopes=later.scopes) == later


async def test_a_fresh_secret_is_one_agents_alone(network: Network, registered: Registered) -> None:
    other = await network.services.registration.genesis(a_key_pair().public_key.text)
    others = await token(network, other.credentials)
    caller = await network.services.authentication.authenticate(await token(network, registered.credentials))
    await network.services.credentials.rotate(caller)
    assert await network.services.authentication.authenticate(others)


async def test_who_has_no_client_gets_no_secret(network: Network) -> None:
    with pytest.raises(ProfileNotFound):
        await network.services.credentials.rotate(a_caller())


async def test_a_recovery_session_gives_a_fresh_secret_once(network: Network, registered: Registered) -> None:
    earlier = await token(network, registered.credentials)
    proof = await session(network, registered)
    fresh = await network.services.credentials.rotate_by_session(proof)
    assert fresh.client_id == registered.credentials.client_id
    assert (await network.services.authentication.authenticate(await token(network, fresh))).scopes == ALL_SCOPES
    with pytest.raises(InvalidToken):
        await network.services.authentication.authenticate(earlier)
    with pytest.raises(InvalidSession):
        await network.services.credentials.rotate_by_session(proof)
    assert await token(network, fresh)


async def test_a_session_that_nobody_was_given_or_that_is_over_gives_none(
    network: Network, registered: Registered
) -> None:
    proof = await session(network, registered)
    network.clock.advance(SESSION_LIFETIME)
    told = set()
    for text in (proof, "ms_st_made-up", ""):
        with pytest.raises(InvalidSession) as refused:
            await network.services.credentials.rotate_by_session(text)
        told.add(refused.value.detail)
    assert len(told) == 1
    assert await token(network, registered.credentials)


# A key in the place of a secret


async def test_a_client_proves_itself_by_its_agents_key(network: Network) -> None:
    async with network.storage.transaction() as work:
        await work.signing_keys.add(a_token_key())
    key, credentials = a_key_pair(), network.services.credentials
    assert credentials.takes_assertions
    secret = (await network.services.registration.genesis(key.public_key.text)).credentials
    proof = signed_assertion(key, assertion_claims(secret.client_id, BASE_URL, network.clock.now()))
    issued = await credentials.token_for_assertion(proof, str(secret.client_id), "diary:read")
    caller = await network.services.authentication.authenticate(issued.text)
    assert (caller.client_id, caller.public_key, caller.scopes) == (
        secret.client_id,
        key.public_key,
        {Scope.DIARY_READ},
    )
    forged = signed_assertion(a_key_pair(), assertion_claims(secret.client_id, BASE_URL, network.clock.now()))
    with pytest.raises(InvalidClient):
        await credentials.token_for_assertion(forged, str(secret.client_id), None)
