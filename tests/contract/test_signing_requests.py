"""The port `SigningRequests`."""

import asyncio
from datetime import datetime, timedelta

import pytest

from moltnet.domain.agents import Agent, ProfileNotFound
from moltnet.domain.constraints import Page
from moltnet.domain.ids import SigningRequestId
from moltnet.domain.signing import SIGNING_LIFETIME, Scheme, SigningRequest, SigningStatus
from moltnet.ports.storage import Storage
from tests.support.builders import NOON, a_signing_request, an_id
from tests.support.stored import joined

ALL = Page(100)
SECOND = timedelta(seconds=1)


async def asked(storage: Storage, *requests: SigningRequest) -> None:
    async with storage.transaction() as work:
        for request in requests:
            await work.signing_requests.add(request)


async def settled(storage: Storage, request: SigningRequest) -> bool:
    async with storage.transaction() as work:
        return await work.signing_requests.complete(request)


async def found(storage: Storage, request: SigningRequest) -> SigningRequest | None:
    async with storage.snapshot() as work:
        return await work.signing_requests.find(request.id)


def signed(request: SigningRequest, signature: str, scheme: Scheme | None = Scheme.FRAMED) -> SigningRequest:
    return request.complete(signature, scheme, request.created_at)


async def test_an_unknown_request_is_none(storage: Storage) -> None:
    async with storage.snapshot() as work:
        assert await work.signing_requests.find(SigningRequestId(an_id())) is None


@pytest.mark.parametrize("message", ["m", " \r\n\t", "\u2014 \U0001f9e0 \u4e16\u754c", "a" * 100_000])
async def test_a_request_is_found_as_it_was_stored(storage: Storage, agent: Agent, message: str) -> None:
    request = a_signing_request(agent=agent.id, message=message, at=NOON + timedelta(microseconds=1))
    await asked(storage, request)
    assert await found(storage, request) == request


async def test_a_request_needs_its_agent(storage: Storage) -> None:
    with pytest.raises(ProfileNotFound):
        await asked(storage, a_signing_request())


@pytest.mark.parametrize("scheme", [*Scheme, None])
async def test_a_completed_request_is_final(storage: Storage, agent: Agent, scheme: Scheme | None) -> None:
    request = a_signing_request(agent=agent.id)
    await asked(storage, request)
    completed = request.complete("signature", scheme, NOON + SECOND)
    assert await settled(storage, completed)
    assert not await settled(storage, request.complete("another", None, NOON))
    assert not await settled(storage, request.expire(NOON + SIGNING_LIFETIME))
    assert await found(storage, request) == completed


async def test_an_expired_request_is_final(storage: Storage, agent: Agent) -> None:
    request = a_signing_request(agent=agent.id)
    await asked(storage, request)
    expired = request.expire(NOON + SIGNING_LIFETIME)
    assert await settled(storage, expired)
    assert not await settled(storage, signed(request, "late"))
    assert await found(storage, request) == expired


async def test_settling_what_was_never_asked_is_false(storage: Storage, agent: Agent) -> None:
    request = a_signing_request(agent=agent.id)
    assert not await settled(storage, signed(request, "signature"))
    assert await found(storage, request) is None


async def test_of_parallel_outcomes_one_is_written(storage: Storage, agent: Agent) -> None:
    request = a_signing_request(agent=agent.id)
    await asked(storage, request)
    outcomes = [*(signed(request, str(number)) for number in range(4)), request.expire(NOON + SIGNING_LIFETIME)]
    answers = await asyncio.gather(*(settled(storage, outcome) for outcome in outcomes))
    assert sum(answers) == 1
    assert await found(storage, request) == outcomes[answers.index(True)]


# Listed


async def test_an_agents_requests_come_newest_first(storage: Storage, agent: Agent) -> None:
    newer, older = a_signing_request(agent=agent.id, at=NOON + SECOND), a_signing_request(agent=agent.id)
    await asked(storage, newer, older, a_signing_request(agent=(await joined(storage)).id))
    async with storage.snapshot() as work:
        assert await work.signing_requests.of_agent(agent.id, [], ALL) == ([newer, older], 2)


async def test_pages_follow_one_another(storage: Storage, agent: Agent) -> None:
    stored = [a_signing_request(agent=agent.id, at=NOON + step * SECOND) for step in range(5)]
    await asked(storage, *stored)
    async with storage.snapshot() as work:
        pages = [await work.signing_requests.of_agent(agent.id, [], Page(2, offset)) for offset in range(0, 8, 2)]
    assert [request for page, _ in pages for request in page] == stored[::-1]
    assert [(len(page), total) for page, total in pages] == [(2, 5), (2, 5), (1, 5), (0, 5)]


async def test_only_the_statuses_asked_for_are_listed(storage: Storage, agent: Agent) -> None:
    pending, completed, expired = (a_signing_request(agent=agent.id, at=NOON + step * SECOND) for step in range(3))
    await asked(storage, pending, completed, expired)
    completed, expired = signed(completed, "signature"), expired.expire(NOON + SIGNING_LIFETIME)
    await settled(storage, completed)
    await settled(storage, expired)
    async with storage.snapshot() as work:
        for status, request in zip(SigningStatus, (pending, completed, expired), strict=True):
            assert await work.signing_requests.of_agent(agent.id, [status], ALL) == ([request], 1)
        both = {SigningStatus.PENDING, SigningStatus.EXPIRED}
        assert await work.signing_requests.of_agent(agent.id, both, ALL) == ([expired, pending], 2)


@pytest.mark.parametrize(
    ("at", "over"), [(NOON + SIGNING_LIFETIME - timedelta(microseconds=1), False), (NOON + SIGNING_LIFETIME, True)]
)
async def test_a_request_is_overdue_from_the_moment_it_expires(
    storage: Storage, agent: Agent, at: datetime, *, over: bool
) -> None:
    request = a_signing_request(agent=agent.id)
    await asked(storage, request)
    async with storage.snapshot() as work:
        assert await work.signing_requests.overdue(at, 10) == [request] * over


async def test_overdue_requests_of_all_agents_come_oldest_first(storage: Storage, agent: Agent) -> None:
    newest, oldest = a_signing_request(agent=agent.id, at=NOON + 2 * SECOND), a_signing_request(agent=agent.id)
    older = a_signing_request(agent=(await joined(storage)).id, at=NOON + SECOND)
    await asked(storage, newest, oldest, older)
    async with storage.snapshot() as work:
        assert await work.signing_requests.overdue(NOON + 2 * SIGNING_LIFETIME, 10) == [oldest, older, newest]
        assert await work.signing_requests.overdue(NOON + 2 * SIGNING_LIFETIME, 2) == [oldest, older]


async def test_settled_requests_are_not_overdue(storage: Storage, agent: Agent) -> None:
    completed, expired = a_signing_request(agent=agent.id), a_signing_request(agent=agent.id)
    await asked(storage, completed, expired)
    await settled(storage, signed(completed, "signature"))
    await settled(storage, expired.expire(NOON + SIGNING_LIFETIME))
    async with storage.snapshot() as work:
        assert await work.signing_requests.overdue(NOON + 2 * SIGNING_LIFETIME, 10) == []


# Found by signature


async def by_signature(storage: Storage, signature: str, agent: Agent | None = None) -> SigningRequest | None:
    async with storage.snapshot() as work:
        return await work.signing_requests.find_by_signature(signature, agent.id if agent else None)


async def test_an_unknown_signature_is_none(storage: Storage, agent: Agent) -> None:
    await asked(storage, a_signing_request(agent=agent.id))
    assert await by_signature(storage, "unknown") is None
    assert await by_signature(storage, "unknown", agent) is None


async def test_the_newest_valid_request_has_the_signature(storage: Storage, agent: Agent) -> None:
    requests = [a_signing_request(agent=agent.id, at=NOON + step * SECOND) for step in range(3)]
    outcomes = [signed(requests[0], "s"), signed(requests[1], "s"), signed(requests[2], "s", None)]
    await asked(storage, *requests)
    for outcome in outcomes:
        await settled(storage, outcome)
    assert await by_signature(storage, "s") == outcomes[1]
    assert await by_signature(storage, "s", agent) == outcomes[1]


async def test_without_a_valid_one_the_newest_has_it(storage: Storage, agent: Agent) -> None:
    requests = [a_signing_request(agent=agent.id, at=NOON + step * SECOND) for step in range(2)]
    outcomes = [signed(request, "s", None) for request in requests]
    await asked(storage, *requests)
    for outcome in outcomes[::-1]:
        await settled(storage, outcome)
    assert await by_signature(storage, "s") == outcomes[1]


async def test_a_strangers_request_with_the_same_signature_is_in_nobodys_way(storage: Storage, agent: Agent) -> None:
    stranger = await joined(storage)
    mine, theirs = a_signing_request(agent=agent.id), a_signing_request(agent=stranger.id, at=NOON + SECOND)
    await asked(storage, mine, theirs)
    valid, copied = signed(mine, "s"), signed(theirs, "s", None)
    await settled(storage, valid)
    await settled(storage, copied)
    assert await by_signature(storage, "s") == valid
    assert await by_signature(storage, "s", agent) == valid
    assert await by_signature(storage, "s", stranger) == copied


async def test_old_requests_are_removed_unless_they_are_pending(storage: Storage, agent: Agent) -> None:
    old, young, pending = (a_signing_request(agent=agent.id, at=at) for at in (NOON, NOON + 2 * SECOND, NOON))
    await asked(storage, old, young, pending)
    for request in (old, young):
        assert await settled(storage, signed(request, "s" * 88))
    async with storage.transaction() as work:
        assert await work.signing_requests.purge(NOON + SECOND, 0) == 0
        assert await work.signing_requests.purge(NOON + SECOND, 9) == 1
    assert await found(storage, old) is None
    assert [bool(await found(storage, request)) for request in (young, pending)] == [True, True]
