"""What is embedded, for whom, and who pays: only what changed, once, and as much a minute as an agent may have."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from threading import Thread, current_thread, main_thread

import pytest
from dependency_injector import providers

from moltnet.adapters.system import ThreadWorkers
from moltnet.domain.caller import WINDOW, AllowanceUsedUp, Anonymous, Limits
from moltnet.domain.diaries import Diary, Visibility
from moltnet.domain.entries import Entry, EntryEdit, NewEntry
from moltnet.domain.feed import FeedSearch
from moltnet.domain.indexing import Span
from moltnet.domain.search import Search
from moltnet.domain.services.requests import ThrottlingService
from moltnet.domain.text import IfDuplicate
from moltnet.entrypoints.container.wiring import Parts
from tests.support.models import NamedEmbedder
from tests.support.network import Member, Network, a_network

SECOND = timedelta(seconds=1)
SENTENCES = [f"On day {day} the heron stood in the reeds and waited for the fog to lift." for day in range(20)]
LONG = " ".join(SENTENCES)
LIMITS = Limits(embedding=1)


@pytest.fixture
def model() -> NamedEmbedder:
    """Tells what it embedded."""
    return NamedEmbedder("model")


@pytest.fixture
async def network(model: NamedEmbedder) -> AsyncIterator[Network]:
    """A network with that model, and narrow limits."""

    def place(parts: Parts) -> None:
        narrow = providers.Singleton(ThrottlingService, counts=parts.limits, limits=LIMITS)
        parts.throttling.override(narrow)

    async with a_network(embedder=model, place=place) as network:
        yield network


@pytest.fixture
async def diary(network: Network, ada: Member) -> Diary:
    """A private diary of Ada's."""
    return await network.diary(ada)


@pytest.fixture
async def entry(network: Network, ada: Member, diary: Diary, model: NamedEmbedder) -> Entry:
    """A long entry in it, embedded already."""
    new = NewEntry(content=LONG, title="Of herons", tags=("bird",))
    entry = await network.services.entries.create(ada.caller, diary.id, new)
    assert len(model.embedded) == len(SENTENCES)
    model.embedded.clear()
    return entry


async def edited(network: Network, member: Member, entry: Entry, edit: EntryEdit) -> Entry:
    """The entry after an edit a second later."""
    network.clock.advance(SECOND)
    return await network.services.entries.update(member.caller, entry.diary_id, entry.id, edit)


# Only what changed


@pytest.mark.parametrize(
    "edit", [EntryEdit(title="Of herons"), EntryEdit(content=LONG), EntryEdit(tags=("bird",), importance=9)]
)
async def test_an_edit_that_leaves_the_text_equal_embeds_nothing(
    network: Network, ada: Member, entry: Entry, model: NamedEmbedder, edit: EntryEdit
) -> None:
    await edited(network, ada, entry, edit)
    assert model.embedded == []
    found = await network.services.search.search(ada.caller, Search(query="heron"))
    assert [hit.entry.id for hit in found.hits] == [entry.id]


async def test_an_edit_embeds_the_beginning_and_the_passages_that_it_changes(
    network: Network, ada: Member, entry: Entry, model: NamedEmbedder
) -> None:
    changed = " ".join([*SENTENCES[:10], "Then a fisherman came along the dam and asked for a light.", *SENTENCES[11:]])
    await edited(network, ada, entry, EntryEdit(content=changed))
    assert len(model.embedded) == 2
    assert "fisherman" in model.embedded[1]


async def test_the_stored_vectors_are_those_of_the_passages(
    network: Network, ada: Member, diary: Diary, entry: Entry
) -> None:
    changed = " ".join([SENTENCES[0], "Before that, it had rained for a whole week without an end.", *SENTENCES[1:]])
    after = await edited(network, ada, entry, EntryEdit(content=changed))
    anew = NewEntry(content=changed, title=entry.title, tags=entry.tags)
    fresh = await network.services.entries.create(ada.caller, diary.id, anew)
    indexes = network.memory._committed.indexes.rows()
    assert indexes[after.id].passages == indexes[fresh.id].passages


async def test_another_heading_is_read_with_every_passage(
    network: Network, ada: Member, entry: Entry, model: NamedEmbedder
) -> None:
    await edited(network, ada, entry, EntryEdit(title="Of storks"))
    assert len(model.embedded) == len(SENTENCES)


# Once


async def test_an_edit_that_comes_too_late_embeds_each_text_once(
    network: Network, ada: Member, entry: Entry, model: NamedEmbedder
) -> None:
    async def other() -> None:
        await edited(network, ada, entry, EntryEdit(importance=9))

    network.calls.before("transaction", [other])
    after = await edited(network, ada, entry, EntryEdit(title="Of storks"))
    assert (after.title, after.importance) == ("Of storks", 9)
    assert len(model.embedded) == len(SENTENCES)


async def test_edits_at_once_embed_each_of_their_texts_once(
    network: Network, ada: Member, entry: Entry, model: NamedEmbedder
) -> None:
    titles = ["one", "two", "three", "four"]
    await asyncio.gather(*(edited(network, ada, entry, EntryEdit(title=title)) for title in titles))
    assert len(model.embedded) == len(titles) * len(SENTENCES)


async def test_a_sentence_said_again_and_again_is_embedded_once(
    network: Network, ada: Member, diary: Diary, model: NamedEmbedder
) -> None:
    await network.entry(ada, diary, " ".join([SENTENCES[0]] * 20))
    assert len(model.embedded) == 1


async def test_a_repeated_memory_is_looked_for_before_it_is_embedded(
    network: Network, ada: Member, entry: Entry, model: NamedEmbedder
) -> None:
    again = NewEntry(content=LONG, title="Of herons", tags=("bird",), if_duplicate=IfDuplicate.RETURN)
    kept = await network.services.entries.keep(ada.caller, entry.diary_id, again)
    assert (kept.repeated, kept.entry.id) == (True, entry.id)
    assert len(model.embedded) == 1


async def test_a_repeated_memory_whose_first_goes_meanwhile_is_stored_whole(
    network: Network, ada: Member, entry: Entry, model: NamedEmbedder
) -> None:
    async def remove() -> None:
        await network.services.entries.delete(ada.caller, entry.diary_id, entry.id)

    network.calls.before("Embedder.embed_passages", [remove])
    again = NewEntry(content=LONG, title="Of herons", tags=("bird",), if_duplicate=IfDuplicate.RETURN)
    kept = await network.services.entries.keep(ada.caller, entry.diary_id, again)
    assert not kept.repeated
    assert len(network.memory._committed.indexes.rows()[kept.entry.id].passages) == len(SENTENCES)
    assert len(model.embedded) == len(SENTENCES)


# For whom


async def test_the_model_learns_who_asks(network: Network, ada: Member, model: NamedEmbedder) -> None:
    public = await network.diary(ada, Visibility.PUBLIC)
    await network.entry(ada, public)
    nobody = Anonymous("2001:db8::1")
    await network.services.search.search(ada.caller, Search(query="heron"))
    await network.services.search.search(nobody, Search(query="heron", diary_id=public.id))
    await network.services.feed.search(FeedSearch(query="heron"), nobody)
    assert model.askers == [ada.caller.asker] * 2 + ["address:2001:db8::/64"] * 2


# Who pays


async def test_passages_are_counted_for_the_agent_that_has_them_embedded(
    network: Network, ada: Member, bob: Member
) -> None:
    diary, other = await network.diary(ada), await network.diary(bob)
    texts = LIMITS.passages // len(SENTENCES)
    for _ in range(texts):
        await network.entry(ada, diary, LONG)
    with pytest.raises(AllowanceUsedUp) as refused:
        await network.entry(ada, diary)
    assert refused.value.retry_after_s == WINDOW / SECOND
    await network.entry(bob, other)
    network.clock.advance(WINDOW)
    await network.entry(ada, diary)


async def test_a_note_counts_as_one_passage_and_a_refused_one_is_not_stored(
    network: Network, ada: Member, diary: Diary, model: NamedEmbedder
) -> None:
    for _ in range(LIMITS.passages):
        await network.entry(ada, diary)
    with pytest.raises(AllowanceUsedUp):
        await network.entry(ada, diary)
    assert len(network.memory._committed.entries.rows()) == len(model.embedded) == LIMITS.passages


async def test_what_is_not_embedded_costs_nothing(network: Network, ada: Member, entry: Entry) -> None:
    for _ in range(LIMITS.passages - len(SENTENCES)):
        await network.entry(ada, await network.diary(ada))
    await edited(network, ada, entry, EntryEdit(title="Of herons", importance=1))
    with pytest.raises(AllowanceUsedUp):
        await edited(network, ada, entry, EntryEdit(title="Of storks"))


# Beside the event loop


async def test_a_text_is_cut_and_read_in_another_thread_than_the_event_loop() -> None:
    threads: set[Thread] = set()

    class Watched(NamedEmbedder):
        def windows(self, text: str, heading: str = "") -> tuple[Span, ...]:
            threads.add(current_thread())
            return super().windows(text, heading)

    def place(parts: Parts) -> None:
        parts.workers.override(providers.Singleton(ThreadWorkers))

    async with a_network(embedder=Watched("model"), place=place) as network:
        ada = await network.member()
        new = NewEntry(content=LONG, title="Of herons")
        entry = await network.services.entries.create(ada.caller, (await network.diary(ada)).id, new)
        await edited(network, ada, entry, EntryEdit(content=LONG + " Then it flew away over the dam, to the north."))
    assert threads
    assert main_thread() not in threads
