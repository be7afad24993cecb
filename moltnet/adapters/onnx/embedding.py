"""The port `Embedder` on ONNX Runtime: text to the numbers of its tokens, and those to vectors and expansions."""

import re
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import pairwise
from operator import call
from pathlib import Path
from typing import cast

import attrs
from tokenizers import Encoding, Tokenizer

from moltnet.adapters.onnx.inference import ExpansionInference, Inference
from moltnet.adapters.onnx.model_dir import DECLARATION, TOKENIZER, ModelDirectory, ModelUnusable
from moltnet.adapters.onnx.scheduling import Scheduler
from moltnet.adapters.onnx.spelling import Spelling
from moltnet.domain.indexing import Expansion, ModelName, Span, Vector, passages, windows
from moltnet.domain.text import without_noise
from moltnet.ports.telemetry import NO_TELEMETRY, Telemetry

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_LONG_WORD = re.compile(r"\w{100}")  # a longer one is unknown whatever is in it


@attrs.frozen
class Tokens:
    """The tokens of a text without special ones: their spans in order, and where words begin, both in code points."""

    spans: tuple[Span, ...]
    word_starts: tuple[int, ...]


class TextTokenizer:
    """A `tokenizer.json`, read-only after construction and so safe to use from several threads.

    Text is only ever text: `[SEP]` in a diary is five characters, not the end of the input.
    """

    def __init__(self, path: Path) -> None:
        """Reads the file; raises ModelUnusable."""
        try:
            self._tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:  # the library raises plain Exception
            raise ModelUnusable(f"{path} is not a tokenizer: {error}") from error
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._tokenizer.encode_special_tokens = True
        self.special_tokens = len(self._tokenizer.encode("").ids)
        self.vocabulary = self._tokenizer.get_vocab_size()
        unknown = getattr(self._tokenizer.model, "unk_token", None)
        self._unknown = self._tokenizer.token_to_id(unknown) if unknown else None
        self._spelling = Spelling(self._tokenizer.get_vocab())

    def ids(self, text: str, limit: int) -> list[int]:
        """At most `limit` token numbers, special tokens included; text over it is cut at its end."""
        encoding = self._encoding(text)
        encoding.truncate(limit - self.special_tokens)
        return self._tokenizer.post_process(encoding).ids

    def tokens(self, text: str) -> Tokens:
        """All tokens of a text of any length."""
        encoding = self._encoding(text)
        offsets, words = encoding.offsets, encoding.word_ids
        starts = (
            offset[0] for offset, word, before in zip(offsets, words, [None, *words], strict=False) if word != before
        )
        return Tokens(tuple(Span(start, end) for start, end in offsets), tuple(starts))

    def known(self, text: str) -> str:
        """A text of the same length with blanks for what has no token of its own, and for what is spelled."""
        text = self._spelling.without(text)
        if text.isascii() and not _LONG_WORD.search(text):
            return text
        encoding, characters = self._encoding(text), list(text)
        for number, (start, end) in zip(encoding.ids, encoding.offsets, strict=True):
            if number == self._unknown:
                characters[start:end] = " " * (end - start)
        return "".join(characters)

    def count(self, text: str) -> int:
        """How many tokens a text has, special ones aside."""
        return len(self._encoding(text).ids)

    def _encoding(self, text: str) -> Encoding:
        # As a batch of one: for a single text the library keeps the interpreter's lock, so that no event loop runs.
        (encoding,) = self._tokenizer.encode_batch([_encodable(text)], add_special_tokens=False)
        return encoding


def _encodable(text: str) -> str:
    """The same number of code points, without the halves of characters that UTF-8 has no form for."""
    return _LONE_SURROGATE.sub("\ufffd", text)


# Of a text that does not fit the model whole, a longer sentence is read in windows of so many tokens, which share some.
PASSAGE, OVERLAP = 64, 24
# Of a long text only so much is taken apart for its expansion as can be read: few words are longer.
CHARACTERS_OF_A_TOKEN = 16

_Work = Callable[[], Vector | Expansion]


class OnnxEmbedder:
    """Computes on its own threads, each text by itself: the same text has the same vector whatever else is waiting.

    Any number of event loops may call.
    """

    def __init__(
        self,
        directory: ModelDirectory,
        tokenizer: TextTokenizer,
        graphs: tuple[Inference, ExpansionInference | None],
        threads: int,
        telemetry: Telemetry = NO_TELEMETRY,
    ) -> None:
        """Puts the parts together; raises ModelUnusable if prefix and special tokens leave no room for windows."""
        self._directory = directory
        self._declaration = directory.declaration
        self._tokenizer = tokenizer
        self._inference, self._expanding = graphs
        used = tokenizer.special_tokens + tokenizer.count(self._declaration.passage_prefix)
        self._window = self._declaration.max_tokens - used
        if self._window <= OVERLAP:
            raise ModelUnusable(f"{DECLARATION}: max_tokens must be over {used + OVERLAP} with this prefix")
        self._scheduler = Scheduler[_Work, Vector | Expansion](call, threads, telemetry)

    @classmethod
    def load(
        cls,
        directory: Path,
        threads: int = 2,
        telemetry: Telemetry = NO_TELEMETRY,
        device: str = "cpu",
        *,
        expands: bool = True,
    ) -> "OnnxEmbedder":
        """Reads a model directory and proves it by one computation of full length, on the calling thread.

        A graph that expands is left alone unless it `expands`: the model is then that of the first graph.

        Raises ModelMissing, ModelUnusable and DeviceMissing, each with a sentence for the operator.
        """
        model = ModelDirectory.read(directory, expands=expands)
        tokenizer = TextTokenizer(directory / TOKENIZER)
        inference = Inference(model, device)
        expanding = ExpansionInference(model, model.expansion.max_tokens, device) if model.expansion else None
        embedder = cls(model, tokenizer, (inference, expanding), threads, telemetry)
        longest = model.declaration.max_tokens
        inference.prove(tokenizer.ids("a " * longest, longest))
        if expanding:
            expanding.prove(tokenizer.ids("a " * expanding.longest, expanding.longest), tokenizer.vocabulary)
        return embedder

    @property
    def model(self) -> ModelName:
        """The declared name and a hash over weights, tokenizer and steps."""
        return self._directory.name

    @property
    def words_weight(self) -> float:
        """λ as the model directory declares it."""
        return (self._directory.expansion or self._declaration).words_weight

    @property
    def expansion_weight(self) -> float:
        """δ as the model directory declares it; 0 without a second graph."""
        return self._directory.expansion.expansion_weight if self._directory.expansion else 0.0

    def legible(self, text: str) -> str:
        """The text without noise, and without what the model does not know.

        All that it does not know looks the same to it, and so do words that it spells: where nothing else has a letter
        or digit, nothing is left.
        """
        legible = self._tokenizer.known(without_noise(text))
        return " " * len(text) if legible != text and not any(map(str.isalnum, legible)) else legible

    def windows(self, text: str, heading: str = "") -> tuple[Span, ...]:
        """The passages of a text, beginning at words where the overlap allows; about 40 ms for 100 000 characters.

        A text that fits is one. A heading takes room from the others only where both would not fit, and leaves at
        least half, and more than the overlap.

        A window cut inside a character of several tokens (Hangul), or inside a word longer than the overlap, may hold
        up to three tokens too many. They are cut when embedded, and the next window has them.
        """
        tokens = self._tokenizer.tokens(text)
        if len(tokens.spans) <= self._window:
            return windows(tokens.spans, self._window, OVERLAP)
        most = max(min(self._window // 2, self._window - OVERLAP - 1), 0)
        used = min(self._tokenizer.count(heading), most) if heading else 0
        budget = self._window - used
        cut = passages(text, tokens.spans, min(PASSAGE, budget), OVERLAP, budget)
        return _aligned_to_words(cut, tokens.word_starts)

    async def embed_passages(self, texts: Sequence[str], asker: str | None = None) -> list[Vector]:
        """One vector for each text, in order."""
        prefix = self._declaration.passage_prefix
        computed = await self._scheduler.passages([partial(self._vector, prefix + text) for text in texts], asker)
        return cast("list[Vector]", computed)

    async def embed_query(self, text: str, asker: str | None = None) -> Vector:
        """The vector of a question; it goes before all waiting passages."""
        work = partial(self._vector, self._declaration.query_prefix + text)
        return cast("Vector", await self._scheduler.query(work, asker))

    async def expand_text(self, text: str, asker: str | None = None) -> Expansion | None:
        """What the beginning of a text calls up; None without a second graph."""
        if self._expanding is None:
            return None
        (expansion,) = await self._scheduler.passages([partial(self._expansion, self._expanding, text)], asker)
        return cast("Expansion", expansion)

    async def expand_query(self, text: str, asker: str | None = None) -> Expansion | None:
        """What a question calls up, before all waiting passages; None without a second graph."""
        if self._expanding is None:
            return None
        return cast("Expansion", await self._scheduler.query(partial(self._expansion, self._expanding, text), asker))

    def waiting(self) -> Mapping[str, int]:
        """How many texts wait, by kind."""
        return self._scheduler.waiting()

    async def close(self) -> None:
        """Lets the waiting calls finish, then ends the threads; later calls raise EmbedderUnavailable."""
        await self._scheduler.close()

    def _vector(self, text: str) -> Vector:
        return self._inference.vector(self._tokenizer.ids(text, self._declaration.max_tokens))

    def _expansion(self, expanding: ExpansionInference, text: str) -> Expansion:
        longest = expanding.longest
        return expanding.expansion(self._tokenizer.ids(text[: longest * CHARACTERS_OF_A_TOKEN], longest))


def _aligned_to_words(cut: Sequence[Span], word_starts: Sequence[int]) -> tuple[Span, ...]:
    """Moves each window that begins inside a word to the next word, if the window before reads all that is skipped.

    The end of a word read alone falls into other pieces, often more of them, and the window would no longer fit.
    """
    moved = list(cut[:1])
    for before, window in pairwise(cut):
        at = bisect_left(word_starts, window.start)
        start = word_starts[at] if at < len(word_starts) else window.start
        moved.append(Span(start, window.end) if start <= before.end else window)
    return tuple(moved)
