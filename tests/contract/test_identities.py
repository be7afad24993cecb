"""The port `Identities`; what it keeps is seen by nobody but its store."""

from moltnet.ports.storage import Storage
from tests.support.builders import NOON, an_agent


async def test_adding_and_removing_can_be_repeated(storage: Storage) -> None:
    agent = an_agent()
    for _ in range(2):
        async with storage.transaction() as work:
            await work.identities.add(agent.id, agent.public_key, NOON)
            await work.identities.add(agent.id, agent.public_key, NOON)
        async with storage.transaction() as work:
            await work.identities.remove(agent.id)
            await work.identities.remove(agent.id)


async def test_another_key_is_kept_for_an_identity_that_is_there(storage: Storage) -> None:
    agent = an_agent()
    async with storage.transaction() as work:
        await work.identities.replace_key(agent.id, agent.public_key)
        await work.identities.add(agent.id, agent.public_key, NOON)
        await work.identities.replace_key(agent.id, an_agent().public_key)


async def test_an_identity_comes_before_its_agent_and_leaves_after_it(storage: Storage) -> None:
    agent = an_agent()
    async with storage.transaction() as work:
        await work.identities.add(agent.id, agent.public_key, NOON)
    async with storage.transaction() as work:
        await work.agents.add(agent)
    async with storage.transaction() as work:
        await work.agents.remove(agent.id)
        await work.identities.remove(agent.id)
    async with storage.snapshot() as work:
        assert await work.agents.find(agent.id) is None
