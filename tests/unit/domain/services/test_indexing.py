"""What an entry is found by: passages of a long text, and words alone when there is no model."""

import logging

import pytest

from moltnet.adapters.memory.embedding import MemoryEmbedder
from moltnet.adapters.memory.system import MemoryWorkers
from moltnet.adapters.text_analysis import SnowballAnalyzer
from moltnet.domain.indexing import EmbedderUnavailable, EntryIndex, Span, Term
from moltnet.domain.services.indexing import Indexing, Vectors
from moltnet.domain.services.models import Models
from tests.support.builders import NOON, an_entry
from tests.support.interruptions import Calls, failing, interrupted

LONG = " ".join(f"word{number}" for number in range(200))
LEXEMES = SnowballAnalyzer()
WORKERS = MemoryWorkers()
EMBEDDER = MemoryEmbedder()


async def test_a_short_text_is_one_passage() -> None:
    index = await Indexing(models=Models(EMBEDDER), index_terms=LEXEMES, workers=WORKERS).index(
        an_entry(content="The heron waits"), Vectors()
    )
    (passage,) = index.passages
    assert (index.model, passage.ordinal, passage.start, passage.end) == (EMBEDDER.model, 0, 0, 15)
    assert passage.vector == await EMBEDDER.embed_query("The heron waits")
    assert index.index_terms == {Term("heron"): [2], Term("wait"): [3]}


async def test_a_long_text_is_many_passages_each_with_its_own_vector() -> None:
    index = await Indexing(models=Models(EMBEDDER), index_terms=LEXEMES, workers=WORKERS).index(
        an_entry(content=LONG), Vectors()
    )
    spans = [Span(passage.start, passage.end) for passage in index.passages]
    assert tuple(spans) == EMBEDDER.windows(LONG)
    assert len(spans) > 2
    assert [passage.ordinal for passage in index.passages] == list(range(len(spans)))
    vectors = await EMBEDDER.embed_passages([span.of(LONG) for span in spans])
    assert [passage.vector for passage in index.passages] == vectors


async def test_a_text_without_a_word_has_no_passage() -> None:
    assert await Indexing(models=Models(EMBEDDER), index_terms=LEXEMES, workers=WORKERS).index(
        an_entry(content="..."), Vectors()
    ) == EntryIndex(model=EMBEDDER.model, analysis=LEXEMES.version)


async def test_without_a_model_words_stand_alone() -> None:
    index = await Indexing(models=Models(None), index_terms=LEXEMES, workers=WORKERS).index(
        an_entry(content="The heron waits"), Vectors()
    )
    assert (index.model, index.passages) == (None, ())
    assert index.index_terms == {Term("heron"): [2], Term("wait"): [3]}


async def test_a_failing_model_leaves_the_words_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    calls = Calls()
    calls.before("Embedder.embed_passages", [failing(EmbedderUnavailable())])
    indexing = Indexing(models=Models(interrupted("Embedder", EMBEDDER, calls)), index_terms=LEXEMES, workers=WORKERS)
    with caplog.at_level(logging.WARNING):
        index = await indexing.index(an_entry(content="The heron waits"), Vectors())
    assert (index.model, index.passages) == (None, ())
    assert Term("heron") in index.index_terms
    assert "without vectors" in caplog.text
    assert "heron" not in caplog.text  # what an agent remembers is not for the log
    assert (await indexing.index(an_entry(content="The heron waits"), Vectors())).passages


async def test_a_mistake_of_the_model_is_not_hidden() -> None:
    calls = Calls()
    calls.before("Embedder.embed_passages", [failing(RuntimeError("broken"))])
    with pytest.raises(RuntimeError, match="broken"):
        await Indexing(
            models=Models(interrupted("Embedder", EMBEDDER, calls)), index_terms=LEXEMES, workers=WORKERS
        ).index(an_entry(content="text"), Vectors())


async def test_the_heading_stands_over_every_passage() -> None:
    entry = an_entry(title="Of herons", content=LONG, occurred_at=NOON)
    indexing = Indexing(models=Models(EMBEDDER), index_terms=LEXEMES, workers=WORKERS)
    index = await indexing.index(entry, Vectors())
    heading = "Of herons\n30 January 2026"
    assert entry.text.startswith(heading)
    spans = EMBEDDER.windows(entry.text, heading)
    texts = [spans[0].of(entry.text), *(f"{heading}\n{span.of(entry.text)}" for span in spans[1:])]
    assert [passage.vector for passage in index.passages] == await EMBEDDER.embed_passages(texts)
    assert all(len(EMBEDDER.windows(text)) == 1 for text in texts)


async def test_a_heading_too_long_for_the_window_costs_no_word_of_the_passage() -> None:
    entry = an_entry(title=" ".join(["heading"] * 31), content=LONG)
    long = an_entry(title="h " * 127, content=LONG)
    for each in (entry, long):
        index = await Indexing(models=Models(EMBEDDER), index_terms=LEXEMES, workers=WORKERS).index(each, Vectors())
        last = EMBEDDER.windows(each.text, each.heading)[-1].of(each.text)
        expected = f"{each.heading}\n{last}" if each is entry else last
        assert [index.passages[-1].vector] == await EMBEDDER.embed_passages([expected])
