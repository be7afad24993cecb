"""The port `Clients`, as repositories know it."""

import asyncio
from datetime import timedelta

import attrs

from moltnet.domain.agents import Agent
from moltnet.domain.credentials import Client, Scope, hash_secret
from moltnet.domain.ids import ClientId
from moltnet.ports.storage import Storage
from tests.support.builders import NOON, a_client, an_id
from tests.support.stored import joined

LATER = NOON + timedelta(hours=1)


async def put(storage: Storage, client: Client) -> None:
    async with storage.transaction() as work:
        await work.clients.put(client)


async def found(storage: Storage, client_id: ClientId) -> Client | None:
    async with storage.snapshot() as work:
        return await work.clients.find(client_id)


async def test_unknown_clients_are_none(storage: Storage, agent: Agent) -> None:
    assert await found(storage, ClientId(an_id())) is None
    async with storage.snapshot() as work:
        assert await work.clients.of_agent(agent.id) is None


async def test_a_client_is_found_by_id_and_by_agent(storage: Storage, agent: Agent) -> None:
    scopes = frozenset({Scope.DIARY_READ, Scope.CRYPTO_SIGN})
    client, other = a_client(agent_id=agent.id, scopes=scopes), await joined(storage)
    await put(storage, client)
    assert await found(storage, client.id) == client
    async with storage.snapshot() as work:
        assert await work.clients.of_agent(agent.id) == client
        assert await work.clients.of_agent(other.id) is None


async def test_a_client_is_found_together_with_its_agent(storage: Storage, agent: Agent) -> None:
    client, of_nobody = a_client(agent_id=agent.id), a_client()
    await put(storage, client)
    await put(storage, of_nobody)
    async with storage.snapshot() as work:
        assert await work.clients.find_with_agent(client.id) == (client, agent)
        assert await work.clients.find_with_agent(of_nobody.id) is None
        assert await work.clients.find_with_agent(ClientId(an_id())) is None


async def test_the_same_client_again_takes_the_next_secret(storage: Storage, agent: Agent) -> None:
    client = a_client(agent_id=agent.id, secret="first")
    await put(storage, client)
    again = a_client(client_id=client.id, agent_id=agent.id, secret="second")
    await put(storage, attrs.evolve(again, secret_since=LATER))
    stored = await found(storage, client.id)
    assert stored is not None
    assert stored.accepts("second")
    assert not stored.accepts("first")
    assert (stored.generation, stored.secret_since) == (client.generation + 1, LATER)


async def test_a_rotated_client_has_another_secret_of_the_next_generation(storage: Storage, agent: Agent) -> None:
    client, rotated_hash = a_client(agent_id=agent.id), hash_secret("another")
    await put(storage, client)
    async with storage.transaction() as work:
        assert await work.clients.rotate(client.id, rotated_hash, LATER)
    assert await found(storage, client.id) == attrs.evolve(
        client, secret_hash=rotated_hash, generation=client.generation + 1, used=True, secret_since=LATER
    )


async def test_rotating_no_client_is_false(storage: Storage) -> None:
    client_id = ClientId(an_id())
    async with storage.transaction() as work:
        assert not await work.clients.rotate(client_id, hash_secret("another"), LATER)
    assert await found(storage, client_id) is None


async def test_no_rotation_is_lost(storage: Storage, agent: Agent) -> None:
    client = a_client(agent_id=agent.id)
    await put(storage, client)

    async def rotate(secret: str) -> bool:
        async with storage.transaction() as work:
            return await work.clients.rotate(client.id, hash_secret(secret), LATER)

    secrets = [f"secret {number}" for number in range(5)]
    assert all(await asyncio.gather(*map(rotate, secrets)))
    stored = await found(storage, client.id)
    assert stored is not None
    assert stored.generation == client.generation + 5
    assert sum(map(stored.accepts, secrets)) == 1


async def test_a_removed_client_is_gone(storage: Storage, agent: Agent) -> None:
    client = a_client(agent_id=agent.id)
    await put(storage, client)
    async with storage.transaction() as work:
        await work.clients.remove(client.id)
        await work.clients.remove(client.id)
    assert await found(storage, client.id) is None
    async with storage.snapshot() as work:
        assert await work.clients.of_agent(agent.id) is None


# The first use


async def test_a_client_is_used_from_the_first_time_on(storage: Storage, agent: Agent) -> None:
    client = a_client(agent_id=agent.id)
    await put(storage, client)
    async with storage.autocommit() as work:
        assert not await work.clients.mark_used(client.id, client.generation + 1)
        assert not await work.clients.mark_used(ClientId(an_id()), client.generation)
        assert await found(storage, client.id) == client
        for _ in range(2):
            assert await work.clients.mark_used(client.id, client.generation)
    assert await found(storage, client.id) == attrs.evolve(client, used=True)


async def test_only_an_unused_young_client_is_renewed(storage: Storage, agent: Agent) -> None:
    before = NOON - timedelta(microseconds=1)
    client, used = a_client(agent_id=agent.id, secret="first"), a_client(agent_id=agent.id)
    for each in (client, used):
        await put(storage, each)
    async with storage.autocommit() as work:
        await work.clients.mark_used(used.id, used.generation)
        assert not await work.clients.renew_unused(used.id, hash_secret("second"), before, LATER)
        assert not await work.clients.renew_unused(client.id, hash_secret("second"), NOON, LATER)
        assert not await work.clients.renew_unused(ClientId(an_id()), hash_secret("second"), before, LATER)
        assert await work.clients.renew_unused(client.id, hash_secret("second"), before, LATER)
    stored = await found(storage, client.id)
    assert stored is not None
    assert stored.accepts("second")
    assert (stored.generation, stored.used, stored.secret_since) == (client.generation + 1, False, LATER)


async def test_of_a_use_and_a_renewal_at_once_one_comes_first(storage: Storage, agent: Agent) -> None:
    for _ in range(5):
        client = a_client(agent_id=agent.id)
        await put(storage, client)

        async def use(of: Client = client) -> bool:
            async with storage.transaction() as work:
                return await work.clients.mark_used(of.id, of.generation)

        async def renew(of: Client = client) -> bool:
            async with storage.transaction() as work:
                return await work.clients.renew_unused(of.id, hash_secret("another"), NOON - timedelta(days=1), LATER)

        assert sorted(await asyncio.gather(use(), renew())) == [False, True]


async def test_all_clients_of_an_agent_end_at_once(storage: Storage, agent: Agent) -> None:
    ended, others = [a_client(agent_id=agent.id) for _ in range(2)], a_client()
    async with storage.transaction() as work:
        for client in (*ended, others):
            await work.clients.put(client)
        await work.clients.end_of_agent(agent.id, LATER)
    async with storage.snapshot() as work:
        for client in ended:
            found = await work.clients.find(client.id)
            assert found is not None
            assert (found.generation, found.secret_since, found.used) == (client.generation + 1, LATER, True)
            assert found.is_ended
            assert not found.accepts("secret")
            assert not found.accepts("")
        assert await work.clients.find(others.id) == others
