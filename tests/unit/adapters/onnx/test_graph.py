"""The default model's graph against published figures, and its 8-bit form against its float form."""

from itertools import combinations
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from moltnet.adapters.onnx.embedding import TextTokenizer
from moltnet.adapters.onnx.install import default_model, packaged_files

pytestmark = pytest.mark.real

bert = pytest.importorskip("moltnet.adapters.onnx.bert", reason="building needs onnx and safetensors")

# Sentences and cosines of all-MiniLM-L6-v2 as the documentation of sentence-transformers prints them (quickstart).
PUBLISHED = ("The weather is lovely today.", "It's so sunny outside!", "He drove to the stadium.")
COSINES = (0.6660, 0.1046, 0.1411)

TEXTS = (
    *PUBLISHED,
    "key",
    "Alice vouched for Bob on Tuesday; the voucher was used within the hour.",
    "We chose 5432 as the port, then moved to 5433 because staging was already there. " * 12,
    "鍵をなくした — что теперь? 🤷",
    "",
)


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """A folder with the graph in float, and in 8 bits twice."""
    folder = tmp_path_factory.mktemp("graph")
    weights = packaged_files()["model.safetensors"]
    (folder / "float.onnx").write_bytes(bert.sentence_graph(bert.load_file(weights)).SerializeToString())
    bert.write_sentence_model(weights, folder / "int8.onnx")
    return folder


@pytest.fixture(scope="module")
def ids() -> list[list[int]]:
    tokenizer = TextTokenizer(default_model() / "tokenizer.json")
    return [tokenizer.ids(text, 256) for text in TEXTS]


def vectors(path: Path, ids: list[list[int]]):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return np.concatenate(
        [session.run(None, {"input_ids": [one], "attention_mask": [[1] * len(one)]})[0] for one in ids]
    )


def test_float_graph_gives_the_published_cosines(built, ids):
    sentences = vectors(built / "float.onnx", ids[:3])

    cosines = [float(a @ b) for a, b in combinations(sentences, 2)]

    assert cosines == pytest.approx(COSINES, abs=1e-4)


def test_quantised_graph_stays_close_to_the_float_graph(built, ids):
    cosines = (vectors(built / "float.onnx", ids) * vectors(built / "int8.onnx", ids)).sum(axis=1)

    assert cosines.min() > 0.97


def test_quantised_graph_is_written_byte_for_byte_alike(built):
    assert (built / "int8.onnx").read_bytes() == (default_model() / "model.onnx").read_bytes()


def test_quantised_graph_is_small(built):
    assert 20e6 < (built / "int8.onnx").stat().st_size < 25e6


def test_padding_does_not_change_a_vector(built, ids):
    session = onnxruntime.InferenceSession(built / "float.onnx", providers=["CPUExecutionProvider"])
    short, long = ids[3], ids[4]
    padded = np.array([short + [0] * (len(long) - len(short)), long])
    mask = np.array([[1] * len(short) + [0] * (len(long) - len(short)), [1] * len(long)])

    together = session.run(None, {"input_ids": padded, "attention_mask": mask})[0]

    assert np.allclose(together, vectors(built / "float.onnx", [short, long]), atol=1e-5)
