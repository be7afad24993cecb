"""What an entry is found by: vectors of its passages, and its words; both made later where they are missing or old."""

import logging
from collections.abc import Iterable, Sequence
from datetime import timedelta
from functools import partial
from uuid import UUID

import attrs

from moltnet.domain.caller import Caller
from moltnet.domain.entries import Entry
from moltnet.domain.ids import EntryId
from moltnet.domain.indexing import (
    EmbedderUnavailable,
    EntryIndex,
    Expansion,
    IndexedPassage,
    ModelName,
    ModelPassages,
    ModelReference,
    Span,
    Vector,
)
from moltnet.domain.services.models import Models, both
from moltnet.domain.services.requests import ThrottlingService
from moltnet.ports.search import Embedder, TextAnalyzer
from moltnet.ports.storage import Storage
from moltnet.ports.system import Clock, Randomness, Workers

_log = logging.getLogger(__name__)


@attrs.define(eq=False)
class Vectors:
    """What one request needs of a model: each text is embedded and paid for once, however often it is started again.

    An expansion costs a part of an embedding, and only ever comes with at least one: it is not paid for by itself.

    Without an asker it is the network's own work, which waits for everyone else's and costs nobody anything.
    """

    asker: str | None = None
    throttling: ThrottlingService | None = None
    _vectors: dict[tuple[ModelName, str], Vector] = attrs.field(init=False, factory=dict)
    _expansions: dict[tuple[ModelName, str], Expansion | None] = attrs.field(init=False, factory=dict)

    def know(self, model: ModelName, texts: Iterable[str], vectors: Iterable[Vector]) -> None:
        """Takes in what a model has made of texts before."""
        self._vectors.update(zip(((model, text) for text in texts), vectors, strict=True))

    async def of(self, embedder: Embedder, texts: Sequence[str]) -> list[Vector]:
        """One vector for each text, in order; raises AllowanceUsedUp, EmbedderUnavailable and Unavailable."""
        model = embedder.model
        missing = [text for text in dict.fromkeys(texts) if (model, text) not in self._vectors]
        if missing:
            if self.asker is not None and self.throttling is not None:
                await self.throttling.count_passages(self.asker, len(missing))
            self.know(model, missing, await embedder.embed_passages(missing, self.asker))
        return [self._vectors[model, text] for text in texts]

    async def expansion(self, embedder: Embedder, text: str) -> Expansion | None:
        """What a text calls up; None of a model that expands none. Raises AllowanceUsedUp and EmbedderUnavailable."""
        if (embedder.model, text) not in self._expansions:
            self._expansions[embedder.model, text] = await embedder.expand_text(text, self.asker)
        return self._expansions[embedder.model, text]


@attrs.frozen(kw_only=True)
class Indexing:
    """Makes an entry's index. Without a model, or while it fails, the words stand alone.

    Where nothing is counted, as in a measurement, there is no `throttling`.
    """

    models: Models
    index_terms: TextAnalyzer
    workers: Workers
    throttling: ThrottlingService | None = None

    def vectors_for(self, caller: Caller) -> Vectors:
        """The vectors that a request of a caller needs; the caller pays for them."""
        return Vectors(caller.asker, self.throttling)

    async def index(self, entry: Entry, vectors: Vectors) -> EntryIndex:
        """The index of an entry's text; during a switch under both models, so that the switch comes to an end.

        Raises AllowanceUsedUp and Unavailable.
        """
        serving, target = self.models.serving, self.models.target
        embedded = await self._embed(serving, entry, vectors)
        text = entry.text
        return EntryIndex(
            model=embedded.model if embedded else None,
            passages=embedded.passages if embedded else (),
            expansion=embedded.expansion if embedded else None,
            index_terms=await self.workers.run(lambda: self.index_terms.of_text(text), len(text)),
            analysis=self.index_terms.version,
            upcoming=await self._embed(target, entry, vectors),
        )

    async def terms_only(self, entry: Entry) -> EntryIndex:
        """Of an entry's index, the words alone; its vectors are made later (`ReembeddingService`)."""
        text = entry.text
        terms = await self.workers.run(lambda: self.index_terms.of_text(text), len(text))
        return EntryIndex(index_terms=terms, analysis=self.index_terms.version)

    async def beginning(self, entry: Entry, vectors: Vectors) -> EntryIndex:
        """Of an entry's index, the first passage alone: what it resembles is told by that."""
        embedded = await self._embed(self.models.serving, entry, vectors, most=1)
        return EntryIndex(model=embedded.model, passages=embedded.passages) if embedded else EntryIndex()

    async def know(self, entry: Entry, stored: Iterable[ModelPassages], vectors: Vectors) -> None:
        """Takes in the stored vectors of an entry, for those of its passages that an edit leaves as they are."""
        for embedded in stored:
            for embedder in (self.models.serving, self.models.target):
                if embedder is not None and embedder.model == embedded.model:
                    spans = [Span(passage.start, passage.end) for passage in embedded.passages]
                    texts = await self.workers.run(partial(_texts, embedder, entry, spans), len(entry.text))
                    vectors.know(embedded.model, texts, [passage.vector for passage in embedded.passages])

    async def _embed(
        self, embedder: Embedder | None, entry: Entry, vectors: Vectors, most: int | None = None
    ) -> ModelPassages | None:
        if embedder is None:
            return None
        try:
            return await embedded(self.workers, embedder, entry, vectors, most)
        except EmbedderUnavailable:
            # The entry is worth more than its vector: it is stored, found by its words, and embedded later.
            _log.warning("an entry is stored without vectors of %s: the model is unavailable", embedder.model)
            return None


async def embedded(
    workers: Workers, embedder: Embedder, entry: Entry, vectors: Vectors, most: int | None = None
) -> ModelPassages:
    """An entry's passages and expansion under a model, or the first `most` passages alone; raises as `Vectors.of`."""

    def cut() -> dict[str, Span]:
        spans = _windows(embedder, entry)[:most]
        # What is said again and again is found once: of passages that read alike, the first stands for all.
        return dict(reversed([*zip(_texts(embedder, entry, spans), spans, strict=True)]))

    spans = await workers.run(cut, len(entry.text))
    legible = await workers.run(partial(embedder.legible, entry.text), len(entry.text))
    texts = sorted(spans, key=lambda text: spans[text].start)
    expansion = None
    if most or not texts:
        embedded = await vectors.of(embedder, texts)
    else:
        embedded, expansion = await both(vectors.of(embedder, texts), vectors.expansion(embedder, legible))
    passages = (
        IndexedPassage(ordinal, spans[text].start, spans[text].end, vector)
        for ordinal, (text, vector) in enumerate(zip(texts, embedded, strict=True))
    )
    return ModelPassages(model=embedder.model, passages=tuple(passages), expansion=expansion)


def _windows(embedder: Embedder, entry: Entry) -> tuple[Span, ...]:
    """The windows of an entry's text, with room for its heading where there are several."""
    text = embedder.legible(entry.text)
    spans = embedder.windows(text)
    return spans if len(spans) <= 1 or not entry.heading else embedder.windows(text, entry.heading)


def _texts(embedder: Embedder, entry: Entry, spans: Iterable[Span]) -> list[str]:
    """What is embedded for each window: under the entry's heading, unless the window has it, or both would be cut."""
    text, heading = embedder.legible(entry.text), entry.heading

    def read(span: Span) -> str:
        passage = span.of(text)
        headed = f"{heading}\n{passage}"
        if span.start < len(heading) or not heading or len(embedder.windows(headed)) > 1:
            return passage
        return headed

    return [read(span) for span in spans]


BATCH = 16
COMPLETED_AT_ONCE = 200
# Of several processes one embeds at a time. One that is killed is followed by another after this time; one that takes
# longer over a batch shares the work for a while, which costs time and nothing else.
LEASE = timedelta(seconds=10)


@attrs.define(eq=False, kw_only=True)
class ReembeddingService:
    """Continues where it was left, whichever process left it: what is done is in the store."""

    storage: Storage
    models: Models
    workers: Workers
    clock: Clock
    randomness: Randomness
    _worker: UUID | None = None
    _after: EntryId | None = None

    async def run(self) -> bool:
        """Takes one step; False when there is nothing to do for this process at the moment."""
        state = await self.models.refresh()
        if state.target is not None:
            return self.models.target is not None and await self._towards(state.target, self.models.target)
        async with self.storage.autocommit() as work:
            if await work.models.complete(COMPLETED_AT_ONCE):
                return True
            unserved = await work.models.unserved(BATCH)
        if not unserved or self.models.serving is None or not await self._leased():
            return False
        await self._embed(unserved, self.models.serving)
        return True

    async def _towards(self, reference: ModelReference, target: Embedder) -> bool:
        if not await self._leased():
            self._after = None
            return False
        async with self.storage.autocommit() as work:
            entries = await work.models.lacking(self._after, BATCH)
        if entries:
            self._after = (await self._embed(entries, target))[-1].id
            return True
        if self._after is not None:
            self._after = None  # what was edited behind this pass is found by the next
            return True
        async with self.storage.transaction() as work:
            switched = await work.models.finish_migration(reference)
        if switched:
            _log.info("the network has switched to the embedding model %s", reference.name)
            await self.models.refresh()
        return True

    async def _leased(self) -> bool:
        self._worker = self._worker or self.randomness.nonce()
        now = self.clock.now()
        async with self.storage.autocommit() as work:
            return await work.models.lease(self._worker, now, now + LEASE)

    async def _embed(self, entries: Sequence[Entry], embedder: Embedder) -> Sequence[Entry]:
        """Embeds them, or as many of them as the lease leaves time for, and answers which.

        The store takes no vectors for an entry that was edited meanwhile; a later pass finds it.
        """
        until = self.clock.now() + LEASE / 2
        for done, entry in enumerate(entries, start=1):
            model_passages = await self._readable(embedder, entry)
            async with self.storage.autocommit() as work:
                await work.models.store_passages(entry, model_passages)
            if self.clock.now() >= until:
                return entries[:done]
        return entries

    async def _readable(self, embedder: Embedder, entry: Entry) -> ModelPassages:
        """An entry's vectors; none when it is this text that the model fails on, or one text would hold up all."""
        try:
            return await embedded(self.workers, embedder, entry, Vectors())
        except EmbedderUnavailable as error:
            await embedder.embed_query("does it compute?")
            _log.warning("the entry %s cannot be embedded and is found by its words: %s", entry.id, error.detail)
            return ModelPassages(model=embedder.model, passages=())


REINDEXED_AT_ONCE = 50


@attrs.frozen(kw_only=True)
class ReindexingService:
    """Continues where it was left: which entries are of an earlier analysis is stored.

    Until an entry's turn comes it is found by the words of the earlier analysis, and by its vectors as ever.
    """

    storage: Storage
    index_terms: TextAnalyzer
    workers: Workers

    async def run(self) -> bool:
        """Takes some entries; False when none was left. One that was edited meanwhile is of the new analysis."""
        async with self.storage.autocommit() as work:
            entries = await work.entries.outdated(self.index_terms.version, REINDEXED_AT_ONCE)
        for entry in entries:
            text = entry.text
            terms = await self.workers.run(partial(self.index_terms.of_text, text), len(text))
            async with self.storage.transaction() as work:
                await work.entries.reindex(entry, terms, self.index_terms.version)
        return bool(entries)
