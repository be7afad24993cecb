"""Tokens to callers: that what a token says counts only as far as its agent and client are as it says."""

import pytest

from moltnet.domain.credentials import InvalidToken
from moltnet.domain.registration import Registered
from tests.support.network import Network, a_key_pair
from tests.support.tokens import a_token_key


@pytest.fixture
async def registered(network: Network) -> Registered:
    """A member with credentials."""
    async with network.storage.transaction() as work:
        await work.signing_keys.add(a_token_key())
    return await network.services.registration.genesis(a_key_pair().public_key.text)


@pytest.fixture
async def token(network: Network, registered: Registered) -> str:
    """A token of the member's."""
    client_id, secret = str(registered.credentials.client_id), registered.credentials.secret
    return (await network.services.credentials.token(client_id, secret, None)).text


async def test_a_caller_has_the_key_its_agent_has_now(network: Network, registered: Registered, token: str) -> None:
    assert (await network.services.authentication.authenticate(token)).public_key == registered.public_key
    other = a_key_pair().public_key
    await network.services.hooks.after_settings(str(registered.agent_id), other.text)
    assert (await network.services.authentication.authenticate(token)).public_key == other


async def test_a_token_of_an_agent_that_is_gone_stands_for_nobody(
    network: Network, registered: Registered, token: str
) -> None:
    async with network.storage.transaction() as work:
        await work.agents.remove(registered.agent_id)
    with pytest.raises(InvalidToken):
        await network.services.authentication.authenticate(token)


async def test_a_token_of_a_client_that_is_gone_stands_for_nobody(
    network: Network, registered: Registered, token: str
) -> None:
    await network.clients.delete(registered.credentials.client_id)
    with pytest.raises(InvalidToken):
        await network.services.authentication.authenticate(token)
