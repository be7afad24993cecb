"""The two packaged models as ONNX graphs, written from their weights: what a sentence means, and the words it calls up.

Their layers are BERT's (Devlin et al. 2018, section 3). The same weights and the same versions of the libraries give
the same bytes.
"""

from collections.abc import Mapping
from pathlib import Path

import attrs
import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto
from safetensors.numpy import load_file

from moltnet.adapters.onnx.graph import Graph, write_quantised

_EPSILON = 1e-12
_MASKED = -1e9

Weights = Mapping[str, NDArray[np.float32]]


@attrs.frozen(kw_only=True)
class _Shape:
    """How many numbers a token is, how many heads look at it, and how often."""

    width: int
    heads: int
    layers: int


# Two sizes of the masked-language head's work: the products of all tokens with so many pieces at once stay in a core's
# cache, where their maximum is taken over so many tokens at a time (ADR-68).
_PIECES, _TOKENS = 1_536, 16

_MINILM = _Shape(width=384, heads=12, layers=6)
_TINY = _Shape(width=128, heads=2, layers=2)


def write_sentence_model(weights: Path, target: Path) -> None:
    """Reads `weights` (safetensors) and writes the 8-bit graph (about 23 MB) to `target`; takes 3 s and 0.7 GB."""
    write_quantised(sentence_graph(load_file(weights)), target)


def write_expansion_model(weights: Path, target: Path) -> None:
    """The same of the model that expands a text (about 9 MB)."""
    write_quantised(expansion_graph(load_file(weights)), target)


def sentence_graph(weights: Weights) -> onnx.ModelProto:
    """all-MiniLM-L6-v2 in float32: `input_ids` and `attention_mask` (int64, batch by tokens) to `sentence_embedding`.

    That is the mean over a text's tokens at unit length.
    """
    graph = Graph()
    mask = graph.node("Cast", "attention_mask", to=TensorProto.FLOAT)
    _sentence(graph, _encoded(graph, weights, _MINILM, mask), mask)
    return graph.model("all-MiniLM-L6-v2", "sentence_embedding", _MINILM.width)


def expansion_graph(weights: Weights) -> onnx.ModelProto:
    """splade-tiny in float32, from the same inputs: to `expansion`, a weight of at least 0 for each piece of words.

    That is log(1 + what the masked-language head gives), the largest over a text's tokens (Formal, Piwowarski and
    Clinchant 2021, section 3).
    """
    graph = Graph()
    mask = graph.node("Cast", "attention_mask", to=TensorProto.FLOAT)
    weights = {_written(name): values for name, values in weights.items()}
    hidden = _encoded(graph, _under(weights, "bert."), _TINY, mask)
    head = _under(weights, "cls.predictions.")
    hidden = graph.node("Gelu", _linear(graph, _under(head, "transform.dense."), hidden))
    hidden = _normalised(graph, _under(head, "transform.LayerNorm."), hidden)
    # One product for each piece and token is nearly all the work: what comes after it comes after the maximum.
    pieces = weights["bert.embeddings.word_embeddings.weight"]
    tokens = _without_padding(graph, hidden, mask)
    parts = [_largest(graph, tokens, pieces[start : start + _PIECES]) for start in range(0, len(pieces), _PIECES)]
    largest = graph.node("Concat", *parts, axis=1)
    called_up = graph.node("Relu", graph.node("Add", largest, graph.constant(head["bias"])))
    graph.name("expansion", "Log", graph.node("Add", called_up, graph.number(1.0)))
    return graph.model("splade-tiny", "expansion", len(pieces))


def _largest(graph: Graph, tokens: str, pieces: NDArray[np.float32]) -> str:
    """The largest product of each piece with a text's tokens."""
    products = graph.node("Unsqueeze", graph.node("MatMul", tokens, graph.constant(pieces.T)), graph.integers(1))
    # The maximum along an axis that is not the last takes as long as the products; pooling takes a tenth of that.
    shape = [_TOKENS, 1]
    pooled = graph.node("MaxPool", products, kernel_shape=shape, strides=shape, ceil_mode=1)
    return graph.node("ReduceMax", pooled, graph.integers(1, 2), keepdims=0)


def _without_padding(graph: Graph, hidden: str, mask: str) -> str:
    """A text's first token in the place of padding: no maximum is changed by it."""
    is_token = graph.node("Unsqueeze", mask, graph.integers(2))
    first = graph.node("Slice", hidden, graph.integers(0), graph.integers(1), graph.integers(1))
    own = graph.node("Mul", hidden, is_token)
    return graph.node("Add", own, graph.node("Mul", first, graph.node("Sub", graph.number(1.0), is_token)))


def _written(name: str) -> str:
    """The name of a weight as it is written today: older files call those of a normalisation otherwise."""
    return name.replace("LayerNorm.gamma", "LayerNorm.weight").replace("LayerNorm.beta", "LayerNorm.bias")


def _encoded(graph: Graph, weights: Weights, shape: _Shape, mask: str) -> str:
    hidden = _embeddings(graph, weights)
    penalty = _attention_penalty(graph, mask)
    for layer in range(shape.layers):
        hidden = _layer(graph, _under(weights, f"encoder.layer.{layer}."), shape, hidden, penalty)
    return hidden


def _under(weights: Weights, prefix: str) -> Weights:
    return {name.removeprefix(prefix): values for name, values in weights.items() if name.startswith(prefix)}


def _embeddings(graph: Graph, weights: Weights) -> str:
    """Word + position + the one kind of token a lone text has, then normalised."""
    table = _under(weights, "embeddings.")
    words = graph.node("Gather", graph.constant(table["word_embeddings.weight"]), "input_ids")
    positions = table["position_embeddings.weight"] + table["token_type_embeddings.weight"][0]
    length = graph.node("Slice", graph.node("Shape", "input_ids"), graph.integers(1), graph.integers(2))
    here = graph.node("Slice", graph.constant(positions), graph.integers(0), length, graph.integers(0))
    return _normalised(graph, _under(table, "LayerNorm."), graph.node("Add", words, here))


def _attention_penalty(graph: Graph, mask: str) -> str:
    """0 at a token, a large negative number at padding, shaped to be added to every head's scores."""
    padding = graph.node("Sub", graph.number(1.0), mask)
    penalty = graph.node("Mul", padding, graph.number(_MASKED))
    return graph.node("Unsqueeze", penalty, graph.integers(1, 2))


def _layer(graph: Graph, weights: Weights, shape: _Shape, hidden: str, penalty: str) -> str:
    attended = _linear(
        graph, _under(weights, "attention.output.dense."), _attention(graph, weights, shape, hidden, penalty)
    )
    hidden = _normalised(graph, _under(weights, "attention.output.LayerNorm."), graph.node("Add", attended, hidden))
    wide = _linear(graph, _under(weights, "intermediate.dense."), hidden)
    narrow = _linear(graph, _under(weights, "output.dense."), graph.node("Gelu", wide))
    return _normalised(graph, _under(weights, "output.LayerNorm."), graph.node("Add", narrow, hidden))


def _attention(graph: Graph, weights: Weights, shape: _Shape, hidden: str, penalty: str) -> str:
    """Every token looks at every other, in several heads; one product computes queries, keys and values."""
    sides = [_under(weights, f"attention.self.{side}.") for side in ("query", "key", "value")]
    joined = {part: np.concatenate([side[part] for side in sides]) for part in ("weight", "bias")}
    query, key, value = graph.split(_linear(graph, joined, hidden), 3)
    query, value = (_heads(graph, shape, side, [0, 2, 1, 3]) for side in (query, value))
    key = _heads(graph, shape, key, [0, 2, 3, 1])
    scale = graph.number((shape.width // shape.heads) ** -0.5)
    scores = graph.node("Add", graph.node("Mul", graph.node("MatMul", query, key), scale), penalty)
    mixed = graph.node("MatMul", graph.node("Softmax", scores, axis=-1), value)
    tokens_first = graph.node("Transpose", mixed, perm=[0, 2, 1, 3])
    return graph.node("Reshape", tokens_first, graph.integers(0, 0, shape.width))


def _heads(graph: Graph, shape: _Shape, side: str, order: list[int]) -> str:
    cut = graph.node("Reshape", side, graph.integers(0, 0, shape.heads, shape.width // shape.heads))
    return graph.node("Transpose", cut, perm=order)


def _linear(graph: Graph, weights: Weights, source: str) -> str:
    product = graph.node("MatMul", source, graph.constant(weights["weight"].T))
    return graph.node("Add", product, graph.constant(weights["bias"]))


def _normalised(graph: Graph, weights: Weights, source: str) -> str:
    scale, shift = graph.constant(weights["weight"]), graph.constant(weights["bias"])
    return graph.node("LayerNormalization", source, scale, shift, axis=-1, epsilon=_EPSILON)


def _sentence(graph: Graph, hidden: str, mask: str) -> None:
    """The mean over the tokens that are not padding, at unit length. The mask has a token in every row ([CLS])."""
    weight = graph.node("Unsqueeze", mask, graph.integers(2))
    total = graph.node("ReduceSum", graph.node("Mul", hidden, weight), graph.integers(1), keepdims=0)
    count = graph.node("ReduceSum", weight, graph.integers(1), keepdims=0)
    graph.name("sentence_embedding", "LpNormalization", graph.node("Div", total, count), axis=-1, p=2)
