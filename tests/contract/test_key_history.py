"""The port `KeyHistory`."""

import asyncio
from datetime import datetime, timedelta

import attrs
import pytest

from moltnet.domain.agents import Agent, KeyTaken
from moltnet.domain.ids import AgentId
from moltnet.domain.key_changes import AgentKey, KeyChange, SignedStatement
from moltnet.domain.keys import PublicKey
from moltnet.ports.storage import Storage
from tests.support.builders import NOON, a_public_key, an_agent, an_author, an_entry, an_id
from tests.support.stored import joined, opened, written

LATER = NOON + timedelta(hours=1)
STATEMENT = SignedStatement(payload=b"{}", former_signature=b"f" * 64, signature=b"s" * 64)


def a_change(agent: Agent, *, key: PublicKey | None = None, at: datetime = LATER) -> KeyChange:
    return KeyChange(agent_id=agent.id, former=agent.public_key, key=key or a_public_key(), at=at, statement=STATEMENT)


async def replaced(storage: Storage, change: KeyChange) -> bool:
    async with storage.transaction() as work:
        return await work.keys.replace(change)


async def keys_of(storage: Storage, agent_id: AgentId) -> list[AgentKey]:
    async with storage.snapshot() as work:
        return await work.keys.of_agent(agent_id)


async def test_an_agent_has_its_first_key_since_it_came(storage: Storage, agent: Agent) -> None:
    first = AgentKey(agent_id=agent.id, public_key=agent.public_key, since=agent.created_at)
    assert await keys_of(storage, agent.id) == [first]
    assert await keys_of(storage, AgentId(an_id())) == []
    async with storage.snapshot() as work:
        assert await work.keys.find(agent.fingerprint) == first
        assert await work.keys.find(a_public_key().fingerprint) is None


async def test_another_key_takes_the_place_of_the_former_and_both_are_known(storage: Storage, agent: Agent) -> None:
    change = a_change(agent)
    assert await replaced(storage, change)
    async with storage.snapshot() as work:
        found = await work.agents.find(agent.id)
        assert found == attrs.evolve(agent, public_key=change.key, proven=True, updated_at=LATER)
        assert await work.agents.find_by_key(change.key) == found
        assert await work.agents.find_by_key(agent.public_key) is None
        assert await work.agents.find_by_fingerprint(agent.fingerprint) is None
        former, present = await work.keys.of_agent(agent.id)
        assert await work.keys.find(agent.fingerprint) == former
        assert await work.keys.find(change.key.fingerprint) == present
    assert (former.public_key, former.since, former.until, former.statement) == (agent.public_key, NOON, LATER, None)
    assert (present.public_key, present.since, present.until) == (change.key, LATER, None)
    assert present.statement == STATEMENT


async def test_keys_are_listed_in_their_order(storage: Storage, agent: Agent) -> None:
    keys = [agent.public_key]
    for hours in (1, 2, 3):
        change = a_change(attrs.evolve(agent, public_key=keys[-1]), at=NOON + timedelta(hours=hours))
        assert await replaced(storage, change)
        keys.append(change.key)
    assert [known.public_key for known in await keys_of(storage, agent.id)] == keys


async def test_a_key_that_was_replaced_is_not_replaced_again(storage: Storage, agent: Agent) -> None:
    assert await replaced(storage, a_change(agent))
    before = await keys_of(storage, agent.id)
    assert not await replaced(storage, a_change(agent))
    assert not await replaced(storage, a_change(an_agent()))
    assert await keys_of(storage, agent.id) == before


async def test_of_several_changes_at_once_one_is_made(storage: Storage, agent: Agent) -> None:
    changes = [a_change(agent) for _ in range(4)]
    made = await asyncio.gather(*(replaced(storage, change) for change in changes))
    assert sum(made) == 1
    assert [known.public_key for known in await keys_of(storage, agent.id)] == [
        agent.public_key,
        changes[made.index(True)].key,
    ]


async def test_of_agents_that_want_one_key_one_gets_it(storage: Storage) -> None:
    agents = [await joined(storage) for _ in range(3)]
    key = a_public_key()
    made = await asyncio.gather(
        *(replaced(storage, a_change(agent, key=key)) for agent in agents), return_exceptions=True
    )
    assert sum(each is True for each in made) == 1
    assert sum(isinstance(each, KeyTaken) for each in made) == 2


async def test_a_key_that_anybody_had_is_nobodys_again(storage: Storage, agent: Agent) -> None:
    other = await joined(storage)
    change = a_change(agent)
    assert await replaced(storage, change)
    now = attrs.evolve(agent, public_key=change.key)
    for taking in (a_change(other, key=agent.public_key), a_change(other, key=change.key)):
        with pytest.raises(KeyTaken):
            await replaced(storage, taking)
    with pytest.raises(KeyTaken):  # not even its own
        await replaced(storage, a_change(now, key=agent.public_key, at=LATER + timedelta(hours=1)))
    for key in (agent.public_key, change.key):
        with pytest.raises(KeyTaken):
            await joined(storage, an_agent(public_key=key))
        with pytest.raises(KeyTaken):
            async with storage.transaction() as work:
                await work.agents.put(attrs.evolve(other, public_key=key))
    with pytest.raises(KeyTaken):
        async with storage.transaction() as work:
            await work.agents.put(agent)
    assert [known.public_key for known in await keys_of(storage, other.id)] == [other.public_key]


async def test_a_registration_and_a_change_that_meet_share_no_key(storage: Storage, agent: Agent) -> None:
    newcomer = an_agent(public_key=agent.public_key)
    met = await asyncio.gather(replaced(storage, a_change(agent)), joined(storage, newcomer), return_exceptions=True)
    assert met[0] is True
    assert isinstance(met[1], KeyTaken)


async def test_a_key_that_comes_by_other_ways_is_in_the_history_without_a_statement(
    storage: Storage, agent: Agent
) -> None:
    other = an_agent(agent_id=agent.id, at=LATER)
    async with storage.transaction() as work:
        await work.agents.put(other)
        await work.agents.put(other)
    former, present = await keys_of(storage, agent.id)
    assert (former.until, present.public_key, present.since) == (LATER, other.public_key, LATER)
    assert present.statement is None


async def test_keys_go_with_their_agent(storage: Storage, agent: Agent) -> None:
    change = a_change(agent)
    assert await replaced(storage, change)
    async with storage.transaction() as work:
        await work.agents.remove(agent.id)
    assert await keys_of(storage, agent.id) == []
    await joined(storage, an_agent(public_key=agent.public_key))  # as after a registration that was undone


async def test_entries_name_their_authors_by_the_key_that_these_have(storage: Storage, agent: Agent) -> None:
    diary = await opened(storage, agent)
    entry = an_entry(diary=diary.id, author=an_author(agent))
    await written(storage, entry)
    change = a_change(agent)
    assert await replaced(storage, change)
    async with storage.snapshot() as work:
        found = await work.entries.find(diary.id, entry.id)
    assert found is not None
    assert found.writer.public_key == change.key


async def test_a_key_that_is_held_is_not_replaced_meanwhile(storage: Storage, agent: Agent) -> None:
    change = a_change(agent)
    async with storage.transaction() as work:
        assert await work.keys.hold(agent.id, agent.public_key)
        assert not await work.keys.hold(agent.id, change.key)
        assert not await work.keys.hold(AgentId(an_id()), agent.public_key)
        replacing = asyncio.create_task(replaced(storage, change))
        for _ in range(20):
            await asyncio.sleep(0)
        assert await work.agents.find_by_key(agent.public_key)
        assert not replacing.done()
    assert await replacing
    async with storage.transaction() as work:
        assert not await work.keys.hold(agent.id, agent.public_key)
