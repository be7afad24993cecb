"""The port `Entries`: texts that are analysed again, online."""

import asyncio
from datetime import timedelta

import attrs

from moltnet.domain.diaries import Diary
from moltnet.domain.ids import EntryId
from moltnet.domain.indexing import Term
from moltnet.domain.ranking import Question
from moltnet.domain.search import LexicalQuery
from moltnet.ports.storage import Storage
from tests.support.builders import NOON, an_entry, an_index
from tests.support.stored import written

NEW = {Term("new"): (1, 3), Term("both"): (2,)}
LATER = NOON + timedelta(seconds=1)


async def found_by_word(storage: Storage, diary: Diary, word: str) -> list[EntryId]:
    question = Question(words=LexicalQuery(forms=(((Term("nowhere"), Term(word)),),)))
    async with storage.snapshot() as work:
        return [each.entry_id for each in (await work.candidates.best(question, [diary.id], 10)).found]


async def test_terms_of_an_earlier_analysis_are_found_and_written_anew(storage: Storage, diary: Diary) -> None:
    entry, current = an_entry(diary=diary.id), an_entry(diary=diary.id)
    await written(storage, entry, index=an_index("old", "both"))
    await written(storage, current, index=attrs.evolve(an_index("old"), analysis=1))
    async with storage.transaction() as work:
        assert [each.id for each in await work.entries.outdated(1, 10)] == [entry.id]
        assert await work.entries.outdated(1, 0) == []
        assert await work.entries.reindex(entry, NEW, 1)
        assert await work.entries.outdated(1, 10) == []
    assert await found_by_word(storage, diary, "new") == [entry.id]
    assert await found_by_word(storage, diary, "both") == [entry.id]
    assert await found_by_word(storage, diary, "old") == [current.id]


async def test_an_entry_that_was_edited_or_is_gone_is_left_alone(storage: Storage, diary: Diary) -> None:
    edited, gone = an_entry(diary=diary.id), an_entry(diary=diary.id)
    await written(storage, edited, index=an_index("old"))
    later = attrs.evolve(edited, content="edited", updated_at=LATER)
    async with storage.transaction() as work:
        index = attrs.evolve(an_index("edited"), analysis=1)
        assert await work.entries.replace(later, index, unless_changed_since=NOON)
        assert await work.entries.outdated(1, 10) == []
        assert not await work.entries.reindex(edited, NEW, 1)
        assert not await work.entries.reindex(gone, NEW, 1)
    assert await found_by_word(storage, diary, "edited") == [edited.id]
    assert await found_by_word(storage, diary, "new") == []


async def test_an_edit_and_a_new_analysis_at_once_leave_the_terms_of_the_edit(storage: Storage, diary: Diary) -> None:
    entry = an_entry(diary=diary.id)
    await written(storage, entry, index=an_index("old"))
    later = attrs.evolve(entry, content="edited", updated_at=LATER)

    async def edit() -> None:
        async with storage.transaction() as work:
            index = attrs.evolve(an_index("edited"), analysis=1)
            assert await work.entries.replace(later, index, unless_changed_since=NOON)

    async def reindex() -> None:
        async with storage.transaction() as work:
            await work.entries.reindex(entry, NEW, 1)

    await asyncio.gather(edit(), reindex())
    assert await found_by_word(storage, diary, "edited") == [entry.id]
    assert await found_by_word(storage, diary, "new") == await found_by_word(storage, diary, "old") == []
