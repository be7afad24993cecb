"""Lists of a diary for a reader who goes through it (the port `Entries`, `browse`)."""

from datetime import timedelta

import attrs
import pytest

from moltnet.domain.agents import Agent, Author
from moltnet.domain.constraints import Page
from moltnet.domain.diaries import Diary
from moltnet.domain.digest import Listing, Order
from moltnet.domain.entries import Entry, EntryType
from moltnet.domain.search import Filters
from moltnet.ports.storage import Storage
from tests.support.builders import NOON, an_entry
from tests.support.stored import joined, opened, written

HOUR = timedelta(hours=1)


@pytest.fixture
async def entries(storage: Storage, agent: Agent, diary: Diary) -> list[Entry]:
    """Four entries, in the order in which they were written; the first was replaced by the last."""
    friend = await joined(storage)
    made = [
        an_entry(
            diary=diary.id,
            importance=importance,
            at=NOON + hour * HOUR,
            injection_risk=hour == 1,
            author=Author(public_key=writer.public_key, id=writer.id),
        )
        for hour, (importance, writer) in enumerate([(5, agent), (9, agent), (5, friend), (1, agent)])
    ]
    await written(storage, *reversed(made), an_entry(diary=(await opened(storage, agent)).id))
    async with storage.transaction() as work:
        replaced = attrs.evolve(made[0], superseded_by=made[3].id, updated_at=NOON + 9 * HOUR)
        assert await work.entries.replace(replaced, None, unless_changed_since=made[0].updated_at)
        await work.entries.record_views({made[2].id: 3}, NOON)
    return made


async def shown(
    storage: Storage,
    entries: list[Entry],
    listing: Listing,
    page: Page = Page(10),  # noqa: B008 - frozen
) -> tuple[list[int], int]:
    async with storage.snapshot() as work:
        found, total = await work.entries.browse(entries[0].diary_id, listing, page)
    ids = [entry.id for entry in entries]
    return [ids.index(entry.id) for entry in found], total


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (Order.NEWEST, [3, 2, 1, 0]),
        (Order.OLDEST, [0, 1, 2, 3]),
        (Order.IMPORTANCE, [1, 2, 0, 3]),
        (Order.READ, [2, 3, 1, 0]),
    ],
)
async def test_an_order_is_that_of_the_whole_list_and_of_its_pages(
    storage: Storage, entries: list[Entry], order: Order, expected: list[int]
) -> None:
    listing = Listing(order=order)
    assert await shown(storage, entries, listing) == (expected, 4)
    assert await shown(storage, entries, listing, Page(2, 1)) == (expected[1:3], 4)
    assert await shown(storage, entries, listing, Page(2, 4)) == ([], 4)


async def test_each_filter_leaves_out_what_it_says(storage: Storage, entries: list[Entry]) -> None:
    friend = entries[2].writer.fingerprint
    for listing, expected in [
        (Listing(min_importance=5), [2, 1, 0]),
        (Listing(writer=friend), [2]),
        (Listing(only_flagged=True), [1]),
        (Listing(only_superseded=True), [0]),
        (Listing(successor=entries[3].id), [0]),
        (Listing(filters=Filters(exclude_superseded=True)), [3, 2, 1]),
        (Listing(filters=Filters(since=NOON + 2 * HOUR)), [3, 2]),
        (Listing(filters=Filters(entry_types=frozenset({EntryType.SOUL}))), []),
        (Listing(min_importance=5, only_superseded=True, order=Order.OLDEST), [0]),
    ]:
        assert await shown(storage, entries, listing) == (expected, len(expected))
