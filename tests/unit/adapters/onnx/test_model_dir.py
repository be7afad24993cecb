"""What a model directory must hold, and the name it gives its vectors."""

import json

import attrs
import pytest

from moltnet.adapters.onnx.model_dir import Declaration, ModelDirectory, ModelMissing, ModelUnusable, Pooling

E5 = Declaration(
    name="e5-small-v2",
    max_tokens=512,
    pooling=Pooling.MEAN,
    query_prefix="query: ",
    passage_prefix="passage: ",
    words_weight=0.3,
)


def test_declaration_round_trips_through_its_json_form():
    assert Declaration.parse(E5.json()) == E5


def test_declaration_needs_only_what_cannot_be_guessed():
    declared = Declaration.parse('{"name": "own", "max_tokens": 128, "pooling": "cls"}')

    assert declared == Declaration(
        name="own",
        max_tokens=128,
        pooling=Pooling.CLS,
        normalize=True,
        query_prefix="",
        passage_prefix="",
        words_weight=1.0,
        dims=384,
    )


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"dims": 768}, "dims must be 384, not 768"),
        ({"pooling": "max"}, "pooling must be mean, cls or none, not 'max'"),
        ({"pooling": ["mean"]}, "pooling must be mean, cls or none"),
        ({"max_tokens": "256"}, "max_tokens must be a whole number"),
        ({"max_tokens": True}, "max_tokens must be a whole number"),
        ({"max_tokens": 0}, "max_tokens must be at least 1"),
        ({"normalize": 1}, "normalize must be true or false"),
        ({"query_prefix": None}, "query_prefix must be text"),
        ({"name": "no spaces"}, "name must be"),
        ({"words_weight": -1}, "words_weight must be a number"),
        ({"words_weight": True}, "words_weight must be a number"),
        ({"words_weight": float("nan")}, "words_weight must be a number"),
        ({"poolling": "mean"}, "unknown member 'poolling'"),
    ],
)
def test_declaration_names_the_member_at_fault(change, sentence):
    with pytest.raises(ValueError, match=sentence):
        Declaration.parse(json.dumps(json.loads(E5.json()) | change))


def test_declaration_names_the_member_that_is_missing():
    with pytest.raises(ValueError, match="max_tokens is missing"):
        Declaration.parse('{"name": "own", "pooling": "cls"}')


@pytest.mark.parametrize("file", ["model.onnx", "tokenizer.json", "moltnet-model.json"])
def test_directory_without_a_file_says_which(tiny_model, file):
    path = tiny_model().path
    (path / file).unlink()

    with pytest.raises(ModelMissing, match=f"{path} has no {file}"):
        ModelDirectory.read(path)


@pytest.mark.parametrize("content", [b"{", b"[]", b"\xff", b'{"name": "own"}', b""])
def test_wrong_declaration_is_named_by_its_path(tiny_model, content):
    path = tiny_model().path
    (path / "moltnet-model.json").write_bytes(content)

    with pytest.raises(ModelUnusable, match=f"{path}/moltnet-model.json is not a model declaration"):
        ModelDirectory.read(path)


def test_name_stays_the_same_while_the_files_do(tiny_model):
    path = tiny_model().path

    assert ModelDirectory.read(path).name == ModelDirectory.read(path).name
    assert ModelDirectory.read(path).name.startswith("tiny@")


@pytest.mark.parametrize("file", ["model.onnx", "model.onnx_data", "tokenizer.json"])
def test_name_changes_with_any_file_that_shapes_a_vector(tiny_model, file):
    path = tiny_model().path
    before = ModelDirectory.read(path).name
    with (path / file).open("ab") as content:
        content.write(b"\n")

    assert ModelDirectory.read(path).name != before


@pytest.mark.parametrize(
    "step",
    [{"max_tokens": 48}, {"pooling": "cls"}, {"normalize": False}, {"query_prefix": "q"}, {"passage_prefix": "p"}],
)
def test_name_changes_with_every_step(step):
    assert attrs.evolve(E5, **step).steps() != E5.steps()


def test_name_does_not_change_with_the_weight_of_words():
    assert attrs.evolve(E5, words_weight=1.0).steps() == E5.steps()
