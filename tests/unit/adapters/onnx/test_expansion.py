"""The second graph of a model directory: what it says of a text, and directories in which it cannot be used."""

import hashlib
import json

import numpy as np
import pytest

from moltnet.adapters.onnx.embedding import OnnxEmbedder
from moltnet.adapters.onnx.model_dir import ExpansionDeclaration, ModelDirectory, ModelMissing, ModelUnusable
from moltnet.domain.indexing import EmbedderUnavailable, Expansion
from tests.support.tiny_model import VOCABULARY, Tiny, write_tiny_expansion


@pytest.fixture
def expanding(tiny_model) -> Tiny:
    """A model directory with both graphs."""
    tiny: Tiny = tiny_model(words_weight=0.9)
    write_tiny_expansion(tiny.path)
    return tiny


async def test_a_text_calls_up_its_tokens_without_what_weighs_nothing(expanding):
    embedder = OnnxEmbedder.load(expanding.path)

    expansion = await embedder.expand_text("lost key")

    assert expansion == Expansion(dict.fromkeys(expanding.ids("lost", "key"), 2.0))
    assert await embedder.expand_query("lost key") == expansion
    await embedder.close()


async def test_no_more_is_read_than_the_declaration_says(expanding):
    embedder = OnnxEmbedder.load(expanding.path)

    assert await embedder.expand_text("lost " * 14 + "key") == await embedder.expand_text("lost " * 100_000)
    await embedder.close()


async def test_both_graphs_are_another_model_with_weights_of_its_own(expanding):
    both, first = OnnxEmbedder.load(expanding.path), OnnxEmbedder.load(expanding.path, expands=False)

    assert both.model.startswith("tiny+tiny-two@")
    assert first.model.startswith("tiny@")
    assert (both.words_weight, both.expansion_weight) == (0.6, 0.4)
    assert (first.words_weight, first.expansion_weight) == (0.9, 0.0)
    assert await both.embed_query("lost key") == await first.embed_query("lost key")
    assert (await first.expand_query("lost"), await first.expand_text("lost")) == (None, None)
    await both.close()
    await first.close()


def test_the_first_graph_alone_is_named_as_if_there_were_no_other(tiny_model):
    tiny = tiny_model()
    before = ModelDirectory.read(tiny.path).name
    write_tiny_expansion(tiny.path)

    assert ModelDirectory.read(tiny.path, expands=False).name == before != ModelDirectory.read(tiny.path).name


@pytest.mark.parametrize("change", [{"max_tokens": 17}, {"name": "other"}])
def test_the_name_changes_with_what_shapes_an_expansion(expanding, change):
    before = ModelDirectory.read(expanding.path).name
    write_tiny_expansion(expanding.path, **change)

    assert ModelDirectory.read(expanding.path).name != before


def test_the_name_does_not_change_with_weights_of_the_ranking(expanding):
    before = ModelDirectory.read(expanding.path).name
    write_tiny_expansion(expanding.path, words_weight=1.0, expansion_weight=2.0)

    assert ModelDirectory.read(expanding.path).name == before


def test_a_graph_that_gives_the_results_of_another_has_its_name(expanding):
    graph = expanding.path / "expansion.onnx"
    before, digest = ModelDirectory.read(expanding.path).name, hashlib.sha256(graph.read_bytes()).hexdigest()
    write_tiny_expansion(expanding.path, results_of=digest)
    graph.write_bytes(b"the same in another order")

    assert ModelDirectory.read(expanding.path).name == before
    write_tiny_expansion(expanding.path, results_of="0" * 64)
    assert ModelDirectory.read(expanding.path).name != before


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"expansion_weight": -1}, "expansion_weight must be a number of at least 0"),
        ({"max_tokens": 0}, "max_tokens must be at least 1"),
        ({"name": ""}, "name must be"),
        ({"results_of": "A" * 64}, "results_of must be 64 digits"),
        ({"results_of": 7}, "results_of must be text"),
        ({"dims": 5}, "unknown member 'dims'"),
    ],
)
def test_a_wrong_declaration_names_the_member_at_fault(expanding, change, sentence):
    write_tiny_expansion(expanding.path, **change)

    with pytest.raises(ModelUnusable, match=f"moltnet-expansion.json is not a model declaration: {sentence}"):
        ModelDirectory.read(expanding.path)


def test_a_declaration_goes_through_its_json_form():
    declared = ExpansionDeclaration(name="two", max_tokens=8, words_weight=0.5, expansion_weight=0.25)

    assert ExpansionDeclaration.parse(declared.json()) == declared
    with pytest.raises(ValueError, match="expansion_weight is missing"):
        ExpansionDeclaration.parse(json.dumps({"name": "two", "max_tokens": 8, "words_weight": 1}))


def test_a_declaration_without_its_graph_is_named(expanding):
    (expanding.path / "expansion.onnx").unlink()

    with pytest.raises(ModelMissing, match=r"has no expansion\.onnx"):
        ModelDirectory.read(expanding.path)


def test_a_graph_that_cannot_be_run_is_refused_when_it_is_loaded(expanding):
    (expanding.path / "expansion.onnx").write_bytes(b"none")

    with pytest.raises(ModelUnusable, match=r"expansion\.onnx is not a graph that can be run"):
        OnnxEmbedder.load(expanding.path)


def test_a_graph_of_another_vocabulary_is_refused_when_it_is_loaded(expanding):
    write_tiny_expansion(expanding.path, pieces=7)

    with pytest.raises(ModelUnusable, match=rf"\(7,\) weights, not one for each of {len(VOCABULARY)}"):
        OnnxEmbedder.load(expanding.path)


async def test_weights_that_are_no_numbers_are_a_failure_of_the_model(expanding, monkeypatch):
    embedder = OnnxEmbedder.load(expanding.path)
    monkeypatch.setattr(embedder._expanding, "_weights", lambda _: np.array([np.nan]))

    with pytest.raises(EmbedderUnavailable, match="no finite expansion"):
        await embedder.expand_query("lost")
    await embedder.close()


async def test_a_graph_that_fails_on_a_text_is_a_failure_of_the_model(expanding, monkeypatch):
    embedder = OnnxEmbedder.load(expanding.path)
    monkeypatch.setattr(embedder._tokenizer, "ids", lambda *_: [len(VOCABULARY)])

    with pytest.raises(EmbedderUnavailable, match="The embedding model failed"):
        await embedder.expand_text("lost")
    await embedder.close()
