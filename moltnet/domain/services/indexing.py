"""What an entry is found by: vectors of its passages, and its words."""

import logging

import attrs

from moltnet.domain.entries import Entry
from moltnet.domain.passages import Span
from moltnet.domain.search import EmbedderUnavailable, EntryIndex, IndexedPassage, ModelPassages
from moltnet.domain.services.models import Models
from moltnet.ports.embedding import Embedder
from moltnet.ports.lexemes import Lexemes
from moltnet.ports.workers import Workers

_log = logging.getLogger(__name__)


@attrs.frozen(kw_only=True)
class Indexing:
    """Makes an entry's index. Without a model, or while it fails, the words stand alone."""

    models: Models
    lexemes: Lexemes
    workers: Workers

    async def index(self, entry: Entry) -> EntryIndex:
        """The index of an entry's text; during a switch under both models, so that the switch comes to an end."""
        serving, target = self.models.serving, self.models.target
        made = await _made(serving, entry)
        text = entry.text
        return EntryIndex(
            model=made.model if made else None,
            passages=made.passages if made else (),
            lexemes=await self.workers.run(lambda: self.lexemes.of_text(text), len(text)),
            upcoming=await _made(target, entry),
        )


async def embedded(embedder: Embedder, entry: Entry) -> ModelPassages:
    """An entry's passages under a model, whenever it is embedded; raises EmbedderUnavailable."""
    spans = _windows(embedder, entry)
    vectors = await embedder.embed_passages([_read(embedder, entry, span) for span in spans])
    passages = (
        IndexedPassage(ordinal, span.start, span.end, vector)
        for ordinal, (span, vector) in enumerate(zip(spans, vectors, strict=True))
    )
    return ModelPassages(model=embedder.model, passages=tuple(passages))


async def _made(embedder: Embedder | None, entry: Entry) -> ModelPassages | None:
    if embedder is None:
        return None
    try:
        return await embedded(embedder, entry)
    except EmbedderUnavailable:
        # The entry is worth more than its vector: it is stored, found by its words, and embedded later.
        _log.warning("an entry is stored without vectors of %s: the model is unavailable", embedder.model)
        return None


def _windows(embedder: Embedder, entry: Entry) -> tuple[Span, ...]:
    """The windows of an entry's text, with room for its heading where there are several."""
    spans = embedder.windows(entry.text)
    return spans if len(spans) <= 1 or not entry.heading else embedder.windows(entry.text, entry.heading)


def _read(embedder: Embedder, entry: Entry, span: Span) -> str:
    """What is embedded for a window: under the entry's heading, unless the window has it, or both together are cut."""
    passage = span.of(entry.text)
    headed = f"{entry.heading}\n{passage}"
    if span.start < len(entry.heading) or not entry.heading or len(embedder.windows(headed)) > 1:
        return passage
    return headed
