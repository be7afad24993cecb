"""What an entry is found by: vectors of its passages, and its words."""

import logging

import attrs

from moltnet.domain.search import EmbedderUnavailable, EntryIndex, IndexedPassage, ModelPassages
from moltnet.domain.services.models import Models
from moltnet.ports.embedding import Embedder
from moltnet.ports.lexemes import Lexemes

_log = logging.getLogger(__name__)


@attrs.frozen(kw_only=True)
class Indexing:
    """Makes an entry's index. Without a model, or while it fails, the words stand alone."""

    models: Models
    lexemes: Lexemes

    async def index(self, text: str) -> EntryIndex:
        """The index of an entry's text; during a switch under both models, so that the switch comes to an end."""
        serving, target = self.models.serving, self.models.target
        made = await _made(serving, text)
        return EntryIndex(
            model=made.model if made else None,
            passages=made.passages if made else (),
            lexemes=self.lexemes.of_text(text),
            upcoming=await _made(target, text),
        )


async def embedded(embedder: Embedder, text: str) -> ModelPassages:
    """The passages of a text under a model; raises EmbedderUnavailable."""
    spans = embedder.windows(text)
    vectors = await embedder.embed_passages([span.of(text) for span in spans])
    passages = (
        IndexedPassage(ordinal, span.start, span.end, vector)
        for ordinal, (span, vector) in enumerate(zip(spans, vectors, strict=True))
    )
    return ModelPassages(model=embedder.model, passages=tuple(passages))


async def _made(embedder: Embedder | None, text: str) -> ModelPassages | None:
    if embedder is None:
        return None
    try:
        return await embedded(embedder, text)
    except EmbedderUnavailable:
        # The entry is worth more than its vector: it is stored, found by its words, and embedded later.
        _log.warning("an entry is stored without vectors of %s: the model is unavailable", embedder.model)
        return None
