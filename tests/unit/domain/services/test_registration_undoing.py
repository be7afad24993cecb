"""Joining the network, all or nothing: whatever breaks at whatever moment, and whatever is done again."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import timedelta
from itertools import repeat

import attrs
import pytest

from moltnet.adapters.memory.workflows import Journal, MemoryWorkflows
from moltnet.domain.agents import KeyTaken
from moltnet.domain.credentials import FIRST_SECRET_WINDOW, InvalidClient
from moltnet.domain.errors import MoltNetError, Unavailable
from moltnet.domain.keys import PublicKey
from moltnet.domain.registration import Evidence, Registered, RegistrationFailed, Undo
from moltnet.domain.services.registration import REGISTER_AGENT, RegistrationService
from moltnet.domain.vouching import VoucherRedeemed
from moltnet.ports.workflows import Backoff, Json, JsonObject, Steps
from tests.support.builders import a_caller
from tests.support.interruptions import Act, failing
from tests.support.network import Network, a_key_pair, launched

UNAVAILABLE = failing(Unavailable())
BROKEN = failing(RuntimeError("broken"))
# Every call a registration makes that has an effect, and the commits between.
WITHIN_STORING = ("agents.add", "vouchers.redeem", "diaries.add", "Permissions.grant")
REMOTE = ("IdentityProvider.create", "Permissions.introduce", "ClientRegistry.create")
BEFORE = (*WITHIN_STORING, *REMOTE)
AFTER = (*WITHIN_STORING, "commit of agents.add", *REMOTE)
ATTEMPTS = 3
SECOND = timedelta(seconds=1)
MINE = Evidence(idempotency_key="8e03978e-40d5-43dd-bc93-6894a57f9324")
ONE_OF_EACH = dict.fromkeys(("identities", "agents", "clients", "diaries", "relations"), 1)


@pytest.fixture
async def code(network: Network) -> str:
    """A member's voucher."""
    member = await network.member()
    return (await network.services.vouching.issue(member.caller)).code


def a_key() -> str:
    return a_key_pair().public_key.text


async def registered(network: Network, code: str) -> Registered:
    return await network.services.registration.register(a_key(), code)


async def nothing() -> None:
    pass


def interrupt(network: Network, moment: str, call: str, acts: Iterable[Act]) -> None:
    {"before": network.calls.before, "after": network.calls.after}[moment](call, acts)


# Whatever breaks


@pytest.mark.parametrize("error", [UNAVAILABLE, BROKEN], ids=["unavailable", "broken"])
@pytest.mark.parametrize(
    ("moment", "call"), [*(("before", call) for call in BEFORE), *(("after", call) for call in AFTER)]
)
async def test_what_fails_leaves_nothing_and_the_voucher_open(
    network: Network, code: str, *, moment: str, call: str, error: Act
) -> None:
    before, key = network.kept(), a_key()
    interrupt(network, moment, call, repeat(error))
    with pytest.raises(RegistrationFailed):
        await network.services.registration.register(key, code)
    assert network.kept() == before
    interrupt(network, moment, call, [])
    assert (await network.services.registration.register(key, code)).public_key.text == key
    assert network.added(before) == ONE_OF_EACH


@pytest.mark.parametrize("error", [UNAVAILABLE, BROKEN], ids=["unavailable", "broken"])
async def test_a_voucher_that_cannot_be_looked_at_begins_nothing(network: Network, code: str, error: Act) -> None:
    before = network.kept()
    network.calls.before("vouchers.find", [error])
    with pytest.raises((Unavailable, RuntimeError)):
        await registered(network, code)
    assert network.kept() == before
    assert not network.journal.runs


async def test_what_fails_at_the_first_step_leaves_nothing(network: Network, code: str) -> None:
    before, looks = network.kept(), iter([nothing, nothing, failing(Unavailable())])
    network.calls.before("vouchers.find", looks)
    with pytest.raises(RegistrationFailed):
        await registered(network, code)
    assert network.kept() == before
    assert next(looks, None) is None


async def test_a_founders_registration_leaves_nothing_either(network: Network) -> None:
    before = network.kept()
    network.calls.after("ClientRegistry.create", repeat(UNAVAILABLE))
    with pytest.raises(RegistrationFailed):
        await network.services.registration.genesis(a_key())
    assert network.kept() == before


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("call", REMOTE)
async def test_a_service_that_comes_back_in_time_makes_one_member(
    network: Network, code: str, call: str, moment: str
) -> None:
    before = network.kept()
    interrupt(network, moment, call, repeat(UNAVAILABLE, ATTEMPTS - 1))
    assert await registered(network, code)
    assert network.added(before) == ONE_OF_EACH
    assert network.calls.log.count(call) == ATTEMPTS


@pytest.mark.parametrize("call", ["IdentityProvider.delete", "agents.remove", "ClientRegistry.delete"])
@pytest.mark.parametrize("moment", ["before", "after"])
async def test_undoing_is_tried_again(network: Network, code: str, moment: str, call: str) -> None:
    before = network.kept()
    network.calls.after("ClientRegistry.create", repeat(UNAVAILABLE))
    interrupt(network, moment, call, repeat(UNAVAILABLE, ATTEMPTS - 1))
    with pytest.raises(RegistrationFailed):
        await registered(network, code)
    assert network.kept() == before


@pytest.mark.parametrize("error", [UNAVAILABLE, BROKEN], ids=["unavailable", "broken"])
@pytest.mark.parametrize(
    ("call", "left"),
    [
        ("IdentityProvider.delete", {"identities"}),
        ("agents.remove", {"agents"}),
        ("ClientRegistry.delete", {"clients"}),
    ],
)
async def test_what_cannot_be_undone_keeps_nothing_else_and_is_undone_in_the_end(
    network: Network, code: str, *, call: str, left: set[str], error: Act
) -> None:
    before, meanwhile = network.kept(), network.kept()

    async def look() -> None:
        meanwhile.update(network.kept())

    network.calls.after("ClientRegistry.create", repeat(UNAVAILABLE))
    # Every attempt of the first round fails, and some of the second.
    network.calls.before(call, [*[error] * (ATTEMPTS + 2), look])
    with pytest.raises(RegistrationFailed):
        await registered(network, code)
    left |= {"diaries", "relations", "vouchers"} if "agents" in left else set()
    assert {name for name in meanwhile if meanwhile[name] != before[name]} == left
    assert network.kept() == before


async def test_undoing_goes_on_after_a_crash(network: Network, code: str) -> None:
    stopped = asyncio.Event()

    async def stand_still() -> None:
        stopped.set()
        await asyncio.Event().wait()

    before = network.kept()
    network.calls.after("ClientRegistry.create", repeat(UNAVAILABLE))
    network.calls.before("ClientRegistry.delete", [*[UNAVAILABLE] * (ATTEMPTS + 1), stand_still])
    registering = asyncio.create_task(registered(network, code))
    await stopped.wait()
    await network.workflows.aclose()
    await asyncio.wait({registering})
    registering.exception()
    afterwards = launched(network.bodies, network.journal)
    await afterwards.recover()
    (workflow_id,) = network.journal.runs
    with pytest.raises(RegistrationFailed):
        await afterwards.result(workflow_id)
    assert network.kept() == before


# Repeated


async def test_whose_credentials_are_lost_on_the_way_repeats_and_gets_them(network: Network, code: str) -> None:
    before, key = network.kept(), a_key()
    network.calls.before("ClientRegistry.first_secret", [UNAVAILABLE])
    with pytest.raises(Unavailable):
        await network.services.registration.register(key, code, MINE)
    first = await network.services.registration.register(key, code, MINE)
    again = await network.services.registration.register(key, code, MINE)
    assert first.agent_id == again.agent_id
    assert first.credentials.client_id == again.credentials.client_id
    assert network.added(before) == ONE_OF_EACH
    credentials = network.services.credentials
    with pytest.raises(InvalidClient):
        await credentials.token(str(first.credentials.client_id), first.credentials.secret, None)
    assert await credentials.token(str(again.credentials.client_id), again.credentials.secret, None)


async def test_the_same_request_at_once_makes_one_member(network: Network, code: str) -> None:
    before, key = network.kept(), a_key()
    told = await asyncio.gather(*(network.services.registration.register(key, code, MINE) for _ in range(3)))
    assert len({each.agent_id for each in told}) == 1
    assert network.added(before) == ONE_OF_EACH


async def test_once_the_credentials_were_used_nobody_gets_others_by_repeating(network: Network, code: str) -> None:
    key = a_key()
    told = (await network.services.registration.register(key, code, MINE)).credentials
    await network.services.credentials.token(str(told.client_id), told.secret, None)
    with pytest.raises(VoucherRedeemed):
        await network.services.registration.register(key, code, MINE)
    assert await network.services.credentials.token(str(told.client_id), told.secret, None)


async def test_credentials_that_were_replaced_by_proof_of_the_key_are_not_reported_to_a_repetition(
    network: Network, code: str
) -> None:
    key = a_key()
    agent_id = (await network.services.registration.register(key, code, MINE)).agent_id
    caller = attrs.evolve(a_caller(), agent_id=agent_id, public_key=PublicKey.parse(key))
    await network.services.credentials.rotate(caller)
    with pytest.raises(VoucherRedeemed):
        await network.services.registration.register(key, code, MINE)


async def test_unused_credentials_are_reported_again_for_ten_minutes(network: Network, code: str) -> None:
    key = a_key()
    await network.services.registration.register(key, code, MINE)
    network.clock.advance(FIRST_SECRET_WINDOW - SECOND)
    assert await network.services.registration.register(key, code, MINE)
    network.clock.advance(SECOND)
    with pytest.raises(VoucherRedeemed):
        await network.services.registration.register(key, code, MINE)


async def test_another_voucher_or_key_is_no_repetition(network: Network, code: str) -> None:
    key = a_key()
    await network.services.registration.register(key, code, MINE)
    other = (await network.services.vouching.issue((await network.member()).caller)).code
    with pytest.raises(KeyTaken):
        await network.services.registration.register(key, other, MINE)
    with pytest.raises(VoucherRedeemed):
        await network.services.registration.register(a_key(), code, MINE)


async def test_a_founder_repeats_too(network: Network) -> None:
    before, key = network.kept(), a_key()
    told = [await network.services.registration.genesis(key) for _ in range(2)]
    assert told[0].agent_id == told[1].agent_id
    credentials = told[1].credentials
    assert await network.services.credentials.token(str(credentials.client_id), credentials.secret, None)
    with pytest.raises(KeyTaken):
        await network.services.registration.genesis(key)
    assert network.added(before) == ONE_OF_EACH | {"signing_keys": 1}


# Steps that are taken again


class TwiceTaken:
    """The port `Steps` after crashes: every action had its effect before, and the memory of it was lost."""

    def __init__(self, steps: Steps) -> None:
        self._steps = steps

    @property
    def workflow_id(self) -> str:
        """The id the workflow was started with."""
        return self._steps.workflow_id

    async def step(self, name: str, action: Callable[[], Awaitable[Json]], attempts: int = 1) -> Json:
        """Runs an action twice; where it fails the first time, the second is another attempt."""
        try:
            await action()
        except MoltNetError:
            return await self._steps.step(name, action, attempts)
        return await self._steps.step(name, action, attempts)

    async def receive(self, topic: str, timeout_s: float) -> JsonObject | None:
        """The next message."""
        return await self._steps.receive(topic, timeout_s)


@pytest.fixture
def repeating(network: Network) -> RegistrationService:
    """Registration whose steps are all taken twice."""

    async def body(steps: Steps, argument: JsonObject) -> Json:
        return await network.registration.run(TwiceTaken(steps), argument)

    workflows = MemoryWorkflows({REGISTER_AGENT: body}, backoff=Backoff(first_s=0), journal=Journal())
    return attrs.evolve(network.services.registration, workflows=workflows)


async def test_steps_that_are_taken_twice_make_nothing_twice(
    network: Network, repeating: RegistrationService, code: str
) -> None:
    before = network.kept()
    assert await repeating.register(a_key(), code)
    assert network.added(before) == ONE_OF_EACH


async def test_steps_that_are_undone_twice_are_undone(
    network: Network, repeating: RegistrationService, code: str
) -> None:
    before = network.kept()
    network.calls.after("ClientRegistry.create", repeat(UNAVAILABLE))
    with pytest.raises(RegistrationFailed):
        await repeating.register(a_key(), code)
    undone = ("ClientRegistry.delete", "agents.remove", "IdentityProvider.delete")
    assert len(undone) == len(Undo)
    assert [call for call in network.calls.log if call in undone] == [call for call in undone for _ in range(2)]
    assert network.kept() == before


@pytest.mark.parametrize(
    ("moment", "call"),
    [*(("before", call) for call in REMOTE), *(("after", call) for call in ("commit of agents.add", *REMOTE))],
)
async def test_a_crash_at_any_moment_makes_one_member_afterwards(
    network: Network, code: str, *, moment: str, call: str
) -> None:
    stopped = asyncio.Event()

    async def stand_still() -> None:
        stopped.set()
        await asyncio.Event().wait()

    before = network.kept()
    interrupt(network, moment, call, [stand_still])
    registering = asyncio.create_task(registered(network, code))
    await stopped.wait()
    await network.workflows.aclose()
    with pytest.raises(Unavailable):
        await registering
    afterwards = launched(network.bodies, network.journal)
    await afterwards.recover()
    (workflow_id,) = network.journal.runs
    answer = await afterwards.result(workflow_id)
    assert isinstance(answer, dict)
    assert network.added(before) == ONE_OF_EACH
    assert [str(agent_id) for agent_id in network.kept()["agents"]][-1] == answer["agent_id"]
