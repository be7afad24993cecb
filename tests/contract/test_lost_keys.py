"""The port `LostKeys`."""

import asyncio
from datetime import timedelta

import attrs
import pytest

from moltnet.domain.agents import Agent, KeyTaken, ProfileNotFound
from moltnet.domain.constraints import Page
from moltnet.domain.ids import AgentId
from moltnet.domain.lost_keys import COMPLETED_WITHIN, LostKey, LostKeyOpen
from moltnet.ports.storage import Storage
from tests.support.builders import NOON, a_public_key, an_agent, an_id
from tests.support.stored import joined

WAITING = timedelta(days=7)
DUE = NOON + WAITING
EXPIRED = DUE + COMPLETED_WITHIN


def a_lost_key(agent: Agent, **members: object) -> LostKey:
    lost = LostKey(
        agent_id=agent.id,
        former=agent.public_key,
        key=a_public_key(),
        payload=b"{}",
        signature=b"s" * 64,
        asked_by=AgentId(an_id()),
        asked_at=NOON,
        due_at=DUE,
        expires_at=EXPIRED,
    )
    return attrs.evolve(lost, **members)


async def added(storage: Storage, lost: LostKey) -> LostKey:
    async with storage.transaction() as work:
        await work.lost_keys.add(lost)
    return lost


async def ended(storage: Storage, lost: LostKey) -> bool:
    async with storage.transaction() as work:
        return await work.lost_keys.end(lost.key, DUE)


async def test_a_key_that_waits_is_found_whole(storage: Storage, agent: Agent) -> None:
    lost = await added(storage, a_lost_key(agent))
    async with storage.snapshot() as work:
        assert await work.lost_keys.find(lost.key.fingerprint) == lost
        assert await work.lost_keys.of_agent(agent.id, NOON) == lost
        assert await work.lost_keys.find(agent.fingerprint) is None
        assert await work.lost_keys.of_agent(AgentId(an_id()), NOON) is None


async def test_an_agent_has_one_open_at_most(storage: Storage, agent: Agent) -> None:
    first = await added(storage, a_lost_key(agent))
    with pytest.raises(LostKeyOpen):
        await added(storage, a_lost_key(agent))
    assert await ended(storage, first)
    second = await added(storage, a_lost_key(agent))
    async with storage.snapshot() as work:
        assert await work.lost_keys.of_agent(agent.id, NOON) == second
        assert await work.lost_keys.find(first.key.fingerprint) == attrs.evolve(first, ended_at=DUE)


async def test_of_several_at_once_one_is_open(storage: Storage, agent: Agent) -> None:
    outcomes = await asyncio.gather(*(added(storage, a_lost_key(agent)) for _ in range(4)), return_exceptions=True)
    assert sum(isinstance(each, LostKey) for each in outcomes) == 1
    assert sum(isinstance(each, LostKeyOpen) for each in outcomes) == 3


async def test_a_key_waits_once(storage: Storage, agent: Agent) -> None:
    other = await joined(storage)
    lost = await added(storage, a_lost_key(agent))
    assert await ended(storage, lost)
    for again in (lost, a_lost_key(other, key=lost.key)):
        with pytest.raises(KeyTaken):
            await added(storage, again)


async def test_one_that_expired_is_open_no_more(storage: Storage, agent: Agent) -> None:
    lost = await added(storage, a_lost_key(agent))
    async with storage.autocommit() as work:
        assert await work.lost_keys.of_agent(agent.id, EXPIRED) is None
        assert await work.lost_keys.open(EXPIRED, Page(10)) == []
        assert not await work.lost_keys.end(lost.key, EXPIRED)
        assert not await work.lost_keys.end_of_agent(agent.id, EXPIRED)
    later = a_lost_key(agent, asked_at=EXPIRED, due_at=EXPIRED + WAITING, expires_at=EXPIRED + 2 * WAITING)
    await added(storage, later)
    async with storage.snapshot() as work:
        assert await work.lost_keys.of_agent(agent.id, EXPIRED) == later


async def test_of_several_that_end_it_one_does(storage: Storage, agent: Agent) -> None:
    lost = await added(storage, a_lost_key(agent))
    assert sum(await asyncio.gather(*(ended(storage, lost) for _ in range(4)))) == 1
    assert not await ended(storage, a_lost_key(agent))


async def test_that_of_an_agent_ends_by_the_agent(storage: Storage, agent: Agent) -> None:
    other = await joined(storage)
    own, others = await added(storage, a_lost_key(agent)), await added(storage, a_lost_key(other))
    async with storage.autocommit() as work:
        assert await work.lost_keys.end_of_agent(agent.id, DUE)
        assert not await work.lost_keys.end_of_agent(agent.id, DUE)
        assert await work.lost_keys.find(own.key.fingerprint) == attrs.evolve(own, ended_at=DUE)
        assert await work.lost_keys.of_agent(other.id, DUE) == others


async def test_the_open_ones_are_listed_the_latest_first(storage: Storage) -> None:
    listed = [
        await added(storage, a_lost_key(await joined(storage), asked_at=NOON + timedelta(minutes=minute)))
        for minute in range(3)
    ]
    over = await added(storage, a_lost_key(await joined(storage)))
    assert await ended(storage, over)
    async with storage.snapshot() as work:
        assert await work.lost_keys.open(DUE, Page(10)) == listed[::-1]
        assert await work.lost_keys.open(DUE, Page(1, 1)) == [listed[1]]


async def test_what_expired_is_removed_and_nothing_else(storage: Storage, agent: Agent) -> None:
    other = await joined(storage)
    kept = await added(storage, a_lost_key(agent, expires_at=EXPIRED))
    gone = await added(storage, a_lost_key(other, expires_at=EXPIRED - timedelta(seconds=1)))
    async with storage.autocommit() as work:
        assert await work.lost_keys.purge(EXPIRED) == 1
        assert await work.lost_keys.find(kept.key.fingerprint) == kept
        assert await work.lost_keys.find(gone.key.fingerprint) is None


async def test_it_goes_with_its_agent(storage: Storage, agent: Agent) -> None:
    lost = await added(storage, a_lost_key(agent))
    async with storage.transaction() as work:
        await work.agents.remove(agent.id)
    async with storage.snapshot() as work:
        assert await work.lost_keys.find(lost.key.fingerprint) is None
    with pytest.raises(ProfileNotFound):
        await added(storage, a_lost_key(an_agent()))
