"""The graph that expands texts, written from made-up weights, against the same steps in another library."""

from collections.abc import Mapping
from math import erf

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray

from moltnet.adapters.onnx.graph import write_quantised

bert = pytest.importorskip("moltnet.adapters.onnx.bert", reason="building needs onnx and safetensors")

Array = NDArray[np.float32]
WIDTH, WIDE, HEADS, LAYERS, PIECES, PLACES = 128, 512, 2, 2, 40, 16
IDS = [1, 7, 39, 7, 2]


def weights() -> Mapping[str, Array]:
    """Small weights under the names that a file has; in the older spelling, as the packaged one's."""
    numbers = np.random.default_rng(11)

    def some(*shape: int) -> Array:
        return numbers.normal(0, 0.2, shape).astype(np.float32)

    made = {
        "bert.embeddings.word_embeddings.weight": some(PIECES, WIDTH),
        "bert.embeddings.position_embeddings.weight": some(PLACES, WIDTH),
        "bert.embeddings.token_type_embeddings.weight": some(2, WIDTH),
        "cls.predictions.bias": some(PIECES),
    }
    linear = {"cls.predictions.transform.dense": (WIDTH, WIDTH)}
    norms = ["bert.embeddings.LayerNorm", "cls.predictions.transform.LayerNorm"]
    for layer in range(LAYERS):
        base = f"bert.encoder.layer.{layer}"
        linear |= {f"{base}.attention.self.{side}": (WIDTH, WIDTH) for side in ("query", "key", "value")}
        linear |= {f"{base}.attention.output.dense": (WIDTH, WIDTH), f"{base}.intermediate.dense": (WIDE, WIDTH)}
        linear |= {f"{base}.output.dense": (WIDTH, WIDE)}
        norms += [f"{base}.attention.output.LayerNorm", f"{base}.output.LayerNorm"]
    for name, shape in linear.items():
        made |= {f"{name}.weight": some(*shape), f"{name}.bias": some(shape[0])}
    for name in norms:
        made |= {f"{name}.gamma": 1 + some(WIDTH), f"{name}.beta": some(WIDTH)}
    return made


def expected(weights: Mapping[str, Array], ids: list[int]) -> Array:
    """The same by numpy, one step after the other."""

    def linear(name: str, x: Array) -> Array:
        return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]

    def norm(name: str, x: Array) -> Array:
        scaled = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-12)
        return scaled * weights[f"{name}.gamma"] + weights[f"{name}.beta"]

    def gelu(x: Array) -> Array:
        return x * (1 + np.vectorize(erf)(x / np.sqrt(2))) / 2

    words = weights["bert.embeddings.word_embeddings.weight"]
    places = weights["bert.embeddings.position_embeddings.weight"][: len(ids)]
    kind = weights["bert.embeddings.token_type_embeddings.weight"][0]
    x = norm("bert.embeddings.LayerNorm", words[ids] + places + kind)
    for layer in range(LAYERS):
        base = f"bert.encoder.layer.{layer}"
        q, k, v = (
            linear(f"{base}.attention.self.{side}", x).reshape(len(ids), HEADS, -1).swapaxes(0, 1)
            for side in ("query", "key", "value")
        )
        scores = np.exp(q @ k.swapaxes(1, 2) / np.sqrt(WIDTH // HEADS))
        mixed = (scores / scores.sum(-1, keepdims=True) @ v).swapaxes(0, 1).reshape(len(ids), WIDTH)
        x = norm(f"{base}.attention.output.LayerNorm", x + linear(f"{base}.attention.output.dense", mixed))
        wide = gelu(linear(f"{base}.intermediate.dense", x))
        x = norm(f"{base}.output.LayerNorm", x + linear(f"{base}.output.dense", wide))
    head = norm("cls.predictions.transform.LayerNorm", gelu(linear("cls.predictions.transform.dense", x)))
    logits = head @ words.T + weights["cls.predictions.bias"]
    return np.asarray(np.log1p(np.maximum(logits, 0)).max(axis=0))


def graph(pieces: int, tokens: int) -> onnx.ModelProto:
    """The graph that computes for so many pieces at once, and takes the maximum of so many tokens at a time."""
    with pytest.MonkeyPatch.context() as sizes:
        sizes.setattr(bert, "_PIECES", pieces)
        sizes.setattr(bert, "_TOKENS", tokens)
        return bert.expansion_graph(weights())


def running(graph: bytes) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])


@pytest.fixture(scope="module")
def session() -> onnxruntime.InferenceSession:
    return running(graph(pieces=16, tokens=2).SerializeToString())


def test_the_graph_takes_the_steps_that_were_published(session):
    (answer,) = session.run(None, {"input_ids": [IDS], "attention_mask": [[1] * len(IDS)]})

    assert answer.shape == (1, PIECES)
    assert np.allclose(answer[0], expected(weights(), IDS), atol=1e-4)
    assert (answer > 0).sum() > 3


def test_padding_calls_up_nothing(session):
    padded = {"input_ids": [[*IDS, 0, 0, 0]], "attention_mask": [[1] * len(IDS) + [0] * 3]}

    (answer,) = session.run(None, padded)

    assert np.allclose(answer[0], expected(weights(), IDS), atol=1e-4)


def test_parts_do_not_change_a_bit_of_the_8_bit_form(tmp_path):
    answers = []
    for pieces, tokens in ((PIECES, PLACES), (16, 2), (7, 3)):
        write_quantised(graph(pieces, tokens), tmp_path / "graph.onnx")
        inputs = {"input_ids": [IDS], "attention_mask": [[1] * len(IDS)]}
        answers += running((tmp_path / "graph.onnx").read_bytes()).run(None, inputs)

    assert answers[0].any()
    assert all(np.array_equal(answers[0], answer) for answer in answers)
