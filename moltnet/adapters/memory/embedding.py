"""The port `Embedder` without a model: words hashed into 384 numbers."""

import asyncio
import math
import re
import zlib
from collections.abc import Sequence
from functools import lru_cache

from moltnet.domain.indexing import DIMENSIONS, ModelName, Span, Vector, passages, windows

_WORD = re.compile(r"\w+")
_WINDOW = 64  # words
_OVERLAP = 8
_STEM_WEIGHT = 1.0
_TRIGRAM_WEIGHT = 0.25
_WORDS_REMEMBERED = 5_000
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


def _vector(text: str) -> Vector:
    numbers = [0.0] * DIMENSIONS
    for word, _ in zip(_WORD.finditer(text.lower()), range(_WINDOW), strict=False):
        for index, weight in _features(word[0]):
            numbers[index] += weight
    length = math.hypot(*numbers)
    if not length:  # no word at all, or features that cancel each other out
        return Vector.of([1.0, *numbers[1:]])
    return Vector.of([number / length for number in numbers])


@lru_cache(maxsize=_WORDS_REMEMBERED)
def _features(word: str) -> tuple[tuple[int, float], ...]:
    """What a word adds where: its stem, whole, and the trigrams of the word between marks of its ends."""
    framed = f"<{word}>"
    trigrams = [(framed[at : at + 3], _TRIGRAM_WEIGHT) for at in range(len(framed) - 2)]
    hashed = [
        (zlib.crc32(feature.encode("utf-8", "surrogatepass")), weight)
        for feature, weight in [(_ENDING.sub("", word), _STEM_WEIGHT), *trigrams]
    ]
    return tuple((bits % DIMENSIONS, weight if bits & 1 << 31 else -weight) for bits, weight in hashed)
