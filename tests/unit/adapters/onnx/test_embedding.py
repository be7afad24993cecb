"""The parts together: prefixes, windows, and what loading refuses."""

from itertools import pairwise

import pytest

from moltnet.adapters.onnx.embedding import OVERLAP, OnnxEmbedder, TextTokenizer
from moltnet.adapters.onnx.model_dir import ModelMissing, ModelUnusable
from moltnet.domain.indexing import EmbedderUnavailable


async def test_prefixes_are_put_before_queries_and_passages(tiny_model):
    bare = OnnxEmbedder.load(tiny_model().path)
    prefixed = OnnxEmbedder.load(tiny_model(query_prefix="lost ", passage_prefix="key ").path)

    assert await prefixed.embed_query("note") == await bare.embed_query("lost note")
    assert await prefixed.embed_passages(["note"]) == await bare.embed_passages(["key note"])
    await bare.close()
    await prefixed.close()


async def test_declaration_gives_the_name_and_the_weight_of_words(tiny_model):
    embedder = OnnxEmbedder.load(tiny_model(words_weight=0.3).path)

    assert embedder.words_weight == 0.3
    assert embedder.model.startswith("tiny@")


@pytest.mark.parametrize(("prefix", "taken"), [("", 2), ("key ", 3), ("memory: ", 5)])
def test_windows_leave_room_for_special_tokens_and_prefix(tiny_model, prefix, taken):
    tiny = tiny_model(passage_prefix=prefix)
    text = "lost " * 200
    tokenizer = TextTokenizer(tiny.path / "tokenizer.json")

    windows = OnnxEmbedder.load(tiny.path).windows(text)

    assert tokenizer.count(windows[0].of(text)) == 64 - taken
    assert all(len(tokenizer.ids(prefix + window.of(text), 1000)) <= 64 for window in windows)
    assert windows[1].start == 5 * (64 - taken - OVERLAP)


def test_window_does_not_begin_inside_a_word(tiny_model):
    tiny = tiny_model()
    text = "lost " + "memory " * 100  # odd, even: the second window would begin at "ory"
    embedder = OnnxEmbedder.load(tiny.path)

    windows = embedder.windows(text)

    assert len(windows) > 2
    assert {window.of(text)[:3] for window in windows[1:]} == {"mem"}
    assert all(later.start < earlier.end for earlier, later in pairwise(windows))


def test_window_inside_a_word_longer_than_the_overlap_leaves_nothing_out(tiny_model):
    text = "key " + "z" * 99 + " key"

    windows = OnnxEmbedder.load(tiny_model().path).windows(text)

    assert windows[0].start == 0
    assert windows[-1].end == len(text)
    assert all(later.start <= earlier.end for earlier, later in pairwise(windows))


async def test_passage_over_the_window_is_cut_at_its_end(tiny_model):
    embedder = OnnxEmbedder.load(tiny_model().path)

    within, over = await embedder.embed_passages(["key " * 62, "key " * 62 + "lost"])

    assert within == over
    await embedder.close()


def test_prefix_that_leaves_no_room_is_refused(tiny_model):
    with pytest.raises(ModelUnusable, match="max_tokens must be over 28"):
        OnnxEmbedder.load(tiny_model(max_tokens=28, passage_prefix="memory").path)


def test_graph_with_fewer_positions_than_declared_is_refused(tiny_model):
    with pytest.raises(ModelUnusable, match="cannot read 64 tokens"):
        OnnxEmbedder.load(tiny_model(places=63).path)


def test_graph_of_another_dimension_is_refused(tiny_model):
    with pytest.raises(ModelUnusable, match="gives 768 numbers for a text, not 384"):
        OnnxEmbedder.load(tiny_model(width=768).path)


def test_absent_directory_is_named(tmp_path):
    with pytest.raises(ModelMissing, match=r"nowhere has no model\.onnx"):
        OnnxEmbedder.load(tmp_path / "nowhere")


async def test_closed_embedder_is_unavailable(tiny_model):
    embedder = OnnxEmbedder.load(tiny_model().path)
    await embedder.close()

    with pytest.raises(EmbedderUnavailable, match="closed"):
        await embedder.embed_query("key")


@pytest.mark.parametrize("text", ["\u0e20\u0e39\u0e40\u0e02\u0e32", "\u0e20\u0e39, \u0e40\u0e02!", "\U0001f389"])
def test_nothing_is_left_of_text_that_the_model_does_not_know(tiny_model, text):
    embedder = OnnxEmbedder.load(tiny_model().path)

    assert embedder.legible(text) == " " * len(text)
    assert embedder.windows(embedder.legible(text)) == ()
    assert embedder.legible(f"{text} key").endswith(" key")


@pytest.mark.parametrize("text", ["", "...", "lost key", "note" * 5])
def test_text_that_the_model_knows_stays(tiny_model, text):
    assert OnnxEmbedder.load(tiny_model().path).legible(text) == text
