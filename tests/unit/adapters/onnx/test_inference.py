"""From token numbers to a unit vector, and graphs that cannot be used."""

import numpy as np
import onnxruntime
import pytest

from moltnet.adapters.onnx.inference import DeviceMissing, Inference
from moltnet.adapters.onnx.model_dir import ModelDirectory, ModelUnusable
from moltnet.domain.indexing import EmbedderUnavailable


def inference(tiny) -> Inference:
    return Inference(ModelDirectory.read(tiny.path))


def unit(vector):
    return vector / np.linalg.norm(vector)


@pytest.mark.parametrize(
    ("pooling", "pooled"),
    [
        ("mean", lambda tokens: tokens.mean(axis=0)),
        ("none", lambda tokens: tokens.mean(axis=0)),
        ("cls", lambda tokens: tokens[0]),
    ],
)
def test_vector_is_the_pooled_tokens_at_unit_length(tiny_model, pooling, pooled):
    tiny = tiny_model(pooling=pooling)
    ids = tiny.ids("lost", "key")

    vector = inference(tiny).vector(ids)

    assert np.allclose(vector.numbers(), unit(pooled(tiny.token_vectors(ids))), rtol=2**-11, atol=1e-6)


HAS_CUDA = "CUDAExecutionProvider" in onnxruntime.get_available_providers()


@pytest.mark.skipif(HAS_CUDA, reason="there is a device here")
def test_device_that_is_not_there_is_refused_with_what_to_install(tiny_model):
    with pytest.raises(DeviceMissing, match="install onnxruntime-gpu in the place of onnxruntime"):
        Inference(ModelDirectory.read(tiny_model().path), "cuda")


@pytest.mark.skipif(not HAS_CUDA, reason="needs ONNX Runtime with CUDA, and a device")
def test_device_gives_the_processors_vectors(tiny_model):
    tiny = tiny_model()
    ids, device = tiny.ids("lost", "key"), Inference(ModelDirectory.read(tiny.path), "cuda")
    assert np.allclose(device.vector(ids).numbers(), inference(tiny).vector(ids).numbers(), atol=1e-3)


def test_token_types_are_fed_to_a_graph_that_asks(tiny_model):
    with_types = tiny_model(inputs=("input_ids", "attention_mask", "token_type_ids"))
    ids = with_types.ids("lost")

    assert inference(with_types).vector(ids) == inference(tiny_model()).vector(ids)


def test_unknown_input_is_named(tiny_model):
    with pytest.raises(ModelUnusable, match="asks for position_ids"):
        inference(tiny_model(inputs=("input_ids", "position_ids")))


def test_graph_without_an_output_for_its_pooling_is_refused(tiny_model):
    tiny = tiny_model(pooling="none")
    declaration = tiny.path / "moltnet-model.json"
    declaration.write_text(declaration.read_text().replace("none", "mean"))

    with pytest.raises(ModelUnusable, match="no output of 3 axes, as pooling mean needs"):
        inference(tiny)


def test_broken_graph_is_named(tiny_model):
    tiny = tiny_model()
    (tiny.path / "model.onnx").write_bytes(b"not a graph")

    with pytest.raises(ModelUnusable, match=r"model\.onnx is not a graph that can be run"):
        inference(tiny)


@pytest.mark.parametrize("pooling", ["mean", "cls", "none"])
def test_proof_finds_another_dimension(tiny_model, pooling):
    tiny = tiny_model(width=768, pooling=pooling)

    with pytest.raises(ModelUnusable, match="gives 768 numbers for a text, not 384"):
        inference(tiny).prove(tiny.ids("key"))


def test_proof_finds_vectors_that_are_not_of_unit_length_as_declared(tiny_model):
    tiny = tiny_model(normalize=False)

    with pytest.raises(ModelUnusable, match="declare normalize true"):
        inference(tiny).prove(tiny.ids("key"))


def test_proof_finds_a_graph_with_fewer_positions_than_declared(tiny_model):
    tiny = tiny_model(places=32)

    inference(tiny).prove([1] * 32)
    with pytest.raises(ModelUnusable, match="cannot read 33 tokens"):
        inference(tiny).prove([1] * 33)


def test_failing_graph_makes_the_embedder_unavailable(tiny_model):
    tiny = tiny_model()

    with pytest.raises(EmbedderUnavailable, match="failed"):
        inference(tiny).vector([10_000])


@pytest.mark.parametrize("scale", [0, np.nan])
def test_vector_without_direction_makes_the_embedder_unavailable(tiny_model, scale):
    tiny = tiny_model(scale=scale)

    with pytest.raises(EmbedderUnavailable, match="no finite vector"):
        inference(tiny).vector(tiny.ids("key"))
