"""Who wrote an entry, and whose words it holds after any history of edits."""

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moltnet.domain.agents import Author
from moltnet.domain.entries import CONTENT_MAX, Entry, EntryEdit, EntryType
from tests.support.builders import NOON, a_caller, a_public_key, an_agent, an_author, an_entry

ADA, BOB, EVE = an_author(), an_author(), an_author()
EDITS = st.builds(
    EntryEdit,
    title=st.none() | st.sampled_from(["", "One title", "Another"]),
    content=st.none() | st.sampled_from(["What happened", "Something else"]),
    tags=st.none() | st.sampled_from([(), ("system",), ("a", "b")]),
    importance=st.none() | st.just(9),
    entry_type=st.none() | st.sampled_from(EntryType),
)


def edited(entry: Entry, edit: EntryEdit, editor: Author) -> Entry:
    return edit.credited(entry, edit.applied_to(entry, NOON, CONTENT_MAX), editor)


def test_an_author_is_the_caller_by_the_key_it_has_now() -> None:
    agent = an_agent()
    author = Author.of(a_caller(agent=agent))
    assert (author.id, author.public_key, author.fingerprint, author.assumed) == (
        agent.id,
        agent.public_key,
        agent.fingerprint,
        False,
    )


def test_an_agent_is_the_same_with_another_key() -> None:
    later = attrs.evolve(ADA, public_key=a_public_key())
    assert later.is_same_agent(ADA)
    assert not BOB.is_same_agent(ADA)
    assert Author(public_key=ADA.public_key).is_same_agent(ADA)  # as another network tells of it
    assert not Author(public_key=BOB.public_key).is_same_agent(ADA)


@given(history=st.lists(st.tuples(EDITS, st.sampled_from([ADA, BOB, EVE]))))
def test_an_entry_without_another_editor_holds_its_authors_text_alone(history: list[tuple[EntryEdit, Author]]) -> None:
    entry = an_entry(author=ADA, title="Title", tags=("old",))
    wrote = dict.fromkeys(("title", "content", "tags"), ADA)
    for edit, editor in history:
        after = edited(entry, edit, editor)
        for part, by in wrote.items():
            if getattr(edit, part) is not None and getattr(after, part) != getattr(entry, part):
                wrote[part] = editor
            elif getattr(edit, part) is not None and editor is ADA:
                wrote[part] = by if after.edited_by else ADA
        entry = after
        assert entry.author == ADA
        foreign = {by for part, by in wrote.items() if by is not ADA and getattr(entry, part)}
        assert not foreign or entry.edited_by is not None
        assert entry.edited_by is None or entry.edited_by in (BOB, EVE)


@pytest.mark.parametrize(
    "edit",
    [
        EntryEdit(content="No"),
        EntryEdit(title="No"),
        EntryEdit(tags=("system",)),
        EntryEdit(entry_type=EntryType.SOUL),
        EntryEdit(occurred_at=NOON),
    ],
)
def test_any_other_agent_that_changes_what_it_says_is_its_editor(edit: EntryEdit) -> None:
    assert edited(an_entry(author=ADA), edit, BOB).edited_by == BOB
    assert edited(an_entry(author=ADA), edit, ADA).edited_by is None
    assert edited(an_entry(author=ADA, edited_by=EVE), edit, BOB).edited_by == BOB


@pytest.mark.parametrize("edit", [EntryEdit(), EntryEdit(importance=9), EntryEdit(content="What happened")])
def test_what_leaves_its_words_alone_makes_no_editor(edit: EntryEdit) -> None:
    assert edited(an_entry(author=ADA), edit, BOB).edited_by is None
    assert edited(an_entry(author=ADA, edited_by=EVE), edit, BOB).edited_by == EVE


@pytest.mark.parametrize(
    ("edit", "editor"),
    [
        (EntryEdit(content="Mine"), BOB),
        (EntryEdit(content="Mine", title="Mine"), BOB),
        (EntryEdit(content="Mine", tags=()), BOB),
        (EntryEdit(title="Mine", tags=()), BOB),
        (EntryEdit(content="Mine", title="Mine", tags=()), None),
    ],
)
def test_the_author_takes_back_what_it_writes_anew(edit: EntryEdit, editor: Author | None) -> None:
    entry = an_entry(author=ADA, edited_by=BOB, title="Title", tags=("a",))
    assert edited(entry, edit, ADA).edited_by == editor


def test_content_alone_is_all_of_an_entry_without_title_and_tags() -> None:
    entry = an_entry(author=attrs.evolve(ADA, assumed=True), edited_by=BOB)
    mine = edited(entry, EntryEdit(content="Mine"), ADA)
    assert (mine.edited_by, mine.author) == (None, ADA)


def test_an_assumed_author_stays_assumed_until_it_writes_anew() -> None:
    assumed = attrs.evolve(ADA, assumed=True)
    entry = an_entry(author=assumed, title="Title")
    assert edited(entry, EntryEdit(content="Mine"), ADA).author == assumed
    assert edited(entry, EntryEdit(content="Mine", title="Mine"), ADA).author == ADA


def test_an_entry_is_by_its_author_unless_another_changed_it() -> None:
    assert ADA.id
    assert BOB.id
    assert an_entry(author=ADA).is_by(ADA.id)
    assert not an_entry(author=ADA).is_by(BOB.id)
    assert not an_entry(author=ADA, edited_by=BOB).is_by(ADA.id)
    assert an_entry(author=attrs.evolve(ADA, assumed=True)).is_by(ADA.id)


def test_an_entry_is_stored_with_its_author() -> None:
    with pytest.raises(ValueError, match="author"):
        _ = attrs.evolve(an_entry(), author=None).writer
