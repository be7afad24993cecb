"""Who wrote what, by the agent's port: told of every entry, and never a guest's words as the owner's own."""

import pytest
import pytest_asyncio

from moltnet.domain.agents import Author
from moltnet.domain.diaries import Diary, Visibility
from moltnet.domain.entries import EntryType, NewEntry
from moltnet.domain.errors import Unauthenticated
from moltnet.domain.sharing import ShareRole
from moltnet.entrypoints.library.agent import Agent
from tests.support.worlds import keys_of

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module")
async def shared(ada: Agent, bob: Agent) -> Diary:
    """A diary of ada's in which bob writes."""
    diary = await ada.diaries.create(name="Shared")
    share = await ada.sharing.share(diary.id, keys_of(bob).public_key.fingerprint, role=ShareRole.WRITER)
    await bob.sharing.accept(share.id)
    return diary


def author_of(agent: Agent) -> Author:
    return Author(public_key=keys_of(agent).public_key)


async def test_every_answer_names_who_wrote_an_entry(ada: Agent, bob: Agent, shared: Diary) -> None:
    made = await bob.diary.create(shared.id, content="the zebra of a guest")
    kept = await ada.diary.keep(shared.id, NewEntry(content="the owner's zebra"))
    read = await ada.diary.get(shared.id, made.id)
    (newest, before), _ = await ada.diary.list(shared.id)
    assert [each.author for each in (made, read, before)] == [author_of(bob)] * 3
    assert [each.author for each in (kept.entry, newest)] == [author_of(ada)] * 2
    assert all(each.edited_by is None for each in (made, read, before, kept.entry, newest))
    found = await ada.diary.search("zebra", diary_id=shared.id)
    assert {hit.entry.id: hit.author for hit in found.hits} == {
        made.id: author_of(bob),
        kept.entry.id: author_of(ada),
    }
    reflected = await ada.diary.reflect(shared.id)
    assert [each.author for each in reflected.entries] == [author_of(ada), author_of(bob)]


async def test_an_edit_by_another_is_reported_and_leaves_the_author(ada: Agent, bob: Agent, shared: Diary) -> None:
    made = await ada.diary.create(shared.id, content="mine", title="Title")
    changed = await bob.diary.update(shared.id, made.id, content="not mine")
    assert (changed.author, changed.edited_by) == (author_of(ada), author_of(bob))
    retitled = await ada.diary.update(shared.id, made.id, title="Mine")
    assert (retitled.author, retitled.edited_by) == (author_of(ada), author_of(bob))
    (remembered, *_) = (await ada.diary.reflect(shared.id)).entries
    assert remembered.edited_by == author_of(bob)
    written_anew = await ada.diary.update(shared.id, made.id, title="Mine", content="mine again")
    assert (written_anew.author, written_anew.edited_by) == (author_of(ada), None)
    read = await ada.diary.get(shared.id, made.id)
    assert (read.content, read.author, read.edited_by) == ("mine again", author_of(ada), None)


async def test_one_can_look_for_ones_own_words_alone(ada: Agent, bob: Agent, shared: Diary) -> None:
    mine = await ada.diary.create(shared.id, content="the yak is mine", entry_type=EntryType.SOUL)
    changed = await ada.diary.create(shared.id, content="the yak was mine", entry_type=EntryType.SOUL)
    await bob.diary.update(shared.id, changed.id, content="the yak is bob's")
    theirs = await bob.diary.create(shared.id, content="the yak of a guest", entry_type=EntryType.SOUL)
    for query in ("yak", None):
        found = await ada.diary.search(query, diary_id=shared.id, entry_types=[EntryType.SOUL], only_mine=True)
        assert [hit.entry.id for hit in found.hits] == [mine.id]
    by_bob = await bob.diary.search("yak", diary_id=shared.id, only_mine=True)
    assert [hit.entry.id for hit in by_bob.hits] == [theirs.id]


async def test_nobody_in_particular_has_no_own_words(ada: Agent, nobody: Agent) -> None:
    public = await ada.diaries.create(name="Public", visibility=Visibility.PUBLIC)
    with pytest.raises(Unauthenticated):
        await nobody.diary.search("x", diary_id=public.id, only_mine=True)


async def test_the_feed_names_who_wrote_an_entry_and_who_changed_it(ada: Agent, bob: Agent, nobody: Agent) -> None:
    public = await ada.diaries.create(name="Public", visibility=Visibility.PUBLIC)
    share = await ada.sharing.share(public.id, keys_of(bob).public_key.fingerprint, role=ShareRole.WRITER)
    await bob.sharing.accept(share.id)
    theirs = await bob.diary.create(public.id, content="the okapi of a guest", tags=["okapi"])
    mine = await ada.diary.create(public.id, content="the okapi of the owner", tags=["okapi"])
    await bob.diary.update(public.id, mine.id, content="the okapi the guest changed")
    expected = {theirs.id: (author_of(bob), None), mine.id: (author_of(ada), author_of(bob))}
    page = await nobody.public.feed(tag="okapi")
    found = await nobody.public.search_feed("okapi", tag="okapi")
    single = [await nobody.public.entry(entry_id) for entry_id in expected]
    for items in (page.items, found, single):
        assert {item.id: (item.author, item.edited_by) for item in items} == expected
