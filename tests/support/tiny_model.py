"""A model directory of a few kilobytes whose vectors can be worked out by hand."""

import json
from pathlib import Path

import attrs
import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
LETTERS = "abcdefghijklmnopqrstuvwxyz:"
WORDS = ("lost", "key", "mem", "##ory", "note", "!", "[", "]", "😀")
VOCABULARY = (*SPECIAL, *LETTERS, *(f"##{letter}" for letter in LETTERS), *WORDS)


@attrs.frozen(kw_only=True)
class Tiny:
    """What a small model is made of; a token's vector is its row of `table` plus its place's row of `places`."""

    path: Path
    table: NDArray[np.float32]
    places: NDArray[np.float32]

    def token_vectors(self, ids: list[int]) -> NDArray[np.float32]:
        """The vectors of tokens in a row."""
        return self.table[ids] + self.places[: len(ids)]

    def ids(self, *tokens: str) -> list[int]:
        """The numbers of tokens, between the special ones."""
        return [VOCABULARY.index(token) for token in ("[CLS]", *tokens, "[SEP]")]


def write_tiny_model(
    path: Path,
    *,
    width: int = 384,
    places: int = 64,
    scale: float = 1,
    inputs: tuple[str, ...] = ("input_ids", "attention_mask"),
    **declared: object,
) -> Tiny:
    """Writes a model directory; the pooling decides whether the graph pools, other members go into the declaration."""
    members = {"name": "tiny", "max_tokens": 64, "pooling": "mean"} | declared
    path.mkdir()
    numbers = np.random.default_rng(7)
    tiny = Tiny(
        path=path,
        table=numbers.standard_normal((len(VOCABULARY), width), np.float32) * np.float32(scale),
        places=numbers.standard_normal((places, width), np.float32) * np.float32(scale),
    )
    onnx.save(_graph(tiny, inputs, pools=members["pooling"] == "none"), path / "model.onnx")
    _tokenizer().save(str(path / "tokenizer.json"))
    (path / "moltnet-model.json").write_text(json.dumps(members))
    return tiny


def write_tiny_expansion(path: Path, pieces: int = len(VOCABULARY), **declared: object) -> None:
    """Adds a second graph, in which every token calls up itself by 2 and the next number by .005."""
    members = {"name": "tiny-two", "max_tokens": 16, "words_weight": 0.6, "expansion_weight": 0.4} | declared
    table = np.zeros((len(VOCABULARY), pieces), np.float32)
    np.fill_diagonal(table, 2)
    np.fill_diagonal(table[:, 1:], 0.005)
    onnx.save(_expansion_graph(table), path / "expansion.onnx")
    (path / "moltnet-expansion.json").write_text(json.dumps(members))


def _expansion_graph(table: NDArray[np.float32]) -> onnx.ModelProto:
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["called_up"]),
        helper.make_node("ReduceMax", ["called_up", "number_1"], ["expansion"], keepdims=0),
    ]
    return helper.make_model(
        helper.make_graph(
            nodes,
            "tiny-two",
            [helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["batch", "length"])],
            [helper.make_tensor_value_info("expansion", TensorProto.FLOAT, ["batch", "pieces"])],
            [numpy_helper.from_array(table, "table"), numpy_helper.from_array(np.array([1]), "number_1")],
        ),
        opset_imports=[helper.make_opsetid("", 18)],
        ir_version=9,
    )


def _graph(tiny: Tiny, inputs: tuple[str, ...], *, pools: bool) -> onnx.ModelProto:
    constants = {
        "table": tiny.table,
        "places": tiny.places,
        **{f"number_{n}": np.array([n]) for n in range(3)},
    }
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["words"]),
        helper.make_node("Shape", ["input_ids"], ["shape"]),
        helper.make_node("Slice", ["shape", "number_1", "number_2"], ["length"]),
        helper.make_node("Slice", ["places", "number_0", "length", "number_0"], ["here"]),
        helper.make_node("Add", ["words", "here"], ["tokens"]),
        helper.make_node("ReduceMean", ["tokens", "number_1"], ["sentence"], keepdims=0),
    ]
    name, axes = ("sentence", ["batch"]) if pools else ("tokens", ["batch", "length"])
    return helper.make_model(
        helper.make_graph(
            nodes[: 6 if pools else 5],
            "tiny",
            [helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "length"]) for name in inputs],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, [*axes, "width"])],
            [numpy_helper.from_array(values, name) for name, values in constants.items()],
        ),
        opset_imports=[helper.make_opsetid("", 18)],
        ir_version=9,
    )


def _tokenizer() -> Tokenizer:
    """Lower case, words at spaces and punctuation, pieces of words; cut and padded as saved files often are."""
    vocabulary = {token: number for number, token in enumerate(VOCABULARY)}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.add_special_tokens(list(SPECIAL))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = [(token, vocabulary[token]) for token in ("[CLS]", "[SEP]")]
    tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=special)
    tokenizer.enable_truncation(8)
    tokenizer.enable_padding(length=8)
    return tokenizer
