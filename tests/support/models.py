"""Embedding models by name, and what becomes of them."""

from collections.abc import Callable, Sequence

from moltnet.adapters.memory.embedding import MemoryEmbedder
from moltnet.domain.indexing import DIMENSIONS, EmbedderUnavailable, Expansion, ModelName, ModelReference, Span, Vector
from moltnet.ports.search import Embedder


class NamedEmbedder:
    """The memory embedder under another name; its vectors are turned by so many places, so that no two models agree.

    It fails on texts that hold `unreadable`, if that is set, and calls `before` each time it embeds passages.
    """

    def __init__(self, name: str, *, turned: int = 0, words_weight: float = 1.0, unreadable: str = "") -> None:
        self._memory = MemoryEmbedder()
        self._turned = turned % DIMENSIONS
        self._unreadable = unreadable
        self.model = ModelName(name)
        self.words_weight = words_weight
        self.expansion_weight = self._memory.expansion_weight
        self.is_down = False
        self.before: Callable[[], object] = lambda: None
        self.embedded: list[str] = []
        self.askers: list[str | None] = []

    def legible(self, text: str) -> str:
        """As the memory embedder's."""
        return self._memory.legible(text)

    def windows(self, text: str, heading: str = "") -> tuple[Span, ...]:
        """As the memory embedder's."""
        return self._memory.windows(text, heading)

    async def embed_passages(self, texts: Sequence[str], asker: str | None = None) -> list[Vector]:
        """Notes every text, and for whom."""
        self.before()
        self.askers.append(asker)
        if self.is_down or (self._unreadable and any(self._unreadable in text for text in texts)):
            raise EmbedderUnavailable
        self.embedded += texts
        return [self._turn(vector) for vector in await self._memory.embed_passages(texts)]

    async def embed_query(self, text: str, asker: str | None = None) -> Vector:
        """The vector that the text has as a passage."""
        self.askers.append(asker)
        if self.is_down:
            raise EmbedderUnavailable
        return self._turn(await self._memory.embed_query(text))

    async def expand_text(self, text: str, asker: str | None = None) -> Expansion | None:
        """The memory embedder's, with its pieces turned."""
        if self.is_down:
            raise EmbedderUnavailable
        expansion = await self._memory.expand_text(text, asker)
        return expansion and Expansion({piece + self._turned: weight for piece, weight in expansion.weights.items()})

    async def expand_query(self, text: str, asker: str | None = None) -> Expansion | None:
        """The same."""
        return await self.expand_text(text, asker)

    def _turn(self, vector: Vector) -> Vector:
        numbers = vector.numbers()
        return Vector.of([*numbers[self._turned :], *numbers[: self._turned]])


class Shelf:
    """A loader of the models that stand on it, each in the directory of its name; the first is the preferred one."""

    def __init__(self, *embedders: Embedder) -> None:
        self.embedders = {f"/{embedder.model}": embedder for embedder in embedders}
        self.loads: list[ModelReference] = []

    async def load(self, place: ModelReference) -> Embedder:
        """What stands in a place."""
        self.loads.append(place)
        try:
            return self.embedders[place.directory or ""]
        except KeyError:
            raise EmbedderUnavailable(f"nothing is in {place.directory}") from None

    async def preferred(self) -> tuple[ModelReference, Embedder]:
        """The first."""
        for directory, embedder in self.embedders.items():
            return ModelReference(embedder.model, directory), embedder
        raise EmbedderUnavailable("the shelf is empty")


def placed(embedder: Embedder) -> ModelReference:
    """Where a model stands on a shelf."""
    return ModelReference(embedder.model, f"/{embedder.model}")
