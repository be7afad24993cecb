"""What an entry is found by: vectors of its passages, and its words."""

import logging

import attrs

from moltnet.domain.entries import Entry
from moltnet.domain.passages import Span
from moltnet.domain.search import EmbedderUnavailable, EntryIndex, IndexedPassage, ModelName
from moltnet.ports.embedding import Embedder
from moltnet.ports.lexemes import Lexemes

_log = logging.getLogger(__name__)


@attrs.frozen(kw_only=True)
class Indexing:
    """Makes an entry's index. Without an embedder, or while it fails, the words stand alone."""

    embedder: Embedder | None
    lexemes: Lexemes

    async def index(self, entry: Entry) -> EntryIndex:
        """The index of an entry's text."""
        lexemes = self.lexemes.of_text(entry.text)
        model, passages = await self._passages(entry)
        return EntryIndex(model=model, passages=passages, lexemes=lexemes)

    def passage(self, entry: Entry, ordinal: int) -> Span | None:
        """Which part of an entry's content a passage of its index reads; None for one that there is not."""
        if self.embedder is None:
            return None
        spans = _windows(self.embedder, entry)
        if ordinal >= len(spans):
            return None
        before = len(entry.heading) + 1 if entry.heading else 0
        start, end = (min(max(at - before, 0), len(entry.content)) for at in (spans[ordinal].start, spans[ordinal].end))
        return Span(start, end)

    async def _passages(self, entry: Entry) -> tuple[ModelName | None, tuple[IndexedPassage, ...]]:
        if self.embedder is None:
            return None, ()
        spans = _windows(self.embedder, entry)
        try:
            vectors = await self.embedder.embed_passages([_read(self.embedder, entry, span) for span in spans])
        except EmbedderUnavailable:
            # The entry is worth more than its vector: it is stored, and found by its words.
            _log.warning("an entry is stored without vectors: the embedding model is unavailable")
            return None, ()
        passages = (
            IndexedPassage(ordinal, span.start, span.end, vector)
            for ordinal, (span, vector) in enumerate(zip(spans, vectors, strict=True))
        )
        return self.embedder.model, tuple(passages)


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
