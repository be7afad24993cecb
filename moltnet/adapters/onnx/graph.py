"""ONNX graphs put together node by node, so that equal calls give equal bytes."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic

_OPSET = 20  # the first with Gelu
_IR = 9
# Says "nothing left to prepare": shapes are known and there is nothing to fold, so the quantiser need not warn.
_PREPARED = {"onnx.quant.pre_process": "onnxruntime.quant"}

Attribute = int | float | list[int]


def write_quantised(model: onnx.ModelProto, target: Path) -> None:
    """Writes a graph with its weights in 8 bits to `target`."""
    quantize_dynamic(model, target, per_channel=True, weight_type=QuantType.QInt8)


class Graph:
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

    def model(self, name: str, output: str, width: int) -> onnx.ModelProto:
        """The finished graph, checked against the operators' definitions: `width` numbers for each text."""
        tokens = [
            helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "tokens"])
            for name in ("input_ids", "attention_mask")
        ]
        outputs = [helper.make_tensor_value_info(output, TensorProto.FLOAT, ["batch", width])]
        graph = helper.make_graph(self._nodes, name, tokens, outputs, self._constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR)
        helper.set_model_props(model, _PREPARED)
        onnx.checker.check_model(model)
        return model


def _node(operator: str, inputs: Sequence[str], outputs: Sequence[str], **attributes: Attribute) -> onnx.NodeProto:
    node = helper.make_node(operator, inputs, outputs, name=f"{outputs[0]}_node")
    node.attribute.extend(helper.make_attribute(name, attributes[name]) for name in sorted(attributes))
    return node
