"""The port `Entries`: what everyone may see."""

from datetime import timedelta

import attrs
import pytest

from moltnet.domain.agents import Agent
from moltnet.domain.diaries import Visibility
from moltnet.domain.entries import Entry
from moltnet.domain.feed import Cursor
from moltnet.domain.ids import EntryId
from moltnet.ports.storage import Storage
from tests.support.builders import NOON, an_author, an_entry, an_id
from tests.support.stored import joined, opened, written

MICROSECOND = timedelta(microseconds=1)
NO_ENTRY = EntryId(an_id())


async def shown(
    storage: Storage, after: Cursor | None = None, tag: str | None = None, limit: int = 100, *, flagged: bool = False
) -> list[Entry]:
    async with storage.snapshot() as work:
        return [each.entry for each in await work.entries.public_page(after, tag, limit, flagged=flagged)]


async def test_the_feed_shows_public_entries_with_their_authors(storage: Storage, agent: Agent) -> None:
    diary = await opened(storage, agent, Visibility.PUBLIC)
    writer = an_author(await joined(storage))
    entry = an_entry(diary=diary.id, author=writer)
    await written(storage, entry)
    async with storage.snapshot() as work:
        (item,) = await work.entries.public_page(None, None, 10, flagged=False)
        assert await work.entries.public_entry(entry.id) == item
    assert (item.entry, item.author, item.author.id) == (entry, writer, writer.id)


@pytest.mark.parametrize("visibility", [Visibility.PRIVATE, Visibility.MOLTNET])
async def test_nothing_else_is_public(storage: Storage, agent: Agent, visibility: Visibility) -> None:
    entry = an_entry(diary=(await opened(storage, agent, visibility)).id)
    await written(storage, entry)
    assert await shown(storage, flagged=True) == []
    async with storage.snapshot() as work:
        assert await work.entries.public_entry(entry.id) is None
        assert await work.entries.public_entry(NO_ENTRY) is None


async def test_a_diary_that_becomes_private_leaves_the_feed(storage: Storage, agent: Agent) -> None:
    diary = await opened(storage, agent, Visibility.PUBLIC)
    await written(storage, an_entry(diary=diary.id))
    async with storage.transaction() as work:
        assert await work.diaries.replace(
            attrs.evolve(diary, visibility=Visibility.PRIVATE), unless_changed_since=diary.updated_at
        )
    assert await shown(storage) == []


async def test_the_feed_goes_back_in_time_over_all_diaries(storage: Storage, agent: Agent) -> None:
    first = await opened(storage, agent, Visibility.PUBLIC)
    second = await opened(storage, await joined(storage), Visibility.PUBLIC)
    oldest, older = an_entry(diary=first.id), an_entry(diary=second.id)
    latest = an_entry(diary=first.id, at=NOON + MICROSECOND)
    await written(storage, latest, oldest, older)
    assert await shown(storage) == [latest, older, oldest]
    assert await shown(storage, limit=1) == [latest]


async def test_a_walk_through_the_feed_neither_skips_nor_repeats(storage: Storage, agent: Agent) -> None:
    diary = await opened(storage, agent, Visibility.PUBLIC)
    moments = [NOON + step * MICROSECOND for step in (0, 0, 0, 1, 2, 2, 999, 1000)]
    stored = [an_entry(diary=diary.id, at=at) for at in moments]
    await written(storage, *stored)
    walked: list[Entry] = []
    while page := await shown(storage, Cursor.after(walked[-1]) if walked else None, limit=3):
        walked += page
    assert walked == stored[::-1]


async def test_a_position_in_the_feed_outlives_its_entry(storage: Storage, agent: Agent) -> None:
    diary = await opened(storage, agent, Visibility.PUBLIC)
    older, gone = an_entry(diary=diary.id), an_entry(diary=diary.id)
    await written(storage, older)
    assert await shown(storage, Cursor.after(gone)) == [older]
    assert await shown(storage, Cursor.after(older)) == []


async def test_the_feed_shows_one_tag_on_demand(storage: Storage, agent: Agent) -> None:
    diary = await opened(storage, agent, Visibility.PUBLIC)
    tagged = an_entry(diary=diary.id, tags=("b", "a"))
    await written(storage, tagged, an_entry(diary=diary.id, tags=("ab",)), an_entry(diary=diary.id))
    assert await shown(storage, tag="a") == [tagged]
    assert await shown(storage, tag="c") == []


async def test_flagged_entries_are_shown_on_demand(storage: Storage, agent: Agent) -> None:
    diary = await opened(storage, agent, Visibility.PUBLIC)
    plain, flagged = an_entry(diary=diary.id), an_entry(diary=diary.id, injection_risk=True)
    await written(storage, plain, flagged)
    assert await shown(storage) == [plain]
    assert await shown(storage, flagged=True) == [flagged, plain]
    async with storage.snapshot() as work:
        item = await work.entries.public_entry(flagged.id)
    assert item is not None
    assert item.entry == flagged
