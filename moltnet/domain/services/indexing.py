"""What an entry is found by: vectors of its passages, and its words."""

import logging

import attrs

from moltnet.domain.search import EmbedderUnavailable, EntryIndex, IndexedPassage, ModelName
from moltnet.ports.embedding import Embedder
from moltnet.ports.lexemes import Lexemes

_log = logging.getLogger(__name__)


@attrs.frozen(kw_only=True)
class Indexing:
    """Makes an entry's index. Without an embedder, or while it fails, the words stand alone."""

    embedder: Embedder | None
    lexemes: Lexemes

    async def index(self, text: str) -> EntryIndex:
        """The index of an entry's text."""
        lexemes = self.lexemes.of_text(text)
        model, passages = await self._passages(text)
        return EntryIndex(model=model, passages=passages, lexemes=lexemes)

    async def _passages(self, text: str) -> tuple[ModelName | None, tuple[IndexedPassage, ...]]:
        if self.embedder is None:
            return None, ()
        spans = self.embedder.windows(text)
        try:
            vectors = await self.embedder.embed_passages([span.of(text) for span in spans])
        except EmbedderUnavailable:
            # The entry is worth more than its vector: it is stored, and found by its words.
            _log.warning("an entry is stored without vectors: the embedding model is unavailable")
            return None, ()
        passages = (
            IndexedPassage(ordinal, span.start, span.end, vector)
            for ordinal, (span, vector) in enumerate(zip(spans, vectors, strict=True))
        )
        return self.embedder.model, tuple(passages)
