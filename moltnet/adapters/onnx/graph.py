"""all-MiniLM-L6-v2 as an ONNX graph, written from its weights and quantised to 8 bits.

The layers are BERT's (Devlin et al. 2018, section 3): 6 of width 384 with 12 heads. A text's vector is the mean over
its tokens at unit length. The same weights and the same versions of the libraries give the same bytes.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from safetensors.numpy import load_file

_OPSET = 20  # the first with Gelu
_IR = 9
_WIDTH = 384
_HEADS = 12
_LAYERS = 6
_EPSILON = 1e-12
_MASKED = -1e9
# Says "nothing left to prepare": shapes are known and there is nothing to fold, so the quantiser need not warn.
_PREPARED = {"onnx.quant.pre_process": "onnxruntime.quant"}

Attribute = int | float | list[int]
Weights = Mapping[str, NDArray[np.float32]]


def write_quantised(weights: Path, target: Path) -> None:
    """Reads `weights` (safetensors) and writes the 8-bit graph (about 23 MB) to `target`; takes 3 s and 0.7 GB."""
    quantize_dynamic(float_graph(load_file(weights)), target, per_channel=True, weight_type=QuantType.QInt8)


def float_graph(weights: Weights) -> onnx.ModelProto:
    """The graph in float32: `input_ids` and `attention_mask` (int64, batch by tokens) to `sentence_embedding`."""
    graph = _Graph()
    mask = graph.node("Cast", "attention_mask", to=TensorProto.FLOAT)
    hidden = _embeddings(graph, weights)
    penalty = _attention_penalty(graph, mask)
    for layer in range(_LAYERS):
        hidden = _layer(graph, _under(weights, f"encoder.layer.{layer}."), hidden, penalty)
    _sentence(graph, hidden, mask)
    return graph.model()


class _Graph:
    """Nodes and constants in the order they were asked for; names count up, so that equal calls give equal bytes."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []

    def node(self, operator: str, *inputs: str, **attributes: Attribute) -> str:
        """Adds an operator of one output and returns that output's name."""
        output = f"{operator.lower()}_{len(self._nodes)}"
        self.name(output, operator, *inputs, **attributes)
        return output

    def name(self, output: str, operator: str, *inputs: str, **attributes: Attribute) -> None:
        """Adds an operator whose output has a given name."""
        self._nodes.append(_node(operator, inputs, [output], **attributes))

    def split(self, source: str, parts: int) -> list[str]:
        """Cuts the last axis into equal parts."""
        outputs = [f"split_{len(self._nodes)}_{part}" for part in range(parts)]
        self._nodes.append(_node("Split", [source], outputs, axis=-1, num_outputs=parts))
        return outputs

    def constant(self, values: NDArray[np.float32] | NDArray[np.int64]) -> str:
        """Adds a constant and returns its name."""
        name = f"constant_{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def integers(self, *values: int) -> str:
        """A constant row of integers: axes, shapes, bounds."""
        return self.constant(np.array(values, dtype=np.int64))

    def number(self, value: float) -> str:
        """A constant scalar."""
        return self.constant(np.array(value, dtype=np.float32))

    def model(self) -> onnx.ModelProto:
        """The finished graph, checked against the operators' definitions."""
        tokens = [
            helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "tokens"])
            for name in ("input_ids", "attention_mask")
        ]
        vectors = [helper.make_tensor_value_info("sentence_embedding", TensorProto.FLOAT, ["batch", _WIDTH])]
        graph = helper.make_graph(self._nodes, "all-MiniLM-L6-v2", tokens, vectors, self._constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR)
        helper.set_model_props(model, _PREPARED)
        onnx.checker.check_model(model)
        return model


def _node(operator: str, inputs: Sequence[str], outputs: Sequence[str], **attributes: Attribute) -> onnx.NodeProto:
    node = helper.make_node(operator, inputs, outputs, name=f"{outputs[0]}_node")
    node.attribute.extend(helper.make_attribute(name, attributes[name]) for name in sorted(attributes))
    return node


def _under(weights: Weights, prefix: str) -> Weights:
    return {name.removeprefix(prefix): values for name, values in weights.items() if name.startswith(prefix)}


def _embeddings(graph: _Graph, weights: Weights) -> str:
    """Word + position + the one kind of token a lone text has, then normalised."""
    table = _under(weights, "embeddings.")
    words = graph.node("Gather", graph.constant(table["word_embeddings.weight"]), "input_ids")
    positions = table["position_embeddings.weight"] + table["token_type_embeddings.weight"][0]
    length = graph.node("Slice", graph.node("Shape", "input_ids"), graph.integers(1), graph.integers(2))
    here = graph.node("Slice", graph.constant(positions), graph.integers(0), length, graph.integers(0))
    return _normalised(graph, _under(table, "LayerNorm."), graph.node("Add", words, here))


def _attention_penalty(graph: _Graph, mask: str) -> str:
    """0 at a token, a large negative number at padding, shaped to be added to every head's scores."""
    padding = graph.node("Sub", graph.number(1.0), mask)
    penalty = graph.node("Mul", padding, graph.number(_MASKED))
    return graph.node("Unsqueeze", penalty, graph.integers(1, 2))


def _layer(graph: _Graph, weights: Weights, hidden: str, penalty: str) -> str:
    attended = _linear(graph, _under(weights, "attention.output.dense."), _attention(graph, weights, hidden, penalty))
    hidden = _normalised(graph, _under(weights, "attention.output.LayerNorm."), graph.node("Add", attended, hidden))
    wide = _linear(graph, _under(weights, "intermediate.dense."), hidden)
    narrow = _linear(graph, _under(weights, "output.dense."), graph.node("Gelu", wide))
    return _normalised(graph, _under(weights, "output.LayerNorm."), graph.node("Add", narrow, hidden))


def _attention(graph: _Graph, weights: Weights, hidden: str, penalty: str) -> str:
    """Every token looks at every other, in 12 heads of 32 numbers; one product computes queries, keys and values."""
    sides = [_under(weights, f"attention.self.{side}.") for side in ("query", "key", "value")]
    joined = {part: np.concatenate([side[part] for side in sides]) for part in ("weight", "bias")}
    query, key, value = graph.split(_linear(graph, joined, hidden), 3)
    query, value = (_heads(graph, side, [0, 2, 1, 3]) for side in (query, value))
    key = _heads(graph, key, [0, 2, 3, 1])
    scale = graph.number((_WIDTH // _HEADS) ** -0.5)
    scores = graph.node("Add", graph.node("Mul", graph.node("MatMul", query, key), scale), penalty)
    mixed = graph.node("MatMul", graph.node("Softmax", scores, axis=-1), value)
    tokens_first = graph.node("Transpose", mixed, perm=[0, 2, 1, 3])
    return graph.node("Reshape", tokens_first, graph.integers(0, 0, _WIDTH))


def _heads(graph: _Graph, side: str, order: list[int]) -> str:
    cut = graph.node("Reshape", side, graph.integers(0, 0, _HEADS, _WIDTH // _HEADS))
    return graph.node("Transpose", cut, perm=order)


def _linear(graph: _Graph, weights: Weights, source: str) -> str:
    product = graph.node("MatMul", source, graph.constant(weights["weight"].T))
    return graph.node("Add", product, graph.constant(weights["bias"]))


def _normalised(graph: _Graph, weights: Weights, source: str) -> str:
    scale, shift = graph.constant(weights["weight"]), graph.constant(weights["bias"])
    return graph.node("LayerNormalization", source, scale, shift, axis=-1, epsilon=_EPSILON)


def _sentence(graph: _Graph, hidden: str, mask: str) -> None:
    """The mean over the tokens that are not padding, at unit length. The mask has a token in every row ([CLS])."""
    weight = graph.node("Unsqueeze", mask, graph.integers(2))
    total = graph.node("ReduceSum", graph.node("Mul", hidden, weight), graph.integers(1), keepdims=0)
    count = graph.node("ReduceSum", weight, graph.integers(1), keepdims=0)
    graph.name("sentence_embedding", "LpNormalization", graph.node("Div", total, count), axis=-1, p=2)
