"""Joining the network, all or nothing: whatever breaks at whatever moment, and whatever is done again."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from itertools import repeat

import attrs
import pytest

from moltnet.adapters.memory.workflows import Journal, MemoryWorkflows
from moltnet.domain.errors import MoltNetError, Unavailable
from moltnet.domain.registration import Registered, RegistrationFailed, Undo
from moltnet.domain.services.registration import REGISTER_AGENT, RegistrationService
from moltnet.ports.workflows import Backoff, Json, JsonObject, Steps
from tests.support.interruptions import Act, failing
from tests.support.network import Network, a_key_pair, launched

UNAVAILABLE = failing(Unavailable())
BROKEN = failing(RuntimeError("broken"))
# Every call a registration makes that has an effect, the one it begins with, and the commits between.
WITHIN_STORING = ("agents.add", "vouchers.redeem", "diaries.add", "Permissions.grant")
REMOTE = ("IdentityProvider.create", "Permissions.introduce", "Clients.create")
BEFORE = ("vouchers.find", *WITHIN_STORING, *REMOTE)
AFTER = (*WITHIN_STORING, "commit of agents.add", *REMOTE)
ATTEMPTS = 3
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


async def test_a_founders_registration_leaves_nothing_either(network: Network) -> None:
    before = network.kept()
    network.calls.after("Clients.create", repeat(UNAVAILABLE))
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


@pytest.mark.parametrize("call", ["IdentityProvider.delete", "agents.remove", "Clients.delete"])
@pytest.mark.parametrize("moment", ["before", "after"])
async def test_undoing_is_tried_again(network: Network, code: str, moment: str, call: str) -> None:
    before = network.kept()
    network.calls.after("Clients.create", repeat(UNAVAILABLE))
    interrupt(network, moment, call, repeat(UNAVAILABLE, ATTEMPTS - 1))
    with pytest.raises(RegistrationFailed):
        await registered(network, code)
    assert network.kept() == before


@pytest.mark.parametrize(
    ("call", "left"),
    [("IdentityProvider.delete", {"identities"}), ("agents.remove", {"agents"}), ("Clients.delete", {"clients"})],
)
async def test_what_cannot_be_undone_keeps_nothing_else(
    network: Network, code: str, *, call: str, left: set[str]
) -> None:
    before = network.kept()
    network.calls.after("Clients.create", repeat(UNAVAILABLE))
    network.calls.before(call, repeat(UNAVAILABLE))
    with pytest.raises(Unavailable) as refused:
        await registered(network, code)
    assert not isinstance(refused.value, RegistrationFailed)  # which would say that nothing was kept
    now = network.kept()
    left |= {"diaries", "relations", "vouchers"} if "agents" in left else set()
    assert {name for name in now if now[name] != before[name]} == left


async def test_whose_credentials_are_lost_on_the_way_comes_back_by_its_key(network: Network, code: str) -> None:
    key = a_key_pair()
    network.calls.before("Clients.rotate", [UNAVAILABLE])
    with pytest.raises(Unavailable):
        await network.services.registration.register(key.public_key.text, code)
    challenge = await network.services.recovery.challenge(key.public_key.text)
    signature = key.sign(challenge.text.encode())
    assert await network.services.recovery.verify(challenge, signature, key.public_key.text)


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
    network.calls.after("Clients.create", repeat(UNAVAILABLE))
    with pytest.raises(RegistrationFailed):
        await repeating.register(a_key(), code)
    undone = ("Clients.delete", "agents.remove", "IdentityProvider.delete")
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
    afterwards = launched(network.registration, network.journal)
    await afterwards.recover()
    (workflow_id,) = network.journal.runs
    answer = await afterwards.result(workflow_id)
    assert isinstance(answer, dict)
    assert network.added(before) == ONE_OF_EACH
    assert [str(agent_id) for agent_id in network.kept()["agents"]][-1] == answer["agent_id"]
