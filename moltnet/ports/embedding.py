"""Text to vectors."""

from collections.abc import Sequence
from typing import Protocol

from moltnet.domain.passages import Span
from moltnet.domain.search import ModelName, Vector


class Embedder(Protocol):
    """Turns text into unit-length vectors of 384 float32.

    Those who ask take turns, and one who sends too much is refused alone. `asker` is who pays (`Caller.asker`); None is
    the network itself, whose passages wait for those of agents. Cancelling a call drops what is left of it, not its
    neighbours'; so does its client's leaving (`ports.awaiting`), and the call is then cancelled.
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

    async def embed_passages(self, texts: Sequence[str], asker: str | None = None) -> list[Vector]:
        """Stored side: one vector for each text, in order; a text over the model's window is cut at its end.

        Raises EmbedderUnavailable when the model cannot compute, and AllowanceUsedUp when too much of the asker waits.
        """
        ...

    async def embed_query(self, text: str, asker: str | None = None) -> Vector:
        """Query side: the vector to compare stored vectors with; it waits for no passage. Raises as above."""
        ...
