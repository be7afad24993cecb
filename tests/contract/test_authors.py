"""The port `Entries`: who wrote an entry and who changed it, over every storage."""

import attrs
import pytest

from moltnet.domain.agents import Agent, Author, ProfileNotFound
from moltnet.domain.diaries import Diary, Visibility
from moltnet.domain.entries import Entry
from moltnet.domain.feed import Position
from moltnet.domain.indexing import Term
from moltnet.domain.ranking import Question
from moltnet.domain.search import Filters, LexicalQuery
from moltnet.ports.storage import Storage
from tests.support.builders import NOON, a_public_key, an_author, an_entry, an_index
from tests.support.stored import found, joined, newest, opened, written


async def test_author_and_editor_are_reported_by_the_keys_they_have_now(storage: Storage, diary: Diary) -> None:
    writer, editor = await joined(storage), await joined(storage)
    entry = an_entry(diary=diary.id, author=an_author(writer), edited_by=an_author(editor))
    await written(storage, entry)
    await _are(storage, entry, an_author(writer), an_author(editor))
    keys = a_public_key(), a_public_key()
    async with storage.transaction() as work:
        await work.agents.put(attrs.evolve(writer, public_key=keys[0]))
        await work.agents.put(attrs.evolve(editor, public_key=keys[1]))
    await _are(storage, entry, Author(id=writer.id, public_key=keys[0]), Author(id=editor.id, public_key=keys[1]))


async def test_an_edit_keeps_the_author_and_states_the_editor(storage: Storage, agent: Agent, diary: Diary) -> None:
    writer, editor = await joined(storage), await joined(storage)
    entry = an_entry(diary=diary.id, author=an_author(writer, assumed=True))
    await written(storage, entry)
    for index in (None, an_index("other")):
        for other in (an_author(editor), None):
            edited = attrs.evolve(entry, author=an_author(agent), edited_by=other)
            async with storage.transaction() as work:
                assert await work.entries.replace(edited, index, entry.updated_at)
            await _are(storage, entry, an_author(writer), other)


async def test_an_assumed_author_is_reported_as_assumed(storage: Storage, agent: Agent, diary: Diary) -> None:
    entry = an_entry(diary=diary.id, author=an_author(agent, assumed=True))
    await written(storage, entry)
    stored = await found(storage, entry)
    assert stored
    assert stored.author == an_author(agent, assumed=True)


async def test_only_a_member_is_an_author(storage: Storage, diary: Diary) -> None:
    with pytest.raises(ProfileNotFound):
        await written(storage, an_entry(diary=diary.id, author=an_author()))
    assert await newest(storage, diary, Filters()) == []


async def test_what_an_agent_wrote_goes_with_it(storage: Storage, diary: Diary) -> None:
    guest = await joined(storage)
    theirs, mine = an_entry(diary=diary.id, author=an_author(guest)), an_entry(diary=diary.id)
    await written(storage, theirs, mine)
    async with storage.transaction() as work:
        await work.agents.remove(guest.id)
    assert await newest(storage, diary, Filters()) == [mine]


async def test_entries_are_looked_at_by_whose_words_they_hold(storage: Storage, agent: Agent, diary: Diary) -> None:
    guest = await joined(storage)
    mine = an_entry(diary=diary.id)
    assumed = an_entry(diary=diary.id, author=an_author(agent, assumed=True))
    theirs = an_entry(diary=diary.id, author=an_author(guest))
    changed = an_entry(diary=diary.id, edited_by=an_author(guest))
    await written(storage, mine, assumed, theirs, changed)
    for author, expected in ((agent, {mine.id, assumed.id}), (guest, {theirs.id})):
        filters = Filters(written_by=author.id)
        assert {entry.id for entry in await newest(storage, diary, filters)} == expected
        async with storage.snapshot() as work:
            question = Question(words=LexicalQuery(scored=frozenset({Term("word")})), filters=filters)
            best = await work.candidates.best(question, [diary.id], 10)
        assert {each.entry_id for each in best.found} == expected


async def test_of_public_entries_the_writer_is_reported(storage: Storage, agent: Agent) -> None:
    public, guest = await opened(storage, agent, Visibility.PUBLIC), await joined(storage)
    entry = an_entry(diary=public.id, author=an_author(guest), at=NOON)
    await written(storage, entry)
    async with storage.snapshot() as work:
        (item,) = await work.entries.public_page(None, None, 10, flagged=False)
        (same,) = await work.feed.find_many([entry.id])
        (streamed,) = (await work.feed.between(Position(0), await work.feed.end(), 10)).items
    assert item == same == streamed
    assert item.author.id == guest.id


async def _are(storage: Storage, entry: Entry, author: Author, editor: Author | None) -> None:
    stored = await found(storage, entry)
    assert stored
    assert stored.author
    assert (stored.author.id, stored.author.public_key) == (author.id, author.public_key)
    assert stored.edited_by == editor
    assert stored.edited_by is None or stored.edited_by.id == (editor and editor.id)
