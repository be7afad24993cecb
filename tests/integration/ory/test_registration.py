"""Joining before Ory: whatever breaks at whatever call, one member comes of it or nothing is left anywhere."""

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import parse_qs, urlsplit

import attrs
import pytest
from aiohttp import ClientSession

from moltnet.adapters.nacl import NaclKeyPair
from moltnet.adapters.ory.service import CallLimits
from moltnet.domain.agents import KeyTaken
from moltnet.domain.credentials import ClientSecret, InvalidClient
from moltnet.domain.errors import Unavailable
from moltnet.domain.recovery import InvalidProof
from moltnet.domain.registration import Evidence, Registered, RegistrationFailed, proof_message
from moltnet.domain.services import Services
from moltnet.domain.vouching import VoucherRedeemed
from tests.support.network import Network, a_key_pair, a_network
from tests.support.ory import faults as f
from tests.support.ory.networks import OryBehind, behind
from tests.support.ory.ports import hook_of
from tests.support.usecases import lost_long_ago

pytestmark = [pytest.mark.real, pytest.mark.ory]

HURRIED = CallLimits(
    connect_s=0.5, read_s=0.25, attempts=2, first_wait_s=0.001, longest_wait_s=0.01, breaker_threshold=1000
)
FAULTS = {
    "reset before the effect": f.RESET_BEFORE,
    "reset after the effect": f.RESET_AFTER,
    "hangs before the effect": f.HANGS_BEFORE,
    "hangs after the effect": f.HANGS_AFTER,
    "500 before the effect": f.BROKEN,
    "500 after the effect": f.BROKEN_AFTER,
    "503": f.DOWN,
    "429": f.LIMITED,
    "429 for a second": f.LIMITED_FOR_A_SECOND,
    "429 for an hour": f.LIMITED_FOR_LONG,
    "a gateway's page": f.GATEWAY,
    "cut short": f.TRUNCATED,
    "wrong shape": f.WRONG_SHAPE,
    "no JSON": f.NOT_JSON,
}
# Those that a second attempt at once can mend: the others end the step, which its workflow takes again.
STEPS = ("K1", "K2", "H1")
RELATING = ("T1", "T4", "T7")
OF_OURS = dict.fromkeys(("agents", "clients", "diaries"), 1)
# A relation is looked for before it is written, so one that was written and not confirmed is found.
STAYING = [
    *((call, fault) for call in (*STEPS, "T4") for fault in FAULTS),
    *(("T1", fault) for fault in FAULTS if FAULTS[fault].when is f.When.BEFORE),
]
TUPLES = [("Agent", "self"), ("Diary", "owner")]
PORTS = {"K7": "IdentityProvider.delete", "H5": "ClientRegistry.delete"}
STEP_ATTEMPTS = 3
COUNTERS = "counters"  # the last number given is no trace of anybody


async def nothing() -> None:
    pass


@attrs.frozen
class RegistrationWorld:
    """The network, and Ory behind it."""

    network: Network
    ory: OryBehind

    async def left(self) -> dict[str, object]:
        """Everything that is kept anywhere."""
        ory = {"identities": set(await self.ory.identities()), "oauth": set(await self.ory.clients())}
        kept = {name: rows for name, rows in self.network.kept().items() if name != COUNTERS}
        return {**kept, **ory, "tuples": await self.ory.tuples()}

    def added(self, before: dict[str, dict[object, object]]) -> dict[str, int]:
        """How many rows each table of ours has more."""
        return {name: more for name, more in self.network.added(before).items() if name != COUNTERS}

    async def settled(self) -> dict[str, object]:
        """Everything that is kept anywhere, once what was left to the next sweep is delivered."""
        await self.network.delivery.reconcile()
        return await self.left()

    async def register(self, key: NaclKeyPair, code: str) -> Registered:
        evidence = Evidence(proof=key.sign(proof_message(key.public_key, code)))
        return await self.network.services.registration.register(key.public_key.text, code, evidence)

    async def is_member(self, key: NaclKeyPair, told: Registered) -> bool:
        """Whether the credentials that were told are good, and everything is there once."""
        credentials = self.network.services.credentials
        token = await credentials.token(str(told.credentials.client_id), told.credentials.secret, None)
        caller = await self.network.services.authentication.authenticate(token.text)
        identities = await self.ory.identities()
        assert [each["traits"]["public_key"] for each in identities.values()] == [key.public_key.text]
        assert [*await self.ory.clients()] == [str(told.credentials.client_id)]
        assert sorted((kind, relation) for kind, _, relation, _ in await self.ory.tuples()) == TUPLES
        return caller.public_key == key.public_key and str(told.agent_id) in identities


@pytest.fixture
async def world() -> AsyncIterator[RegistrationWorld]:
    async with behind(HURRIED) as (ory, options), a_network(**options) as network:
        ory.hook(hook_of(network.storage, network.clients))
        yield RegistrationWorld(network, ory)


@pytest.fixture
async def code(world: RegistrationWorld) -> str:
    """A member's voucher; the member has no part in Ory."""
    member = await world.network.member()
    return (await world.network.services.vouching.issue(member.caller)).code


async def test_new_agent_is_there_once_in_every_store(world: RegistrationWorld, code: str):
    before, key = world.network.kept(), a_key_pair()
    assert await world.is_member(key, await world.register(key, code))
    assert world.added(before) == OF_OURS
    (identity,) = (await world.ory.identities()).values()
    assert identity["traits"] == {"public_key": key.public_key.text, "voucher_code": code}
    (client,) = (await world.ory.clients()).values()
    assert client["metadata"]["identity_id"] == identity["id"]
    assert client["grant_types"] == ["client_credentials"]
    assert client["token_endpoint_auth_method"] == "client_secret_post"


async def test_token_hook_asks_nothing_of_hydra_which_waits_for_it(world: RegistrationWorld, code: str):
    key = a_key_pair()
    told = await world.register(key, code)
    world.ory.faults.calls.clear()
    agent = await world.network.services.hooks.token_holder(str(told.credentials.client_id))
    assert (agent.id, world.ory.faults.calls) == (told.agent_id, [])


@pytest.mark.parametrize("call", [*STEPS, *RELATING])
@pytest.mark.parametrize("fault", FAULTS)
async def test_fault_that_passes_leaves_one_member(world: RegistrationWorld, code: str, *, call: str, fault: str):
    before, key = world.network.kept(), a_key_pair()
    world.ory.faults.arrange(call, [FAULTS[fault]])
    assert await world.is_member(key, await world.register(key, code))
    assert world.added(before) == OF_OURS


@pytest.mark.parametrize(("call", "fault"), STAYING)
async def test_fault_that_stays_leaves_nothing(world: RegistrationWorld, code: str, *, call: str, fault: str):
    before, key = await world.left(), a_key_pair()
    world.ory.faults.always(call, FAULTS[fault])
    with pytest.raises(RegistrationFailed):
        await world.register(key, code)
    world.ory.faults.clear()
    assert await world.settled() == before
    assert await world.is_member(key, await world.register(key, code))


@pytest.mark.parametrize("call", ["K4", "K7", "H5"])
@pytest.mark.parametrize(
    "fault", ["reset before the effect", "reset after the effect", "503", "hangs after the effect"]
)
async def test_undoing_is_tried_again_until_it_holds(world: RegistrationWorld, code: str, *, call: str, fault: str):
    before = await world.left()
    world.ory.faults.always("H1", f.BROKEN_AFTER)
    world.ory.faults.arrange(call, [FAULTS[fault]] * 2)
    with pytest.raises(RegistrationFailed):
        await world.register(a_key_pair(), code)
    assert await world.settled() == before


@pytest.mark.parametrize("fault", ["reset before the effect", "reset after the effect", "503", "cut short"])
async def test_removal_of_relations_is_tried_again_until_it_holds(world: RegistrationWorld, code: str, fault: str):
    before = await world.left()
    world.ory.faults.always("H1", f.BROKEN_AFTER)
    world.ory.faults.arrange("T3", [FAULTS[fault]])
    with pytest.raises(RegistrationFailed):
        await world.register(a_key_pair(), code)
    await world.settled()
    assert await world.settled() == before


@pytest.mark.parametrize(("call", "left"), [("K7", "identities"), ("H5", "oauth")])
async def test_what_cannot_be_undone_keeps_nothing_else_and_is_undone_in_the_end(
    world: RegistrationWorld, code: str, *, call: str, left: str
):
    before, meanwhile = await world.left(), dict[str, object]()

    async def look_and_mend() -> None:
        meanwhile.update(await world.settled())
        world.ory.faults.clear()

    world.ory.faults.always("H1", f.BROKEN_AFTER)
    world.ory.faults.always(call, f.DOWN)
    # Every attempt of the first round fails, and some of the second.
    world.network.calls.before(PORTS[call], [*[nothing] * (STEP_ATTEMPTS + 2), look_and_mend])
    with pytest.raises(RegistrationFailed):
        await world.register(a_key_pair(), code)
    assert {name for name in meanwhile if meanwhile[name] != before[name]} == {left}
    assert await world.settled() == before


@pytest.mark.parametrize("call", ["H4", "H9"])
@pytest.mark.parametrize("fault", ["reset before the effect", "reset after the effect", "503", "cut short", "429"])
async def test_first_secret_survives_a_fault(world: RegistrationWorld, code: str, *, call: str, fault: str):
    key = a_key_pair()
    world.ory.faults.arrange(call, [FAULTS[fault]])
    assert await world.is_member(key, await world.register(key, code))


@pytest.mark.parametrize("call", ["H4", "H9"])
@pytest.mark.parametrize("fault", ["reset before the effect", "reset after the effect", "503"])
async def test_whose_secret_is_lost_on_the_way_repeats_and_gets_another(
    world: RegistrationWorld, code: str, *, call: str, fault: str
):
    key = a_key_pair()
    world.ory.faults.always(call, FAULTS[fault])
    with pytest.raises(Unavailable):
        await world.register(key, code)
    world.ory.faults.clear()
    assert await world.is_member(key, await world.register(key, code))


@pytest.mark.parametrize("is_direct", [False, True], ids=["by the network", "by Hydra itself"])
async def test_once_a_token_was_used_nobody_gets_another_secret_by_repeating(
    world: RegistrationWorld, code: str, *, is_direct: bool
):
    key = a_key_pair()
    told = (await world.register(key, code)).credentials
    services = world.network.services
    if is_direct:
        form = {"grant_type": "client_credentials", "client_id": str(told.client_id), "client_secret": told.secret}
        url = f"{world.ory.addresses['hydra', 'public']}/oauth2/token"
        async with ClientSession() as http, http.post(url, data=form) as answer:
            token = (await answer.json())["access_token"]
        await services.authentication.authenticate(token)
    else:
        await services.credentials.token(str(told.client_id), told.secret, None)
    with pytest.raises(VoucherRedeemed):
        await world.register(key, code)
    assert await services.credentials.token(str(told.client_id), told.secret, None)


@pytest.mark.parametrize("call", ["H4", "H9"])
async def test_whose_secret_is_lost_on_the_way_comes_back_by_its_key(world: RegistrationWorld, code: str, call: str):
    key, services = a_key_pair(), world.network.services
    world.ory.faults.always(call, f.RESET_AFTER)
    with pytest.raises(Unavailable):
        await world.register(key, code)
    world.ory.faults.clear()
    secret = await _secret_by_recovery(services, key)
    token = await services.credentials.token(str(secret.client_id), secret.secret, None)
    assert (await services.authentication.authenticate(token.text)).public_key == key.public_key


@pytest.mark.parametrize("call", [None, "K6", "H4"])
async def test_new_key_of_an_agent_that_lost_its_own_is_in_kratos_and_hydra_too(
    world: RegistrationWorld, code: str, call: str | None
):
    key, fresh, services = a_key_pair(), a_key_pair(), world.network.services
    told = await world.register(key, code)
    token = await services.credentials.token(str(told.credentials.client_id), told.credentials.secret, None)
    caller = await services.authentication.authenticate(token.text)
    await lost_long_ago(services, caller, fresh)
    if call is not None:
        world.ory.faults.arrange(call, [f.RESET_AFTER])
    secret = await _secret_by_recovery(services, fresh)
    (identity,) = (await world.ory.identities()).values()
    assert (identity["id"], identity["traits"]["public_key"]) == (str(told.agent_id), fresh.public_key.text)
    with pytest.raises(InvalidClient):
        await services.credentials.token(str(told.credentials.client_id), told.credentials.secret, None)
    token = await services.credentials.token(str(secret.client_id), secret.secret, None)
    assert (await services.authentication.authenticate(token.text)).public_key == fresh.public_key
    with pytest.raises(InvalidProof):
        await _secret_by_recovery(services, key)


async def _secret_by_recovery(services: Services, key: NaclKeyPair) -> ClientSecret:
    challenge = await services.recovery.challenge(key.public_key.text)
    recovery = await services.recovery.verify(challenge, key.sign(challenge.text.encode()), key.public_key.text)
    flow = parse_qs(urlsplit(recovery.flow_url).query)["flow"][0]
    answer = await services.recovery.answer_flow(flow, recovery.code)
    assert answer.session_token is not None
    return await services.credentials.rotate_by_session(answer.session_token)


async def test_key_that_is_in_kratos_by_another_registration_is_taken(world: RegistrationWorld, code: str):
    key = a_key_pair()
    await world.network.identities.create("another registration", key.public_key, None)
    before = await world.left()
    with pytest.raises(KeyTaken):
        await world.register(key, code)
    assert await world.left() == before


async def test_same_key_twice_at_once_is_one_member(world: RegistrationWorld, code: str):
    key, member = a_key_pair(), await world.network.member()
    second = (await world.network.services.vouching.issue(member.caller)).code
    told = await asyncio.gather(world.register(key, code), world.register(key, second), return_exceptions=True)
    (member_told,) = [each for each in told if isinstance(each, Registered)]
    assert [type(each) for each in told if isinstance(each, BaseException)] == [KeyTaken]
    assert await world.is_member(key, member_told)


async def test_no_secret_is_written_to_a_log(world: RegistrationWorld, code: str, caplog: pytest.LogCaptureFixture):
    caplog.set_level("DEBUG")
    for call in (*STEPS, "H4", "H9"):
        world.ory.faults.arrange(call, [f.RESET_AFTER])
    told = await world.register(a_key_pair(), code)
    assert world.ory.passwords
    assert not [text for text in (told.credentials.secret, code, *world.ory.passwords) if text in caplog.text]
