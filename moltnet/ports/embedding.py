"""Text to vectors."""

from collections.abc import Sequence
from typing import Protocol

from moltnet.domain.passages import Span
from moltnet.domain.search import ModelName, Vector


class Embedder(Protocol):
    """Turns text into unit-length vectors of 384 float32.

    Calls that wait at the same time may be computed together. Cancelling a call drops its result, not its neighbours'.
    """

    @property
    def model(self) -> ModelName:
        """The name every vector remembers; two models that differ in any weight or step have different names."""
        ...

    @property
    def words_weight(self) -> float:
        """How much matched words add to this model's cosine (λ of the ranking); it belongs to the model."""
        ...

    def windows(self, text: str, heading: str = "") -> tuple[Span, ...]:
        """The passages of `text` that each fit the model, in order; empty for text without a token.

        A text that fits is one; a longer one is cut as `domain.passages` says. Each leaves room for a heading in front
        of it, up to half of what fits.
        """
        ...

    async def embed_passages(self, texts: Sequence[str]) -> list[Vector]:
        """Stored side: one vector for each text, in order; a text over the model's window is cut at its end.

        Raises EmbedderUnavailable when the model cannot compute.
        """
        ...

    async def embed_query(self, text: str) -> Vector:
        """Query side: the vector to compare stored vectors with; raises EmbedderUnavailable."""
        ...
