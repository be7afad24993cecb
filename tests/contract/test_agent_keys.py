"""Another key for an agent, by the agent's port: it continues as the same agent, whoever stores its identity."""

from base64 import b64decode
from pathlib import Path
from typing import Any

import attrs
import pytest
import pytest_asyncio

from moltnet.domain.entries import NewEntry
from moltnet.domain.errors import Conflict, Invalid, NotFound
from moltnet.domain.key_changes import KeyStatement, statement_bytes
from moltnet.domain.keys import Fingerprint
from moltnet.entrypoints.container.remote import file_keyring, key_pair_of, new_key_pair, signatures
from moltnet.entrypoints.library.agent import Agent, RemoteAgent
from moltnet.entrypoints.library.remote import recover
from moltnet.entrypoints.library.signing import NoKey, sign_and_submit
from moltnet.entrypoints.library.transport import Transport
from moltnet.entrypoints.operations import keys
from moltnet.ports.keys import Keyring, OwnIdentity
from moltnet.ports.remote import NetworkError
from tests.support.builders import NOON
from tests.support.remote_agents import http_agent, no_pause
from tests.support.worlds import World, keys_of

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module")
async def ada(world: World) -> Agent:
    """A member of its own: its key is replaced."""
    return await world.founder()


async def test_an_agent_goes_on_with_another_key(world: World, ada: Agent, bob: Agent, nobody: Agent) -> None:
    before, former = await ada.agents.whoami(), keys_of(ada)
    diary = await ada.diaries.create(name="x")
    entry = await ada.diary.create(diary.id, content="x")
    signature = (await sign_and_submit(ada, "I was here")).signature
    assert signature is not None
    network = world.served.network.url
    fresh = await ada.rotate_key(network=network)
    assert keys_of(ada) is fresh
    assert fresh.public_key != former.public_key
    after = await ada.agents.whoami()
    assert (after.agent_id, after.client_id) == (before.agent_id, before.client_id)
    assert (after.public_key, after.proven) == (fresh.public_key, True)
    found = await ada.diary.get(diary.id, entry.id)
    assert (found.content, found.author and found.author.public_key) == ("x", fresh.public_key)
    assert (await sign_and_submit(ada, "And here")).valid
    assert await nobody.crypto.verify(signature)
    for fingerprint in (former.public_key.fingerprint, fresh.public_key.fingerprint):
        profile = await bob.agents.lookup(fingerprint)
        assert (profile.public_key, profile.former_fingerprints) == (
            fresh.public_key,
            (former.public_key.fingerprint,),
        )
        check = await nobody.agents.verify_signature(fingerprint, signature)
        assert (check.valid, check.signer) == (True, former.public_key.fingerprint)


async def test_anybody_can_check_the_history_of_keys(world: World, ada: Agent, nobody: Agent) -> None:
    former, agent_id = keys_of(ada), (await ada.agents.whoami()).agent_id
    chosen = new_key_pair()
    assert await ada.rotate_key(chosen, network=world.served.network.url) is chosen
    first, second = await nobody.agents.keys(former.public_key.fingerprint)
    assert (first.public_key, first.payload, first.signature) == (former.public_key, None, None)
    assert first.until == second.since
    assert (second.public_key, second.until) == (chosen.public_key, None)
    assert second.payload is not None
    assert second.former_signature is not None
    assert second.signature is not None
    statement = KeyStatement.parse(b64decode(second.payload))
    assert (statement.agent_id, statement.former, statement.key) == (
        agent_id,
        former.public_key,
        chosen.public_key,
    )
    for key, signature in ((former, second.former_signature), (chosen, second.signature)):
        assert key.sign(statement_bytes(statement.payload)) == signature
        assert signatures().verify(key.public_key, statement_bytes(statement.payload), b64decode(signature))
    with pytest.raises(NotFound):
        await nobody.agents.keys(Fingerprint("0123-4567-89AB-CDEF"))


async def test_a_key_of_another_is_refused_and_the_agent_keeps_its_own(world: World, ada: Agent, bob: Agent) -> None:
    former = keys_of(ada)
    with pytest.raises(Conflict):
        await ada.rotate_key(keys_of(bob), network=world.served.network.url)
    with pytest.raises(Invalid):
        await ada.rotate_key(former, network=world.served.network.url)
    for network in ("https://other.example", "x"):
        with pytest.raises(Invalid):
            await ada.rotate_key(network=network)
    assert keys_of(ada) is former
    assert (await ada.agents.whoami()).public_key == former.public_key


async def test_nobody_without_a_key_replaces_one(nobody: Agent) -> None:
    with pytest.raises(NoKey):
        await nobody.rotate_key()


async def test_a_signed_diary_goes_on_under_the_new_key(world: World, ada: Agent) -> None:
    diary = await ada.diaries.create(name="x", signed=True)
    former = keys_of(ada)
    await ada.records.write(diary.id, NewEntry(content="before"))
    fresh = await ada.rotate_key(network=world.served.network.url)
    await ada.records.write(diary.id, NewEntry(content="after"))
    verdict = await ada.records.verify(diary.id)
    assert verdict.holds
    assert verdict.authors == (former.public_key.fingerprint, fresh.public_key.fingerprint)


# An answer that is lost


@attrs.frozen
class Losing:
    """A transport whose answer to a rotation is lost, before the network hears of it or after."""

    inner: Transport
    carried_out: bool

    async def call(self, operation: Any, request: Any, **named: Any) -> Any:
        if operation is not keys.ROTATE:
            return await self.inner.call(operation, request, **named)
        if self.carried_out:
            await self.inner.call(operation, request, **named)
        raise NetworkError

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


@pytest_asyncio.fixture(loop_scope="module", params=[True, False], ids=["carried-out", "not-carried-out"])
async def interrupted(request: pytest.FixtureRequest, world: World, tmp_path: Path) -> tuple[OwnIdentity, Keyring]:
    """An agent whose rotation was not answered, and where it is stored."""
    identity = (await world.served.network.genesis()).identity
    assert identity is not None
    identity = attrs.evolve(identity, api_url=world.served.url, registered_at=NOON)
    keyring = file_keyring(tmp_path / "moltnet.json")
    keyring.keep(identity)
    async with agent_of(world, keyring) as agent:
        agent.transport = Losing(agent.transport, carried_out=request.param)
        with pytest.raises(NetworkError):
            await agent.rotate_key(network=world.served.network.url)
    return identity, keyring


def agent_of(world: World, keyring: Keyring) -> RemoteAgent:
    identity = keyring.read()
    assert identity is not None
    return http_agent(
        world.served.url,
        identity.credentials,
        keys=key_pair_of(identity.private_key),
        keyring=keyring,
        agent_id=identity.agent_id,
        sleep=no_pause,
    )


async def test_both_keys_are_kept_until_the_network_has_answered(interrupted: tuple[OwnIdentity, Keyring]) -> None:
    identity, keyring = interrupted
    assert keyring.read() == identity
    assert keyring.next_key() not in {None, identity.private_key}


async def test_the_next_rotation_finishes_what_was_begun(
    world: World, interrupted: tuple[OwnIdentity, Keyring]
) -> None:
    identity, keyring = interrupted
    begun = keyring.next_key()
    async with agent_of(world, keyring) as agent:
        fresh = await agent.rotate_key(network=world.served.network.url)
        assert fresh.seed_text == begun
        assert (await agent.agents.whoami()).public_key == fresh.public_key
    stored = keyring.read()
    assert stored is not None
    assert (stored.private_key, stored.agent_id) == (begun, identity.agent_id)
    assert keyring.next_key() is None
    async with agent_of(world, keyring) as again:
        assert (await again.agents.whoami()).public_key == fresh.public_key


async def test_recovery_finds_the_key_that_the_agent_has(
    world: World, interrupted: tuple[OwnIdentity, Keyring]
) -> None:
    identity, keyring = interrupted
    found = await recover(api_url=world.served.url, keyring=keyring, network=world.served.network.url)
    assert found.agent_id == identity.agent_id
    async with agent_of(world, keyring) as agent:
        assert (await agent.agents.whoami()).public_key == found.public_key
