"""The port `Agents`."""

import asyncio
from datetime import timedelta

import attrs
import pytest

from moltnet.domain.agents import Agent, KeyTaken
from moltnet.domain.constraints import Page
from moltnet.domain.diaries import Diary
from moltnet.domain.keys import Fingerprint, PublicKey
from moltnet.domain.permissions import Relation
from moltnet.ports.storage import Storage
from tests.support.builders import (
    NOON,
    a_public_key,
    a_share,
    a_signing_request,
    a_voucher,
    an_agent,
    an_entry,
)
from tests.support.stored import joined, opened, written

LATER = NOON + timedelta(hours=1)


async def test_unknown_agents_are_none(storage: Storage) -> None:
    stranger = an_agent()
    async with storage.snapshot() as work:
        assert await work.agents.find(stranger.id) is None
        assert await work.agents.find_by_fingerprint(stranger.fingerprint) is None
        assert await work.agents.find_by_key(stranger.public_key) is None


async def test_an_agent_is_found_by_identity_fingerprint_and_key(storage: Storage, agent: Agent) -> None:
    await joined(storage)
    async with storage.snapshot() as work:
        assert await work.agents.find(agent.id) == agent
        assert await work.agents.find_by_fingerprint(Fingerprint.parse(str(agent.fingerprint).lower())) == agent
        assert await work.agents.find_by_key(agent.public_key) == agent


async def test_a_key_is_compared_by_its_bytes_and_stored_canonically(storage: Storage) -> None:
    text = a_public_key().text.removeprefix("ed25519:").rstrip("=")
    agent = await joined(storage, an_agent(public_key=PublicKey.parse(text)))
    async with storage.snapshot() as work:
        found = await work.agents.find_by_key(PublicKey(agent.public_key.raw))
    assert found is not None
    assert found.id == agent.id
    assert found.public_key.text == PublicKey(agent.public_key.raw).text


async def test_what_was_proven_of_a_key_is_stored_with_it(storage: Storage, agent: Agent) -> None:
    proven = await joined(storage, attrs.evolve(an_agent(), proven=True))
    async with storage.transaction() as work:
        await work.agents.mark_proven(agent.id, proven.public_key)  # not the key it has
    async with storage.snapshot() as work:
        assert await work.agents.find(agent.id) == agent
    for _ in range(2):
        async with storage.transaction() as work:
            await work.agents.mark_proven(agent.id, agent.public_key)
    async with storage.transaction() as work:
        await work.agents.put(agent)  # the same key again
    async with storage.snapshot() as work:
        assert await work.agents.find(agent.id) == attrs.evolve(agent, proven=True)
        assert await work.agents.find_by_key(proven.public_key) == proven


async def test_of_another_key_nothing_is_proven_yet(storage: Storage) -> None:
    proven = await joined(storage, attrs.evolve(an_agent(), proven=True))
    changed = attrs.evolve(proven, public_key=a_public_key(), proven=False)
    async with storage.transaction() as work:
        await work.agents.put(changed)
    async with storage.snapshot() as work:
        assert await work.agents.find(proven.id) == changed


async def test_agents_come_in_pages(storage: Storage) -> None:
    members = sorted([await joined(storage) for _ in range(5)], key=lambda agent: agent.id)
    async with storage.snapshot() as work:
        assert await work.agents.after(None, 2) == members[:2]
        assert await work.agents.after(members[1].id, 2) == members[2:4]
        assert await work.agents.after(members[3].id, 2) == members[4:]
        assert await work.agents.after(members[4].id, 2) == []


async def test_the_same_agent_again_is_stored_once(storage: Storage, agent: Agent) -> None:
    again = an_agent(agent_id=agent.id, public_key=PublicKey.parse(agent.public_key.text.rstrip("=")))
    async with storage.transaction() as work:
        await work.agents.add(again)
    async with storage.snapshot() as work:
        found = await work.agents.find(agent.id)
    assert found == agent
    assert found.public_key.text == agent.public_key.text


async def test_a_key_belongs_to_one_identity(storage: Storage, agent: Agent) -> None:
    imitator = an_agent(public_key=agent.public_key)
    with pytest.raises(KeyTaken):
        async with storage.transaction() as work:
            await work.agents.add(imitator)
    async with storage.snapshot() as work:
        assert await work.agents.find(imitator.id) is None
        assert await work.agents.find_by_key(agent.public_key) == agent


async def test_of_parallel_agents_with_one_key_one_is_stored(storage: Storage) -> None:
    key = a_public_key()
    agents = [an_agent(public_key=key) for _ in range(5)]

    async def add(agent: Agent) -> None:
        async with storage.transaction() as work:
            await work.agents.add(agent)

    outcomes = await asyncio.gather(*map(add, agents), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes].count(KeyTaken) == 4
    async with storage.snapshot() as work:
        assert [await work.agents.find(agent.id) for agent in agents].count(None) == 4


async def test_another_key_replaces_the_first(storage: Storage, agent: Agent) -> None:
    changed = attrs.evolve(agent, public_key=a_public_key(), created_at=LATER, updated_at=LATER)
    async with storage.transaction() as work:
        await work.agents.put(changed)
    async with storage.snapshot() as work:
        found = await work.agents.find(agent.id)
        assert found == attrs.evolve(changed, created_at=agent.created_at)
        assert found.public_key.text == changed.public_key.text
        assert await work.agents.find_by_fingerprint(changed.fingerprint) == found
        assert await work.agents.find_by_key(agent.public_key) is None


async def test_an_identity_that_was_not_known_is_stored(storage: Storage) -> None:
    newcomer = an_agent()
    async with storage.transaction() as work:
        await work.agents.put(newcomer)
        await work.agents.put(newcomer)
    async with storage.snapshot() as work:
        assert await work.agents.find(newcomer.id) == newcomer


async def test_no_identity_can_change_to_a_key_of_another(storage: Storage, agent: Agent) -> None:
    other = await joined(storage)
    with pytest.raises(KeyTaken):
        async with storage.transaction() as work:
            await work.agents.put(attrs.evolve(other, public_key=agent.public_key))
    async with storage.snapshot() as work:
        assert await work.agents.find(other.id) == other
        assert await work.agents.find_by_key(agent.public_key) == agent


async def test_removing_nobody_is_no_error(storage: Storage) -> None:
    async with storage.transaction() as work:
        await work.agents.remove(an_agent().id)


async def test_a_removed_agent_is_gone_and_its_key_is_free(storage: Storage, agent: Agent) -> None:
    async with storage.transaction() as work:
        await work.agents.remove(agent.id)
    async with storage.snapshot() as work:
        assert await work.agents.find(agent.id) is None
        assert await work.agents.find_by_fingerprint(agent.fingerprint) is None
    successor = await joined(storage, an_agent(public_key=agent.public_key))
    async with storage.snapshot() as work:
        assert await work.agents.find_by_key(agent.public_key) == successor


async def test_all_that_is_an_agents_own_goes_with_it(storage: Storage, agent: Agent, diary: Diary) -> None:
    other = await joined(storage)
    entry, request, voucher = an_entry(diary=diary.id), a_signing_request(agent=agent.id), a_voucher(issuer=agent.id)
    invitation = a_share(diary=(await opened(storage, other)).id, agent=agent.id)
    await written(storage, entry)
    async with storage.transaction() as work:
        await work.signing_requests.add(request)
        assert await work.vouchers.issue(voucher)
        assert await work.shares.add(invitation)
        await work.relations.add(invitation.diary_id, Relation.READERS, agent.id)
        await work.agents.remove(agent.id)
    async with storage.snapshot() as work:
        assert await work.diaries.find(diary.id) is None
        assert await work.entries.find_many([entry.id]) == []
        assert await work.signing_requests.find(request.id) is None
        assert await work.vouchers.open_of(agent.id, NOON) == []
        assert await work.shares.find(invitation.id) is None
        assert await work.relations.diaries_of(agent.id) == {}


async def test_what_is_another_agents_stays(storage: Storage, agent: Agent) -> None:
    other = await joined(storage)
    diary, voucher = await opened(storage, other), a_voucher(issuer=other.id)
    async with storage.transaction() as work:
        assert await work.vouchers.issue(voucher)
        await work.agents.remove(agent.id)
    async with storage.snapshot() as work:
        assert await work.agents.find(other.id) == other
        assert await work.diaries.owned_by(other.id) == [diary]
        assert await work.vouchers.open_of(other.id, NOON) == [voucher]


async def test_the_voucher_a_removed_agent_redeemed_is_open_again(storage: Storage, agent: Agent) -> None:
    voucher, newcomer = a_voucher(issuer=agent.id), await joined(storage)
    async with storage.transaction() as work:
        assert await work.vouchers.issue(voucher)
        assert await work.vouchers.redeem(voucher.code, newcomer.id, NOON)
    async with storage.transaction() as work:
        await work.agents.remove(newcomer.id)
    async with storage.snapshot() as work:
        assert await work.vouchers.find(voucher.code) == voucher
        assert await work.vouchers.graph(Page(10)) == []
