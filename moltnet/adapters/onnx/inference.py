"""One text's tokens through a model directory's graphs: to one unit vector, and to the words that the text calls up."""

from collections.abc import Sequence
from functools import cache

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as failures

from moltnet.adapters.onnx.model_dir import EXPANSION_GRAPH, GRAPH, ModelDirectory, ModelUnusable, Pooling
from moltnet.domain.errors import Unavailable
from moltnet.domain.indexing import DIMENSIONS, EXPANSION_LEAST, EmbedderUnavailable, Expansion, Vector

_INTEGERS: dict[str, type[np.integer]] = {"tensor(int64)": np.int64, "tensor(int32)": np.int32}
_FILLERS = {"input_ids": None, "attention_mask": 1, "token_type_ids": 0}
FAILURES = (
    failures.EPFail,
    failures.EngineError,
    failures.Fail,
    failures.InvalidArgument,
    failures.InvalidGraph,
    failures.InvalidProtobuf,
    failures.NoModel,
    failures.NoSuchFile,
    failures.NotFound,
    failures.NotImplemented,
    failures.RuntimeException,
)
# One kernel for sum and normalization takes longer than the two it replaces: a text took 1.3 times as long (ADR-32).
_SLOW_FUSIONS = ("SkipLayerNormFusion",)
_UNIT_TOLERANCE = 1e-3
# ONNX Runtime's names of what computes, by the device of MOLTNET_EMBEDDING_DEVICE.
_PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}


class DeviceMissing(Unavailable):
    """What the operator wants texts to be embedded by is not on this machine."""

    code = "EMBEDDING_DEVICE_MISSING"


class Inference:
    """A model directory's graph in memory; every call computes on its caller's thread alone, and calls may overlap.

    A call takes one text. Texts computed together would gain little (nothing from 64 tokens on) and would change each
    other's vectors: 8-bit graphs scale a whole batch by its largest number.
    """

    def __init__(self, directory: ModelDirectory, device: str = "cpu") -> None:
        """Loads the graph; raises ModelUnusable if it cannot be run as declared, and DeviceMissing."""
        provider = available(device)
        self._declaration = directory.declaration
        path = directory.path / GRAPH
        try:
            self._session = onnxruntime.InferenceSession(
                str(path), options(), providers=[provider], disabled_optimizers=[*_SLOW_FUSIONS]
            )
        except FAILURES as error:
            raise ModelUnusable(f"{path} is not a graph that can be run: {error}") from error
        if self._session.get_providers()[0] != provider:  # without its device, the library takes the processor
            raise DeviceMissing(
                "MOLTNET_EMBEDDING_DEVICE=cuda: ONNX Runtime finds no device it can use; its log says why"
            )
        self._inputs = inputs_of(self._session)
        self._output = _output(self._session, self._declaration.pooling)

    def prove(self, ids: Sequence[int]) -> None:
        """Computes once and holds the result against the declaration; raises ModelUnusable.

        `ids` should be as long as declared: a graph with fewer places than `max_tokens` shows it only then.
        """
        try:
            vector = self._pooled(ids)
        except FAILURES as error:
            raise ModelUnusable(f"{GRAPH} cannot read {len(ids)} tokens: {error}") from error
        if vector.shape != (DIMENSIONS,):
            raise ModelUnusable(f"{GRAPH} gives {vector.shape[-1]} numbers for a text, not {DIMENSIONS}")
        length = float(np.linalg.norm(vector))
        if not self._declaration.normalize and abs(length - 1) > _UNIT_TOLERANCE:
            raise ModelUnusable(f"{GRAPH} gives vectors of length {length:.3g}, not 1: declare normalize true")

    def vector(self, ids: Sequence[int]) -> Vector:
        """The unit vector of a text; raises EmbedderUnavailable if the graph fails on it."""
        try:
            pooled = self._pooled(ids)
        except FAILURES as error:
            raise EmbedderUnavailable(f"The embedding model failed: {error}") from error
        length = np.linalg.norm(pooled)
        if not 0 < length < np.inf:  # also false for a vector that holds NaN
            raise EmbedderUnavailable("The embedding model gave no finite vector")
        return Vector((pooled / length).astype("<f2").tobytes())

    def _pooled(self, ids: Sequence[int]) -> NDArray[np.float32]:
        (answer,) = self._session.run([self._output], fed(self._inputs, ids))
        # One text without padding: every token counts in the mean.
        match self._declaration.pooling:
            case Pooling.MEAN:
                return np.asarray(answer[0].mean(axis=0), np.float32)
            case Pooling.CLS:
                return np.asarray(answer[0, 0], np.float32)
            case Pooling.NONE:
                return np.asarray(answer[0], np.float32)


def available(device: str) -> str:
    """What ONNX Runtime calls a device; raises DeviceMissing."""
    provider = _PROVIDERS[device]
    if provider not in onnxruntime.get_available_providers():
        raise DeviceMissing(
            f"MOLTNET_EMBEDDING_DEVICE={device}: this ONNX Runtime has no {provider}; install onnxruntime-gpu in the "
            "place of onnxruntime, in the same version, or unset it"
        )
    return provider


def options() -> onnxruntime.SessionOptions:
    """How every graph is run here."""
    _share_memory()
    chosen = onnxruntime.SessionOptions()
    # Two callers on one-thread sessions beat one caller with two threads, and nothing spins while idle.
    chosen.intra_op_num_threads = 1
    chosen.inter_op_num_threads = 1
    # Without an arena large blocks would go back to the system after each text, which costs a third of the time. One
    # for all graphs, without a plan for each length of text, keeps the least (ADR-68).
    chosen.add_session_config_entry("session.use_env_allocators", "1")
    chosen.enable_mem_pattern = False
    chosen.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    return chosen


_AS_MUCH_AS_ASKED_FOR, _DEFAULT = 1, -1  # of ONNX Runtime's arenas; else each addition is twice as large as the last


@cache
def _share_memory() -> None:
    """Makes the one arena of this process."""
    memory = onnxruntime.OrtMemoryInfo(
        "Cpu", onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, onnxruntime.OrtMemType.DEFAULT
    )
    growing = {
        "max_mem": 0,
        "arena_extend_strategy": _AS_MUCH_AS_ASKED_FOR,
        "initial_chunk_size_bytes": _DEFAULT,
        "max_dead_bytes_per_chunk": _DEFAULT,
    }
    onnxruntime.create_and_register_allocator(memory, onnxruntime.OrtArenaCfg(growing))


Input = tuple[str, type[np.integer], int | None]


def fed(inputs: Sequence[Input], ids: Sequence[int]) -> dict[str, NDArray[np.integer]]:
    """One text's tokens as the inputs of a graph."""
    return {
        name: np.array([ids], dtype) if filler is None else np.full((1, len(ids)), filler, dtype)
        for name, dtype, filler in inputs
    }


def inputs_of(session: onnxruntime.InferenceSession, graph: str = GRAPH) -> list[Input]:
    """Each input's name, number type, and what fills it: the ids, or one number throughout."""
    inputs = []
    for model_input in session.get_inputs():
        if model_input.name not in _FILLERS or model_input.type not in _INTEGERS:
            raise ModelUnusable(f"{graph} asks for {model_input.name} as {model_input.type}, which is not known")
        inputs.append((model_input.name, _INTEGERS[model_input.type], _FILLERS[model_input.name]))
    return inputs


def _output(session: onnxruntime.InferenceSession, pooling: Pooling) -> str:
    """The first output with the axes the pooling needs: one vector for each text, or one for each token."""
    axes = 2 if pooling is Pooling.NONE else 3
    for output in session.get_outputs():
        if len(output.shape) == axes:
            return str(output.name)
    raise ModelUnusable(f"{GRAPH} has no output of {axes} axes, as pooling {pooling} needs")


class ExpansionInference:
    """The second graph: a weight for every piece of words. Calls may overlap as those of `Inference`."""

    def __init__(self, directory: ModelDirectory, longest: int, device: str = "cpu") -> None:
        """Loads the graph, which reads at most so many tokens; raises ModelUnusable if it cannot be run."""
        self.longest = longest
        path = directory.path / EXPANSION_GRAPH
        try:
            self._session = onnxruntime.InferenceSession(str(path), options(), providers=[available(device)])
        except FAILURES as error:
            raise ModelUnusable(f"{path} is not a graph that can be run: {error}") from error
        self._inputs = inputs_of(self._session, EXPANSION_GRAPH)

    def prove(self, ids: Sequence[int], vocabulary: int) -> None:
        """Computes once for a text of full length; raises ModelUnusable unless each piece is given one weight."""
        try:
            weights = self._weights(ids)
        except FAILURES as error:
            raise ModelUnusable(f"{EXPANSION_GRAPH} cannot read {len(ids)} tokens: {error}") from error
        if weights.shape != (vocabulary,):
            raise ModelUnusable(f"{EXPANSION_GRAPH} gives {weights.shape} weights, not one for each of {vocabulary}")

    def expansion(self, ids: Sequence[int]) -> Expansion:
        """What a text calls up; raises EmbedderUnavailable if the graph fails on it."""
        try:
            weights = self._weights(ids)
        except FAILURES as error:
            raise EmbedderUnavailable(f"The embedding model failed: {error}") from error
        if not np.isfinite(weights).all():
            raise EmbedderUnavailable("The embedding model gave no finite expansion")
        pieces = np.flatnonzero(weights >= EXPANSION_LEAST)
        return Expansion.of(zip(pieces.tolist(), weights[pieces].tolist(), strict=True), len(ids))

    def _weights(self, ids: Sequence[int]) -> NDArray[np.float32]:
        (answer,) = self._session.run(None, fed(self._inputs, ids))
        return np.asarray(answer[0], np.float32)
