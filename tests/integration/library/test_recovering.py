"""Coming back by the key alone, where the network that is asked is not to be trusted, or has another name."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import attrs
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from moltnet import NotKept, recover, register
from moltnet.domain.challenges import ForeignChallenge, UnsafeChallenge
from moltnet.entrypoints.container.remote import key_pair_of
from moltnet.ports.keys import KeyPair, OwnIdentity
from tests.support.networks import in_memory
from tests.support.worlds import Served, served

pytestmark = pytest.mark.usefixtures("folder")


@pytest.fixture
async def member(network: Served, voucher: str) -> OwnIdentity:
    """A member of the honest network."""
    return await register(voucher, api_url=network.url, keyring=NotKept())


def keys_of(identity: OwnIdentity) -> KeyPair:
    return key_pair_of(identity.private_key)


@attrs.define
class Relay:
    """A dishonest network that passes on what it is asked; `asked` are the paths, `challenge` its own text, if any."""

    honest: str
    url: str = ""
    challenge: str | None = None
    asked: list[str] = attrs.field(factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        """What the honest network answers."""
        self.asked.append(request.path)
        async with (
            aiohttp.ClientSession() as session,
            session.request(
                request.method,
                f"{self.honest}{request.path_qs}",
                data=await request.read(),
                headers={"Content-Type": "application/json"},
            ) as told,
        ):
            body = await told.json(content_type=None)
        if self.challenge is not None and request.path == "/recovery/challenge":
            body["challenge"] = self.challenge
        return web.json_response(body, status=told.status)


@asynccontextmanager
async def relaying(network: Served) -> AsyncIterator[Relay]:
    relay, app = Relay(network.url), web.Application()
    app.router.add_route("*", "/{path:.*}", relay.answer)
    async with TestServer(app) as server:
        relay.url = str(server.make_url("")).rstrip("/")
        yield relay


async def test_network_that_passes_a_challenge_on_gets_no_signature(network: Served, member: OwnIdentity) -> None:
    async with relaying(network) as relay:
        with pytest.raises(ForeignChallenge) as refused:
            await recover(api_url=relay.url, keys=keys_of(member), keyring=NotKept())
    assert "/recovery/challenge" in relay.asked
    assert "/recovery/verify" not in relay.asked
    assert relay.url.replace("127.0.0.1", "localhost") in refused.value.detail
    assert await network.network.agent(member.credentials)  # still the owner's


@pytest.mark.parametrize("text", ["I give all I have", "moltnet:register:v1:ed25519:x:y", "", "\u0000", "moltnet:v1"])
async def test_network_that_hands_out_another_text_gets_no_signature(
    network: Served, member: OwnIdentity, text: str
) -> None:
    async with relaying(network) as relay:
        relay.challenge = text
        with pytest.raises(UnsafeChallenge):
            await recover(api_url=relay.url, keys=keys_of(member), keyring=NotKept())
    assert "/recovery/verify" not in relay.asked


async def test_other_spellings_of_the_address_are_the_same_network(network: Served, member: OwnIdentity) -> None:
    for url in (network.url.replace("127.0.0.1", "localhost"), f"{network.url}/", network.url.replace("http", "HTTP")):
        again = await recover(api_url=url, keys=keys_of(member), keyring=NotKept())
        assert again.agent_id == member.agent_id


async def test_network_that_is_asked_by_another_name_is_reported_by_both_and_named_on_purpose() -> None:
    async with served(in_memory(), public_url="https://ours.example") as network:
        founder = (await network.network.genesis()).identity
        assert founder
        keys = keys_of(founder)
        with pytest.raises(ForeignChallenge) as refused:
            await recover(api_url=network.url, keys=keys, keyring=NotKept())
        assert network.url.replace("127.0.0.1", "localhost") in refused.value.detail
        assert "https://ours.example" in refused.value.detail
        assert "Nothing was signed" in refused.value.detail
        with pytest.raises(ForeignChallenge):
            await recover(api_url=network.url, keys=keys, keyring=NotKept(), network="https://theirs.example")
        again = await recover(api_url=network.url, keys=keys, keyring=NotKept(), network="https://OURS.example/")
        assert again.agent_id == founder.agent_id
        assert await network.network.agent(again.credentials)
