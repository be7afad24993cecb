"""The port `RecoveryCodes`."""

import asyncio
from datetime import datetime, timedelta

import attrs
import pytest

from moltnet.domain.agents import Agent
from moltnet.domain.credentials import hash_secret
from moltnet.domain.recovery import CODE_ATTEMPTS, CODE_LIFETIME, RecoveryCode
from moltnet.ports.storage import Storage
from tests.support.builders import NOON, a_recovery_code

MICROSECOND = timedelta(microseconds=1)
RIGHT, WRONG = hash_secret("12345678"), hash_secret("87654321")
TOKEN = hash_secret("token")


@pytest.fixture
async def code(storage: Storage, agent: Agent) -> RecoveryCode:
    code = a_recovery_code(code="12345678", agent=agent.id)
    async with storage.transaction() as work:
        await work.recovery_codes.add(code)
    return code


async def tried(storage: Storage, code: RecoveryCode, authenticate: bytes, at: datetime = NOON) -> RecoveryCode | None:
    async with storage.autocommit() as work:
        return await work.recovery_codes.try_code(code.flow, authenticate, at)


async def test_an_unknown_flow_is_none(storage: Storage, code: RecoveryCode) -> None:
    assert await tried(storage, attrs.evolve(code, flow="another"), RIGHT) is None


async def test_the_right_code_succeeds_once(storage: Storage, code: RecoveryCode) -> None:
    assert await tried(storage, code, RIGHT) == attrs.evolve(code, attempts=1, used=True)
    assert await tried(storage, code, RIGHT) == attrs.evolve(code, attempts=2, used=False)


async def test_a_wrong_code_only_counts(storage: Storage, code: RecoveryCode) -> None:
    assert await tried(storage, code, WRONG) == attrs.evolve(code, attempts=1)
    assert await tried(storage, code, RIGHT) == attrs.evolve(code, attempts=2, used=True)


async def test_the_last_attempt_may_be_the_right_one(storage: Storage, code: RecoveryCode) -> None:
    for _ in range(CODE_ATTEMPTS - 1):
        await tried(storage, code, WRONG)
    assert await tried(storage, code, RIGHT) == attrs.evolve(code, attempts=CODE_ATTEMPTS, used=True)


async def test_after_too_many_attempts_even_the_right_code_is_wrong(storage: Storage, code: RecoveryCode) -> None:
    for _ in range(CODE_ATTEMPTS):
        await tried(storage, code, WRONG)
    assert await tried(storage, code, RIGHT) == attrs.evolve(code, attempts=CODE_ATTEMPTS + 1)


@pytest.mark.parametrize(("at", "good"), [(NOON + CODE_LIFETIME - MICROSECOND, True), (NOON + CODE_LIFETIME, False)])
async def test_a_code_is_good_until_it_expires(
    storage: Storage, code: RecoveryCode, at: datetime, *, good: bool
) -> None:
    assert await tried(storage, code, RIGHT, at) == attrs.evolve(code, attempts=1, used=good)


async def test_of_parallel_right_attempts_one_succeeds(storage: Storage, code: RecoveryCode) -> None:
    answers = await asyncio.gather(*(tried(storage, code, RIGHT) for _ in range(CODE_ATTEMPTS)))
    records = [answer for answer in answers if answer]
    assert sum(record.used for record in records) == 1
    assert sorted(record.attempts for record in records) == list(range(1, CODE_ATTEMPTS + 1))


async def test_no_parallel_wrong_attempt_goes_uncounted(storage: Storage, code: RecoveryCode) -> None:
    await asyncio.gather(*(tried(storage, code, WRONG) for _ in range(CODE_ATTEMPTS)))
    assert await tried(storage, code, RIGHT) == attrs.evolve(code, attempts=CODE_ATTEMPTS + 1)


# Sessions


async def taken(storage: Storage, token_hash: bytes, at: datetime = NOON) -> object:
    async with storage.autocommit() as work:
        return await work.recovery_codes.take_session(token_hash, at)


@pytest.fixture
async def session(storage: Storage, agent: Agent) -> bytes:
    async with storage.transaction() as work:
        await work.recovery_codes.add_session(TOKEN, agent.id, NOON + MICROSECOND)
    return TOKEN


async def test_an_unknown_session_is_nobodys(storage: Storage) -> None:
    assert await taken(storage, TOKEN) is None


async def test_a_session_is_over_once_it_was_taken(storage: Storage, agent: Agent, session: bytes) -> None:
    assert await taken(storage, hash_secret("another")) is None
    assert await taken(storage, session) == agent.id
    assert await taken(storage, session) is None


async def test_an_expired_session_is_nobodys(storage: Storage, session: bytes) -> None:
    assert await taken(storage, session, NOON + MICROSECOND) is None


async def test_of_parallel_takers_one_gets_the_session(storage: Storage, agent: Agent, session: bytes) -> None:
    takers = await asyncio.gather(*(taken(storage, session) for _ in range(5)))
    assert [taker for taker in takers if taker] == [agent.id]


# Forgotten


async def test_what_expired_long_ago_is_forgotten_and_nothing_else(
    storage: Storage, agent: Agent, code: RecoveryCode, session: bytes
) -> None:
    fresh, later = a_recovery_code(agent=agent.id, at=NOON + timedelta(days=2)), NOON + timedelta(days=1)
    fresh_session = hash_secret("fresh")
    async with storage.transaction() as work:
        await work.recovery_codes.add(fresh)
        await work.recovery_codes.add_session(fresh_session, agent.id, NOON + timedelta(days=2))
    async with storage.autocommit() as work:
        assert await work.recovery_codes.purge(NOON) == 0
        assert await work.recovery_codes.purge(later) == 2
        assert await work.recovery_codes.purge(later) == 0
    assert await tried(storage, code, RIGHT) is None
    assert await tried(storage, fresh, RIGHT, later) is not None
    assert await taken(storage, session) is None
    assert await taken(storage, fresh_session, later) == agent.id


# An agent's key is replaced


async def test_codes_and_sessions_of_an_agent_end(
    storage: Storage, agent: Agent, code: RecoveryCode, session: bytes
) -> None:
    other = a_recovery_code(code="12345678")
    async with storage.transaction() as work:
        await work.recovery_codes.add(other)
        await work.recovery_codes.end_of_agent(agent.id)
    async with storage.autocommit() as work:
        assert await work.recovery_codes.is_used(code.flow)
        assert not await work.recovery_codes.is_used(other.flow)
        assert not await work.recovery_codes.is_used("unknown")
    assert await tried(storage, code, RIGHT) == attrs.evolve(code, attempts=1, used=False)
    assert await tried(storage, other, RIGHT) == attrs.evolve(other, attempts=1, used=True)
    assert await taken(storage, session) is None
