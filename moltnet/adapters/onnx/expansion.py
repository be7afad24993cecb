"""The words that a text calls up, by the second graph of a model directory: a weight for every piece of words."""

from collections.abc import Sequence

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from moltnet.adapters.onnx.inference import FAILURES, available, fed, inputs_of, options
from moltnet.adapters.onnx.model_dir import EXPANSION_GRAPH, ModelDirectory, ModelUnusable
from moltnet.domain.indexing import EXPANSION_LEAST, EmbedderUnavailable, Expansion


class ExpansionInference:
    """The graph in memory; every call computes on its caller's thread alone, and calls may overlap."""

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
        return Expansion.of(zip(pieces.tolist(), weights[pieces].tolist(), strict=True), own=ids)

    def _weights(self, ids: Sequence[int]) -> NDArray[np.float32]:
        (answer,) = self._session.run(None, fed(self._inputs, ids))
        return np.asarray(answer[0], np.float32)
