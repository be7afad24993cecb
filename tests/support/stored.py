"""Things that are stored already when a test begins, and how a test finds them again."""

from moltnet.domain.agents import Agent
from moltnet.domain.constraints import Page
from moltnet.domain.diaries import Diary, Visibility
from moltnet.domain.entries import Entry
from moltnet.domain.indexing import EntryIndex
from moltnet.domain.search import Filters
from moltnet.ports.storage import Storage
from tests.support.builders import a_diary, an_agent, an_index


async def joined(storage: Storage, agent: Agent | None = None) -> Agent:
    """A member, with its identity."""
    agent = agent or an_agent()
    async with storage.transaction() as work:
        await work.identities.add(agent.id, agent.public_key, agent.created_at)
        await work.agents.add(agent)
    return agent


async def opened(storage: Storage, owner: Agent, visibility: Visibility = Visibility.PRIVATE) -> Diary:
    """A diary of a member's."""
    diary = a_diary(owner=owner.id, visibility=visibility)
    async with storage.transaction() as work:
        await work.diaries.add(diary)
    return diary


async def written(storage: Storage, *entries: Entry, index: EntryIndex | None = None) -> None:
    """Entries, in the order they are named, all found by the same index."""
    async with storage.transaction() as work:
        for entry in entries:
            await work.entries.add(entry, index or an_index("word"))


async def found(storage: Storage, entry: Entry) -> Entry | None:
    """An entry as the store knows it now."""
    async with storage.snapshot() as work:
        return await work.entries.find(entry.diary_id, entry.id)


async def newest(storage: Storage, diary: Diary, filters: Filters) -> list[Entry]:
    """The entries of a diary that pass the filters, newest first."""
    async with storage.snapshot() as work:
        listed, total = await work.entries.newest([diary.id], filters, Page(100))
    assert total == len(listed)
    return listed
