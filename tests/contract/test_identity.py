"""The ports `IdentityProvider` and `RecoveryFlows`."""

import asyncio
import re
import secrets
from collections.abc import AsyncIterator
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import attrs
import pytest

from moltnet.adapters.builtin.identity import BuiltinIdentityProvider
from moltnet.adapters.memory.system import MemoryClock
from moltnet.adapters.system import SystemRandomness
from moltnet.domain.agents import Agent
from moltnet.domain.ids import AgentId
from moltnet.domain.key_changes import KeyChange, SignedStatement
from moltnet.domain.keys import PublicKey
from moltnet.domain.recovery import (
    CODE_ATTEMPTS,
    CODE_LIFETIME,
    FLOW_LIFETIME,
    SESSION_LIFETIME,
    CodeSpent,
    FlowAnswer,
    FlowNotFound,
    FlowOver,
    FlowState,
    InvalidProof,
    InvalidSession,
    RecoveredAgent,
    Recovery,
)
from moltnet.ports.identity import IdentityProvider, RecoveryFlows
from moltnet.ports.storage import Storage
from tests.support.builders import NOON, an_agent
from tests.support.stored import joined

DATE_TIME = timedelta(microseconds=1)


@attrs.frozen
class Service:
    """Both ports over one storage and one clock, and what their codes and session tokens look like.

    `moves_clock` is false before real services, whose clock nobody sets. Kratos' flows end with their codes, and of
    right tries at once it may let several pass.
    """

    clock: MemoryClock
    identities: IdentityProvider
    flows: RecoveryFlows
    code_digits: int = 8
    session_prefix: str = "ms_st_"
    flow_lifetime: timedelta = FLOW_LIFETIME
    is_exact: bool = True
    moves_clock: bool = True

    def advance(self, by: timedelta) -> None:
        """Lets time pass, where that can be."""
        if not self.moves_clock:
            pytest.skip("moves_clock: nobody sets the clock of real services")
        self.clock.advance(by)


@pytest.fixture(params=["native", pytest.param("ory", marks=[pytest.mark.real, pytest.mark.ory])])
async def service(request: pytest.FixtureRequest, storage: Storage) -> AsyncIterator[Service]:
    if request.param == "ory":
        from tests.support.ory.ports import ory  # noqa: PLC0415 - takes a second to import

        async with ory() as services:
            provider = services.identities(storage)
            yield Service(
                services.clock,
                provider,
                provider,
                code_digits=6,
                session_prefix="ory_st_",
                flow_lifetime=CODE_LIFETIME,
                is_exact=False,
                moves_clock=services.stand_in is not None,
            )
        return
    clock = MemoryClock(NOON)
    native = BuiltinIdentityProvider(storage, clock, SystemRandomness(), "https://moltnet.example/", b"secret" * 6)
    yield Service(clock, native, native)


@pytest.fixture
async def identity(service: Service) -> AgentId:
    return await service.identities.create(f"registration-{uuid4()}", a_key(), None)


def a_key() -> PublicKey:
    """A key that was in no earlier run either: real services remember."""
    return PublicKey(secrets.token_bytes(32))


@pytest.fixture
async def recovery(service: Service, identity: AgentId) -> Recovery:
    return await service.identities.begin_recovery(identity)


def flow_of(recovery: Recovery) -> str:
    return parse_qs(urlsplit(recovery.flow_url).query)["flow"][0]


def wrong(recovery: Recovery) -> str:
    digits = len(recovery.code)
    return f"{(int(recovery.code) + 1) % 10**digits:0{digits}}"


async def session_of(service: Service, recovery: Recovery) -> str:
    answer = await service.flows.answer_flow(flow_of(recovery), recovery.code)
    assert answer.session_token is not None
    return answer.session_token


async def test_repeated_registration_gets_the_same_identity(service: Service):
    registration, other, key = f"registration-{uuid4()}", f"registration-{uuid4()}", a_key()
    first = await service.identities.create(registration, key, "a" * 64)
    assert await service.identities.create(registration, key, "a" * 64) == first
    assert await service.identities.create(other, a_key(), None) != first


async def test_registrations_at_once_get_one_identity(service: Service):
    registration, key = f"registration-{uuid4()}", a_key()
    made = await asyncio.gather(*(service.identities.create(registration, key, None) for _ in range(3)))
    assert len(set(made)) == 1


async def test_deleted_identity_can_be_deleted_and_made_again(service: Service):
    registration, key = f"registration-{uuid4()}", a_key()
    await service.identities.delete(registration, key)
    await service.identities.create(registration, key, None)
    await service.identities.delete(registration, key)
    await service.identities.delete(registration, key)
    await service.identities.create(registration, key, None)


async def test_recovery_is_a_code_and_an_address(service: Service, recovery: Recovery):
    assert re.fullmatch(rf"[0-9]{{{service.code_digits}}}", recovery.code)
    address = recovery.flow_url.removesuffix(flow_of(recovery))
    assert address == "https://moltnet.example/self-service/recovery?flow="


async def test_right_code_gives_a_session_that_states_the_identity(
    service: Service, identity: AgentId, recovery: Recovery
):
    answer = await service.flows.answer_flow(flow_of(recovery), recovery.code)
    assert (answer.flow, answer.state, answer.message_id) == (flow_of(recovery), FlowState.PASSED_CHALLENGE, None)
    assert abs(answer.expires_at - service.clock.now() - service.flow_lifetime) < timedelta(minutes=1)
    assert answer.session_token is not None
    assert answer.session_token.startswith(service.session_prefix)
    assert await service.identities.finish_recovery(answer.session_token) == RecoveredAgent(id=identity, key=None)


async def test_session_is_good_once(service: Service, recovery: Recovery):
    token = await session_of(service, recovery)
    answers = await asyncio.gather(
        *(service.identities.finish_recovery(token) for _ in range(4)), return_exceptions=True
    )
    assert sum(not isinstance(answer, BaseException) for answer in answers) == 1
    assert sum(isinstance(answer, InvalidSession) for answer in answers) == 3


async def test_session_ends_with_its_lifetime(service: Service, recovery: Recovery):
    token = await session_of(service, recovery)
    service.advance(SESSION_LIFETIME)
    with pytest.raises(InvalidSession):
        await service.identities.finish_recovery(token)
    service.advance(-DATE_TIME)
    await service.identities.finish_recovery(token)


@pytest.mark.parametrize("token", ["", "ms_st_", "ms_st_AAAA", "\x00", "\ud800", "a" * 10_000])
async def test_session_nobody_was_given_is_refused(service: Service, token: str):
    with pytest.raises(InvalidSession):
        await service.identities.finish_recovery(token)


@pytest.mark.parametrize("code", ["", "1234567", "not a code", "\x00", "\ud800", "\uff11" * 8, "9" * 10_000])
async def test_wrong_code_leaves_the_flow_open(service: Service, recovery: Recovery, code: str):
    answer = await service.flows.answer_flow(flow_of(recovery), code)
    assert (answer.state, answer.message_id, answer.session_token) == (FlowState.SENT_EMAIL, 4060006, None)
    await session_of(service, recovery)


async def test_code_of_another_flow_is_wrong(service: Service, identity: AgentId, recovery: Recovery):
    other = await service.identities.begin_recovery(identity)
    assert other.code != recovery.code
    answer = await service.flows.answer_flow(flow_of(recovery), other.code)
    assert answer.state is FlowState.SENT_EMAIL


async def test_code_is_used_once(service: Service, recovery: Recovery):
    await session_of(service, recovery)
    with pytest.raises(CodeSpent):
        await service.flows.answer_flow(flow_of(recovery), recovery.code)


async def test_right_codes_at_once_are_good_for_one_new_secret(service: Service, recovery: Recovery):
    tries = (service.flows.answer_flow(flow_of(recovery), recovery.code) for _ in range(CODE_ATTEMPTS))
    answers = await asyncio.gather(*tries, return_exceptions=True)
    sessions = [answer.session_token for answer in answers if isinstance(answer, FlowAnswer) and answer.session_token]
    assert len(sessions) == 1 or (sessions and not service.is_exact)
    assert sum(isinstance(answer, CodeSpent) for answer in answers) == CODE_ATTEMPTS - len(sessions)
    ends = await asyncio.gather(*map(service.identities.finish_recovery, sessions), return_exceptions=True)
    assert sum(not isinstance(end, BaseException) for end in ends) == 1
    assert sum(isinstance(end, InvalidSession) for end in ends) == len(sessions) - 1


async def test_last_try_may_be_right(service: Service, recovery: Recovery):
    for _ in range(CODE_ATTEMPTS - 1):
        assert (await service.flows.answer_flow(flow_of(recovery), wrong(recovery))).state is FlowState.SENT_EMAIL
    await session_of(service, recovery)


async def test_too_many_tries_spend_the_code(service: Service, recovery: Recovery):
    for _ in range(CODE_ATTEMPTS):
        assert (await service.flows.answer_flow(flow_of(recovery), wrong(recovery))).state is FlowState.SENT_EMAIL
    for code in [recovery.code, wrong(recovery)]:
        with pytest.raises(CodeSpent):
            await service.flows.answer_flow(flow_of(recovery), code)


async def test_tries_at_once_are_all_counted(service: Service, recovery: Recovery):
    tries = (service.flows.answer_flow(flow_of(recovery), wrong(recovery)) for _ in range(CODE_ATTEMPTS))
    await asyncio.gather(*tries)
    with pytest.raises(CodeSpent):
        await service.flows.answer_flow(flow_of(recovery), recovery.code)


async def test_code_is_good_until_its_time_is_over(service: Service, recovery: Recovery):
    service.advance(CODE_LIFETIME)
    if service.flow_lifetime > CODE_LIFETIME:
        late = await service.flows.answer_flow(flow_of(recovery), recovery.code)
        assert (late.state, late.message_id) == (FlowState.SENT_EMAIL, 4060006)
    else:
        with pytest.raises(FlowOver):
            await service.flows.answer_flow(flow_of(recovery), recovery.code)
    service.advance(-DATE_TIME)
    await session_of(service, recovery)


async def test_flow_ends_no_sooner_than_its_code(service: Service, recovery: Recovery):
    service.advance(service.flow_lifetime - DATE_TIME)
    await service.flows.answer_flow(flow_of(recovery), recovery.code)
    service.advance(DATE_TIME)
    with pytest.raises(FlowOver):
        await service.flows.answer_flow(flow_of(recovery), recovery.code)


@pytest.mark.parametrize(
    "flow", ["", "not a flow", "\x00", "\ud800", "9b2f6a52-3c6e-4c7e-9a51-7a3c2d0f1e44", "a" * 10_000]
)
async def test_unknown_flow_is_not_found(service: Service, recovery: Recovery, flow: str):
    with pytest.raises(FlowNotFound):
        await service.flows.answer_flow(flow, recovery.code)


async def test_flow_is_named_in_any_case(service: Service, recovery: Recovery):
    answer = await service.flows.answer_flow(flow_of(recovery).upper(), recovery.code)
    assert answer.state is FlowState.PASSED_CHALLENGE


async def test_each_recovery_stands_alone(service: Service, identity: AgentId, recovery: Recovery):
    again = await service.identities.begin_recovery(identity)
    assert flow_of(again) != flow_of(recovery)
    tokens = {await session_of(service, each) for each in (again, recovery)}
    assert len(tokens) == 2


# Another key


@pytest.fixture
async def agent(service: Service, storage: Storage) -> Agent:
    """A member with an identity."""
    key = a_key()
    agent_id = await service.identities.create(f"registration-{uuid4()}", key, None)
    return await joined(storage, an_agent(agent_id=agent_id, public_key=key))


async def changed(service: Service, storage: Storage, agent: Agent) -> Agent:
    """The same member with another key, as the workflow of a change has it."""
    now = attrs.evolve(agent, public_key=a_key())
    change = KeyChange(
        agent_id=agent.id,
        former=agent.public_key,
        key=now.public_key,
        at=service.clock.now(),
        statement=SignedStatement(payload=b"{}", former_signature=b"f" * 64, signature=b"s" * 64),
    )
    async with storage.transaction() as work:
        assert await work.keys.replace(change)
        await work.recovery_codes.end_of_agent(agent.id)
    for _ in range(2):
        await service.identities.replace_key(now)
    return now


async def test_recovery_is_for_the_key_that_the_agent_has(service: Service, storage: Storage, agent: Agent):
    recovery = await service.identities.begin_recovery(agent.id, agent.public_key)
    now = await changed(service, storage, agent)
    with pytest.raises(CodeSpent):
        await service.flows.answer_flow(flow_of(recovery), recovery.code)
    with pytest.raises(InvalidProof):
        await service.identities.begin_recovery(agent.id, agent.public_key)
    recovery = await service.identities.begin_recovery(agent.id, now.public_key)
    token = await session_of(service, recovery)
    assert await service.identities.finish_recovery(token) == RecoveredAgent(id=agent.id, key=now.public_key)


async def test_session_ends_with_the_key_that_began_it(service: Service, storage: Storage, agent: Agent):
    token = await session_of(service, await service.identities.begin_recovery(agent.id, agent.public_key))
    await changed(service, storage, agent)
    with pytest.raises(InvalidSession):
        await service.identities.finish_recovery(token)


async def test_key_of_an_identity_that_is_gone_is_no_error(service: Service):
    await service.identities.replace_key(an_agent(public_key=a_key()))
