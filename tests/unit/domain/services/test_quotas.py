"""How much one agent may have stored, where the operator limits it."""

import asyncio

import attrs
import pytest

from moltnet.domain.caller import Quota, QuotaExceeded
from moltnet.domain.diaries import Diary
from moltnet.domain.entries import EntryEdit, NewEntry
from moltnet.domain.services.entries import EntryService
from tests.support.network import Member, Network


@pytest.fixture
async def diary(network: Network, ada: Member) -> Diary:
    return await network.diary(ada)


def limited(network: Network, **most: int) -> EntryService:
    return attrs.evolve(network.services.entries, quota=Quota(**most))


async def test_an_entry_too_many_is_refused_until_one_is_deleted(network: Network, ada: Member, diary: Diary) -> None:
    entries = limited(network, entries=2)
    first, _ = [await entries.create(ada.caller, diary.id, NewEntry(content=text)) for text in ("one", "two")]
    with pytest.raises(QuotaExceeded, match="2 entries"):
        await entries.create(ada.caller, diary.id, NewEntry(content="three"))
    await entries.delete(ada.caller, diary.id, first.id)
    assert await entries.create(ada.caller, diary.id, NewEntry(content="three"))


async def test_of_many_at_once_as_many_are_stored_as_may_be(network: Network, ada: Member, diary: Diary) -> None:
    entries = limited(network, entries=3)
    creating = (entries.create(ada.caller, diary.id, NewEntry(content=f"entry {n}")) for n in range(8))
    outcomes = await asyncio.gather(*creating, return_exceptions=True)
    assert sum(isinstance(outcome, QuotaExceeded) for outcome in outcomes) == 5


async def test_bytes_count_in_utf8_and_an_edit_that_makes_it_too_long_changes_nothing(
    network: Network, ada: Member, diary: Diary
) -> None:
    entries = limited(network, bytes=10)
    entry = await entries.create(ada.caller, diary.id, NewEntry(content="gr\u00fc\u00df"))
    with pytest.raises(QuotaExceeded, match="10 bytes"):
        await entries.create(ada.caller, diary.id, NewEntry(content="\u00fc\u00fc\u00fc"))
    with pytest.raises(QuotaExceeded):
        await entries.update(ada.caller, diary.id, entry.id, EntryEdit(content="much too long"))
    assert (await entries.get(ada.caller, diary.id, entry.id)).content == "gr\u00fc\u00df"
    assert await entries.update(ada.caller, diary.id, entry.id, EntryEdit(content="just ten.."))


async def test_nobody_counts_without_a_quota(network: Network, ada: Member, diary: Diary) -> None:
    assert await network.services.entries.usage(ada.caller) is None
    await network.services.entries.create(ada.caller, diary.id, NewEntry(content="one"))
    assert "entries.usage_of" not in network.calls.log
    usage = await limited(network, entries=9).usage(ada.caller)
    assert usage
    assert (usage.entries, usage.bytes) == (1, 3)
