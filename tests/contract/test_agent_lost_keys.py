"""A lost key, by the agent's port: it is reported, seen and vetoed, and the new one is the agent's by proofs alone."""

from pathlib import Path
from typing import Any

import attrs
import pytest
import pytest_asyncio

from moltnet.domain.entries import NewEntry
from moltnet.domain.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated
from moltnet.domain.keys import Fingerprint
from moltnet.domain.services.chains import Fault
from moltnet.domain.transparency import ChangeCause, LeafKind
from moltnet.entrypoints.container.remote import file_keyring, new_key_pair
from moltnet.entrypoints.library.agent import Agent
from moltnet.entrypoints.library.remote import key_lost, recover
from moltnet.entrypoints.library.transport import Transport
from moltnet.entrypoints.operations import log
from moltnet.entrypoints.operations.keys import ReportLostKey
from moltnet.ports.keys import Keyring, OwnIdentity
from tests.contract.test_agent_log import history
from tests.support.builders import a_caller, an_agent
from tests.support.usecases import lost_long_ago
from tests.support.worlds import World, keys_of

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module")
async def ada(world: World) -> Agent:
    """A member of its own: its key is replaced."""
    return await world.founder()


@pytest.fixture
def keyring(tmp_path: Path) -> Keyring:
    """Where nothing is left of the agent's identity."""
    return file_keyring(tmp_path / "moltnet.json")


async def requested(world: World, agent: Agent, keyring: Keyring) -> ReportLostKey:
    fingerprint = keys_of(agent).public_key.fingerprint
    network = world.served.network.url
    return await key_lost(fingerprint, api_url=world.served.url, keyring=keyring, network=network)


async def replaced(world: World, agent: Agent, keyring: Keyring) -> OwnIdentity:
    """The agent's identity with the key that took the place of its own."""
    fresh, me = new_key_pair(), await agent.agents.whoami()
    keyring.prepare(fresh.seed_text)
    caller = a_caller(agent=an_agent(agent_id=me.agent_id, public_key=me.public_key))
    await lost_long_ago(world.served.services, caller, fresh)
    return await recover(api_url=world.served.url, keyring=keyring, network=world.served.network.url)


async def test_a_key_that_waits_is_seen_by_all_and_vetoed_by_its_agent(
    world: World, ada: Agent, bob: Agent, nobody: Agent, keyring: Keyring
) -> None:
    assert (await ada.agents.whoami()).lost_key is None
    request = await requested(world, ada, keyring)
    assert keyring.prepared()
    reported = await ada.lost_keys.report(request)
    assert (reported.agent, reported.by_voucher) == (keys_of(ada).public_key.fingerprint, False)
    assert (await ada.agents.whoami()).lost_key == reported
    assert reported in await nobody.lost_keys.list()
    with pytest.raises(Conflict):  # its time has not come
        await recover(api_url=world.served.url, keyring=keyring, network=world.served.network.url)
    for refusal, other in ((Forbidden, bob), (Unauthenticated, nobody)):
        with pytest.raises(refusal):
            await other.lost_keys.veto(reported.fingerprint)
    await ada.lost_keys.veto(reported.fingerprint)
    assert reported not in await nobody.lost_keys.list()
    assert (await ada.agents.whoami()).lost_key is None
    for again in (lambda: ada.lost_keys.veto(reported.fingerprint), lambda: ada.lost_keys.report(request)):
        with pytest.raises(Conflict):
            await again()


async def test_what_is_no_statement_of_the_agents_is_refused(
    world: World, ada: Agent, bob: Agent, nobody: Agent, keyring: Keyring
) -> None:
    request = await requested(world, ada, keyring)
    refusals: list[tuple[type[Exception], Agent, ReportLostKey]] = [
        (Forbidden, bob, request),
        (Unauthenticated, nobody, request),
        (Invalid, ada, attrs.evolve(request, payload="e30=")),
        (Invalid, ada, attrs.evolve(request, payload="\x00\ud800")),
        (Invalid, ada, attrs.evolve(request, payload="A" * 100_000)),
        (Forbidden, ada, attrs.evolve(request, signature=keys_of(ada).sign(b"x"))),
    ]
    for refusal, agent, sent in refusals:
        with pytest.raises(refusal):
            await agent.lost_keys.report(sent)
    with pytest.raises(NotFound):
        await ada.lost_keys.veto(Fingerprint("0123-4567-89AB-CDEF"))
    with pytest.raises(NotFound):
        await key_lost(Fingerprint("0123-4567-89AB-CDEF"), api_url=world.served.url, keyring=keyring)


async def test_an_agent_that_lost_everything_is_itself_again(world: World, ada: Agent, keyring: Keyring) -> None:
    diary, me, former = await ada.diaries.create(name="x"), await ada.agents.whoami(), keys_of(ada)
    identity = await replaced(world, ada, keyring)
    assert (identity.agent_id, identity.credentials.client_id) == (me.agent_id, me.client_id)
    stored = keyring.read()
    assert stored is not None
    assert (stored.private_key, keyring.prepared()) == (identity.private_key, None)
    again = await world.returning(identity)
    assert (await again.diaries.get(diary.id)).id == diary.id
    first, second = await again.agents.keys(former.public_key.fingerprint)
    assert (first.public_key, second.public_key) == (former.public_key, identity.public_key)
    assert (first.cause, second.cause, second.former_signature) == (None, ChangeCause.RECOVERY, None)
    changed, recovered = await history(world, again, str(identity.fingerprint))
    assert (changed.leaf.kind, changed.leaf.members["cause"]) == (LeafKind.KEY_CHANGED, "recovery")
    assert recovered.leaf.kind is LeafKind.CREDENTIALS_RECOVERED


@attrs.frozen
class Silent:
    """A network whose open log says nothing of a key."""

    inner: Transport

    async def call(self, operation: Any, request: Any, **named: Any) -> Any:
        return [] if operation is log.LIST else await self.inner.call(operation, request, **named)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


async def test_the_new_key_is_the_agents_by_the_open_log_alone(world: World, ada: Agent, keyring: Keyring) -> None:
    diary, former = await ada.diaries.create(name="x", signed=True), keys_of(ada).public_key
    await ada.records.write(diary.id, NewEntry(content="before"))
    identity = await replaced(world, ada, keyring)
    again = await world.returning(identity)
    await again.records.write(diary.id, NewEntry(content="after"))
    await history(world, again, str(identity.fingerprint))
    for key in (former, identity.public_key):
        assert (await again.records.verify(diary.id, keys=[key])).holds

    for key, number in ((former, 2), (identity.public_key, 1)):
        verdict = await Agent(Silent(again.transport), keys=again.keys).records.verify(diary.id, keys=[key])
        assert [(each.sequence, each.fault) for each in verdict.findings] == [(number, Fault.FOREIGN_KEY)]
