"""What is asked under a key happens once, over every storage and for everything that can be created."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeAlias

import attrs
import pytest

from moltnet.adapters.memory.system import MemoryClock
from moltnet.domain.agents import Agent, AgentNotFound
from moltnet.domain.caller import Caller
from moltnet.domain.constraints import Page
from moltnet.domain.diaries import Diary
from moltnet.domain.entries import NewEntry
from moltnet.domain.idempotency import IDEMPOTENCY_RECORD_LIFETIME, IdempotencyKeyReused, IdempotentRequest
from moltnet.domain.keys import Fingerprint
from moltnet.domain.search import Filters
from moltnet.domain.services import Services
from moltnet.domain.services.requests import IdempotentOutcome, SaveResponse
from moltnet.domain.sharing import ShareRole
from moltnet.domain.vouching import MAX_OPEN_VOUCHERS, VoucherLimitReached
from moltnet.ports.storage import Storage
from tests.support.builders import NOON, a_caller, a_keyed_request
from tests.support.stored import joined
from tests.support.usecases import services_over, tidied

TIMES = 20
NOBODY = Fingerprint.parse("0000-0000-0000-0000")

Act: TypeAlias = Callable[[SaveResponse[Any]], Awaitable[Any]]


@attrs.frozen(kw_only=True)
class IdempotencyWorld:
    """A member with a diary of its own, and one it could share it with."""

    services: Services
    clock: MemoryClock
    caller: Caller
    diary: Diary
    guest: Agent

    def acts(self) -> dict[str, Act]:
        """Everything that can be asked for under a key."""
        services, caller, diary = self.services, self.caller, self.diary.id
        new, guest = NewEntry(content="a memory"), self.guest.public_key.fingerprint
        return {
            "diary": lambda record: services.diaries.create(caller, name="new", record=record),
            "entry": lambda record: services.entries.create(caller, diary, new, record),
            "share": lambda record: services.sharing.share(caller, diary, guest, ShareRole.READER, record),
            "voucher": lambda record: services.vouching.issue(caller, record),
            "signing request": lambda record: services.signing.prepare(caller, "a message", record),
        }

    async def count(self, kind: str) -> int:
        """How many of a kind there are, beside the member's diary."""
        services, caller, diary = self.services, self.caller, self.diary.id
        match kind:
            case "diary":
                return len(await services.diaries.mine(caller)) - 1
            case "entry":
                return (await services.entries.list(caller, diary, Filters(), Page(1)))[1]
            case "share":
                return len(await services.sharing.shares(caller, diary))
            case "voucher":
                return len(await services.vouching.open(caller))
            case _:
                return (await services.signing.list(caller, frozenset(), Page(1)))[1]

    def request(self, **members: Any) -> IdempotentRequest:
        """A request of the member's."""
        return a_keyed_request(agent=self.caller.agent_id, **members)

    async def ask(self, request: IdempotentRequest, act: Act) -> IdempotentOutcome:
        """Asks for something once; it is answered with the id of what was made."""
        return await self.services.idempotency.once(request, act, lambda made: str(made.id).encode())


KINDS = ("diary", "entry", "share", "voucher", "signing request")


@pytest.fixture
async def world(storage: Storage, agent: Agent) -> AsyncIterator[IdempotencyWorld]:
    clock, caller = MemoryClock(NOON), a_caller(agent=agent)
    async with services_over(storage, clock) as services:
        diary = await services.diaries.create(caller, name="A diary")
        yield IdempotencyWorld(services=services, clock=clock, caller=caller, diary=diary, guest=await joined(storage))


@pytest.mark.parametrize("kind", KINDS)
async def test_the_same_request_again_gets_the_first_answer_and_changes_nothing(
    world: IdempotencyWorld, kind: str
) -> None:
    act = world.acts()[kind]
    first, second = [await world.ask(world.request(), act) for _ in range(2)]
    assert (first.repeated, second.repeated) == (False, True)
    assert first.answer == second.answer
    assert await world.count(kind) == 1


@pytest.mark.parametrize("kind", KINDS)
async def test_of_twenty_requests_at_once_one_is_carried_out(world: IdempotencyWorld, kind: str) -> None:
    act = world.acts()[kind]
    outcomes = await asyncio.gather(*(world.ask(world.request(), act) for _ in range(TIMES)))
    assert len({outcome.answer for outcome in outcomes}) == 1
    assert [outcome.repeated for outcome in outcomes].count(False) == 1
    assert await world.count(kind) == 1


async def test_the_last_voucher_is_given_once_to_twenty_repetitions(world: IdempotencyWorld) -> None:
    act = world.acts()["voucher"]
    for number in range(MAX_OPEN_VOUCHERS - 1):
        await world.ask(world.request(key=f"{number}"), act)
    outcomes = await asyncio.gather(*(world.ask(world.request(key="last"), act) for _ in range(TIMES)))
    assert len({outcome.answer for outcome in outcomes}) == 1
    assert await world.count("voucher") == MAX_OPEN_VOUCHERS


async def test_other_keys_operations_and_agents_are_other_requests(world: IdempotencyWorld, storage: Storage) -> None:
    act, stranger = world.acts()["diary"], await joined(storage)
    requests = [
        world.request(),
        world.request(key="another"),
        world.request(operation="POST /others"),
        a_keyed_request(agent=stranger.id),
    ]
    outcomes = await asyncio.gather(*(world.ask(request, act) for request in requests))
    assert not any(outcome.repeated for outcome in outcomes)
    assert await world.count("diary") == len(requests)


async def test_another_request_under_the_same_key_is_refused(world: IdempotencyWorld) -> None:
    act = world.acts()["diary"]
    await world.ask(world.request(), act)
    with pytest.raises(IdempotencyKeyReused):
        await world.ask(world.request(fingerprint=b"another"), act)
    assert await world.count("diary") == 1


async def test_of_two_requests_at_once_under_one_key_one_is_refused(world: IdempotencyWorld) -> None:
    act = world.acts()["diary"]
    requests = [world.request(fingerprint=str(number % 2).encode()) for number in range(TIMES)]
    outcomes = await asyncio.gather(*(world.ask(request, act) for request in requests), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes].count(IdempotencyKeyReused) == TIMES // 2
    assert await world.count("diary") == 1


async def test_a_key_is_forgotten_after_a_day(world: IdempotencyWorld) -> None:
    act = world.acts()["diary"]
    first = await world.ask(world.request(), act)
    world.clock.advance(IDEMPOTENCY_RECORD_LIFETIME)
    again = await world.ask(world.request(fingerprint=b"another"), act)
    assert not again.repeated
    assert again.answer != first.answer
    assert await world.count("diary") == 2


async def test_maintenance_forgets_records_that_are_over(world: IdempotencyWorld, storage: Storage) -> None:
    await world.ask(world.request(), world.acts()["diary"])
    world.clock.advance(IDEMPOTENCY_RECORD_LIFETIME)
    await tidied(world.services)
    async with storage.snapshot() as work:
        assert await work.idempotency_records.find(world.request(), NOON) is None


async def test_what_was_refused_may_be_asked_again_under_its_key(world: IdempotencyWorld) -> None:
    services, caller, diary = world.services, world.caller, world.diary.id
    with pytest.raises(AgentNotFound):
        await world.ask(
            world.request(),
            lambda record: services.sharing.share(caller, diary, NOBODY, ShareRole.READER, record),
        )
    corrected = await world.ask(world.request(fingerprint=b"corrected"), world.acts()["share"])
    assert not corrected.repeated


async def test_an_effect_that_fails_takes_its_record_with_it(world: IdempotencyWorld, storage: Storage) -> None:
    act = world.acts()["voucher"]
    for number in range(MAX_OPEN_VOUCHERS):
        await world.ask(world.request(key=f"{number}"), act)
    with pytest.raises(VoucherLimitReached):
        await world.ask(world.request(key="one-too-many"), act)
    voucher, *_ = await world.services.vouching.open(world.caller)
    async with storage.autocommit() as work:
        assert await work.vouchers.redeem(voucher.code, world.guest.id, NOON)
    assert not (await world.ask(world.request(key="one-too-many"), act)).repeated


async def test_without_a_key_everything_happens_every_time(world: IdempotencyWorld) -> None:
    for _ in range(2):
        await world.services.diaries.create(world.caller, name="new")
        await world.services.signing.prepare(world.caller, "a message")
    assert (await world.count("diary"), await world.count("signing request")) == (2, 2)


async def test_an_invitation_that_is_sent_again_is_asked_for_once(world: IdempotencyWorld) -> None:
    act = world.acts()["share"]
    await world.ask(world.request(key="first"), act)
    await world.services.sharing.revoke(world.caller, world.diary.id, world.guest.public_key.fingerprint)
    outcomes = await asyncio.gather(*(world.ask(world.request(key="again"), act) for _ in range(TIMES)))
    assert [outcome.repeated for outcome in outcomes].count(False) == 1
    assert await world.count("share") == 1
