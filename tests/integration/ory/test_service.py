"""Calls to a service that fails: tried again, given up in time, and never taken for an answer."""

import asyncio

import attrs
import pytest

from moltnet.adapters.memory.system import MemoryClock
from moltnet.adapters.ory.service import OryMisconfigured, OryUnavailable
from moltnet.adapters.ory.services import ory_services
from moltnet.domain.credentials import InvalidToken
from moltnet.domain.ids import AgentId
from moltnet.domain.recovery import Recovery
from tests.integration.ory.conftest import Holder
from tests.support.builders import NOON, a_public_key, an_id
from tests.support.ory import faults as f
from tests.support.ory.ports import QUICK, Ory, a_stand_in, addresses_of
from tests.support.ory.server import OryStandIn
from tests.support.telling import Telling

pytestmark = pytest.mark.real

KEY = a_public_key()
OUTAGES = {
    "reset": f.RESET_BEFORE,
    "500": f.BROKEN,
    "503": f.DOWN,
    "gateway": f.GATEWAY,
    "cut short": f.TRUNCATED,
    "wrong shape": f.WRONG_SHAPE,
    "no JSON": f.NOT_JSON,
    "429": f.LIMITED,
    "401": f.Fault(status=401),
}


async def test_wait_that_is_asked_for_is_respected_if_it_is_short(services: Ory, stand_in: OryStandIn):
    stand_in.faults.arrange("K1", [f.Fault(status=429, headers={"Retry-After": "0"})])
    assert await services.identities().create("registration-1", KEY, None)
    stand_in.faults.arrange("K2", [f.LIMITED_FOR_LONG])
    with pytest.raises(OryUnavailable) as refused:
        await services.identities().create("registration-2", a_public_key(), None)
    assert refused.value.detail == "Kratos admin could not create an identity: it answered 429"
    assert stand_in.faults.calls.count("K2") == 2


async def test_code_is_never_sent_twice(services: Ory, stand_in: OryStandIn):
    """A right code counts once: a second sending would be told that it was used."""
    identities = services.identities()
    recovery = await identities.begin_recovery(await identities.create("registration-1", KEY, None))
    stand_in.faults.arrange("K9", [f.RESET_AFTER])
    with pytest.raises(OryUnavailable):
        await identities.answer_flow(recovery.flow_url.partition("flow=")[2], recovery.code)
    assert stand_in.faults.calls.count("K9") == 1


async def test_code_that_was_surely_not_looked_at_is_sent_again(services: Ory, stand_in: OryStandIn):
    identities = services.identities()
    recovery = await identities.begin_recovery(await identities.create("registration-1", KEY, None))
    stand_in.faults.arrange("K9", [f.LIMITED])
    assert (await identities.answer_flow(recovery.flow_url.partition("flow=")[2], recovery.code)).session_token


@pytest.mark.parametrize("outage", OUTAGES)
async def test_outage_is_never_reported_as_a_bad_token(holder: Holder, stand_in: OryStandIn, outage: str):
    for call in ("H8", "H2"):
        stand_in.faults.always(call, OUTAGES[outage])
    with pytest.raises(OryUnavailable):
        await holder.verifier.verify("ory_at_an-opaque-token")


async def test_inactive_is_a_bad_token(holder: Holder):
    with pytest.raises(InvalidToken):
        await holder.verifier.verify("ory_at_an-opaque-token")


async def test_call_is_a_part_of_the_request_that_makes_it_and_reveals_nothing_of_what_is_sent():
    telling = Telling()
    async with a_stand_in(MemoryClock(NOON)) as ory:
        assert ory.stand_in is not None
        with (
            ory_services(addresses_of(ory.stand_in), QUICK, telling.telemetry) as services,
            telling.telemetry.continued({}, "request"),
        ):
            await attrs.evolve(ory, services=services).identities().create("registration-1", KEY, None)
    call = telling.spans["Kratos admin: create an identity"]
    assert call.parent.span_id == telling.spans["request"].context.span_id
    assert dict(call.attributes) == {"peer.service": "Kratos admin"}
    parent = f"00-{call.context.trace_id:032x}-{call.context.span_id:016x}"
    assert ory.stand_in.faults.parents[-1].rpartition("-")[0] == parent


async def test_calls_at_once_are_each_a_part_of_their_own_request():
    telling = Telling()
    async with a_stand_in(MemoryClock(NOON)) as ory:
        assert ory.stand_in is not None
        with ory_services(addresses_of(ory.stand_in), QUICK, telling.telemetry) as services:
            identities = attrs.evolve(ory, services=services).identities()

            async def create(number: int) -> str:
                with telling.telemetry.continued({}, "request"):
                    await identities.create(f"registration-{number}", a_public_key(), None)
                    return telling.telemetry.trace().partition("-")[0]

            traces = await asyncio.gather(*map(create, range(4)))
            await identities.create("registration-of-nobody", a_public_key(), None)
    asked = [parent.split("-")[1] for parent in ory.stand_in.faults.parents if parent]
    assert set(asked) == set(traces)
    assert ory.stand_in.faults.parents[-1] == ""


async def test_nobody_is_there():
    async with a_stand_in(MemoryClock(NOON)) as gone:
        assert gone.stand_in is not None
    with ory_services(addresses_of(gone.stand_in), QUICK) as services, pytest.raises(OryUnavailable) as refused:
        await attrs.evolve(gone, services=services).identities().create("registration-1", KEY, None)
    assert refused.value.detail == "Kratos could not list identity schemas: NewConnectionError"


async def test_breaker_leaves_a_silent_service_alone_for_a_while():
    limits = attrs.evolve(QUICK, attempts=1, breaker_threshold=3, breaker_pause_s=3600)
    async with a_stand_in(MemoryClock(NOON), limits) as services:
        stand_in, identities = services.stand_in, services.identities()
        assert stand_in is not None
        stand_in.faults.always("K1", f.DOWN)
        for _ in range(limits.breaker_threshold):
            with pytest.raises(OryUnavailable, match="it answered 503"):
                await identities.create("registration-1", KEY, None)
        with pytest.raises(OryUnavailable, match="it has not answered lately, and is left alone for a while"):
            await identities.create("registration-1", KEY, None)
        assert stand_in.faults.calls.count("K1") == limits.breaker_threshold
        assert await services.keys().published()


async def test_service_that_hangs_holds_up_no_other():
    """Each side has threads of its own: what waits for Keto must not stop Hydra."""
    limits = attrs.evolve(QUICK, threads=2, waiting=2)
    async with a_stand_in(MemoryClock(NOON), limits) as services:
        assert services.stand_in is not None
        services.stand_in.faults.always("K1", f.HANGS_BEFORE)
        waiting = [asyncio.create_task(services.identities().create(f"r-{n}", KEY, None)) for n in range(4)]
        await services.stand_in.faults.until("K1", limits.threads)
        assert await services.keys().published()
        with pytest.raises(OryUnavailable, match="too many calls stand in line"):
            await services.identities().create("r-5", KEY, None)
        services.stand_in.faults.clear()
        services.stand_in.faults.release()
        await asyncio.gather(*waiting, return_exceptions=True)


async def test_no_key_goes_where_none_is_needed_and_every_other_call_has_it(services: Ory, stand_in: OryStandIn):
    """The stand-in refuses what lacks the key; with a wrong one nothing is told as done or as missing."""
    assert await services.keys().published()
    stand_in.faults.always("K4", f.Fault(status=403))
    with pytest.raises(OryUnavailable, match="it answered 403"):
        await services.identities().delete("registration-1", KEY)


# What an operator left out


async def test_network_without_the_schema_of_agents_says_so(services: Ory, stand_in: OryStandIn):
    stand_in.kratos.schemas.pop()
    with pytest.raises(OryMisconfigured, match=r"add deploy/ory/kratos/agent\.schema\.json"):
        await services.identities().create("registration-1", KEY, None)


async def test_schema_of_another_release_is_found_again(services: Ory, stand_in: OryStandIn):
    identities = services.identities()
    await identities.create("registration-1", KEY, None)
    stand_in.kratos.schemas[-1]["id"] = "preset://next"
    with pytest.raises(OryMisconfigured):
        await identities.create("registration-2", a_public_key(), None)
    assert await identities.create("registration-2", a_public_key(), None)


async def test_recovery_without_codes_says_what_to_set(services: Ory, stand_in: OryStandIn):
    identities = services.identities()
    identity = await identities.create("registration-1", KEY, None)
    stand_in.kratos.codes_enabled = False
    with pytest.raises(OryMisconfigured, match=r"selfservice\.methods\.code\.enabled"):
        await identities.begin_recovery(identity)


async def test_recovery_without_its_flag_says_what_to_set(services: Ory, stand_in: OryStandIn):
    stand_in.kratos.continues = False
    identities = services.identities()
    recovery: Recovery = await identities.begin_recovery(await identities.create("registration-1", KEY, None))
    with pytest.raises(OryMisconfigured, match="use_continue_with_transitions"):
        await identities.answer_flow(recovery.flow_url.partition("flow=")[2], recovery.code)


async def test_agent_without_an_identity_is_no_bad_proof(services: Ory):
    with pytest.raises(OryMisconfigured, match="Kratos has no identity of the agent"):
        await services.identities().begin_recovery(AgentId(an_id()))


async def test_release_without_external_ids_serves_as_well(services: Ory, stand_in: OryStandIn):
    stand_in.kratos.has_external_ids = False
    identities = services.identities()
    stand_in.faults.arrange("K2", [f.RESET_AFTER])
    identity = await identities.create("registration-1", KEY, None)
    assert [*stand_in.kratos.identities] == [str(identity)]
    await identities.delete("registration-1", KEY)
    assert not stand_in.kratos.identities


async def test_all_is_well_on_six_ports(clock: MemoryClock):
    async with a_stand_in(clock, split=True) as services:
        identities = services.identities()
        identity = await identities.create("registration-1", KEY, None)
        assert await identities.begin_recovery(identity)
        assert await services.keys().published()
