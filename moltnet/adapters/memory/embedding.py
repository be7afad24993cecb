"""The port `Embedder` without a model: words hashed into 384 numbers, and their stems into an expansion."""

import asyncio
import math
import re
import zlib
from collections.abc import Sequence
from functools import lru_cache
from itertools import islice

from moltnet.domain.indexing import DIMENSIONS, Expansion, ModelName, Span, Vector, passages, windows

_WORD = re.compile(r"\w+")
_WINDOW = 64  # words
_OVERLAP = 8
_STEM_WEIGHT = 1.0
_TRIGRAM_WEIGHT = 0.25
_WORDS_REMEMBERED = 5_000
_PIECES = 30_000
_ENDING = re.compile(r"(?<=\w{3})(?:ing|ed|es|s|ly)$")


class MemoryEmbedder:
    """Texts that share words or parts of words are near, others are not; meaning is beyond it.

    Nothing is random: the same text has the same vector in every process, on every machine.
    """

    @property
    def model(self) -> ModelName:
        """Always `memory-384`."""
        return ModelName("memory-384")

    @property
    def words_weight(self) -> float:
        return 1.0

    @property
    def expansion_weight(self) -> float:
        return 0.5

    def legible(self, text: str) -> str:
        """The text itself: every word is known."""
        return text

    def windows(self, text: str, heading: str = "") -> tuple[Span, ...]:
        """A text of 64 words whole, a longer one in passages; at least half of the words are left by a heading."""
        words = [Span(*word.span()) for word in _WORD.finditer(text)]
        size = _WINDOW - min(len(_WORD.findall(heading)), _WINDOW // 2)
        return passages(text, words, size, _OVERLAP, size) if len(words) > size else windows(words, size, _OVERLAP)

    async def embed_passages(self, texts: Sequence[str], asker: str | None = None) -> list[Vector]:  # noqa: ARG002
        """One vector for each text, from its first 64 words."""
        return [await self.embed_query(text) for text in texts]

    async def embed_query(self, text: str, asker: str | None = None) -> Vector:  # noqa: ARG002  # nobody waits
        await asyncio.sleep(0)  # a long text has hundreds of passages
        return _vector(text)

    async def expand_text(self, text: str, asker: str | None = None) -> Expansion | None:  # noqa: ARG002
        """The stems of the first 64 words: a text calls up what it holds."""
        await asyncio.sleep(0)
        stems = [_stem(word) for word in _first_words(text)]
        return Expansion.of(((_piece(stem), 1.0) for stem in dict.fromkeys(stems)), len(stems))

    async def expand_query(self, text: str, asker: str | None = None) -> Expansion | None:
        return await self.expand_text(text, asker)


def _vector(text: str) -> Vector:
    numbers = [0.0] * DIMENSIONS
    for word in _first_words(text):
        for index, weight in _features(word):
            numbers[index] += weight
    length = math.hypot(*numbers)
    if not length:  # no word at all, or features that cancel each other out
        return Vector.of([1.0, *numbers[1:]])
    return Vector.of([number / length for number in numbers])


def _first_words(text: str) -> list[str]:
    return [word[0] for word in islice(_WORD.finditer(text.lower()), _WINDOW)]


def _stem(word: str) -> str:
    return _ENDING.sub("", word)


def _piece(stem: str) -> int:
    return zlib.crc32(stem.encode("utf-8", "surrogatepass")) % _PIECES


@lru_cache(maxsize=_WORDS_REMEMBERED)
def _features(word: str) -> tuple[tuple[int, float], ...]:
    """What a word adds where: its stem, whole, and the trigrams of the word between marks of its ends."""
    framed = f"<{word}>"
    trigrams = [(framed[at : at + 3], _TRIGRAM_WEIGHT) for at in range(len(framed) - 2)]
    hashed = [
        (zlib.crc32(feature.encode("utf-8", "surrogatepass")), weight)
        for feature, weight in [(_stem(word), _STEM_WEIGHT), *trigrams]
    ]
    return tuple((bits % DIMENSIONS, weight if bits & 1 << 31 else -weight) for bits, weight in hashed)
