"""What an entry is found by: its passages, their vectors under a model, and its terms; which model serves a network.

Passages each fit the embedding model: a sentence each, so that none is drowned by another. A vector levels out what it
reads, and weighs the beginning most: a fact at the end of a long window is hardly in it. Where every sentence is read
by itself it is found as surely at the end of a text as at its start.

The switch from one model to another ends when every entry has vectors of the other.
"""

import math
import re
import struct
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from operator import attrgetter, mul
from typing import NewType

import attrs

from moltnet.domain.errors import Unavailable

# A sentence of fewer tokens ("I agree.", a date, an abbreviation taken for an end) is read with the next one.
SENTENCE_LEAST = 12
# About as many passages has a text at most: its shortest sentences are joined until then, as far as the model reads.
# Ordinary prose of 10 000 characters has a hundred sentences, nearly each of which is read by itself, and one entry
# cannot fill a store with vectors: each takes a kilobyte (ADR-55).
PASSAGES_MOST = 96
# Where a sentence may end: after its mark and what closes it, at an empty line, before a heading or item of a list. A
# line alone ends nothing, for much text is broken into lines. Each alternative is linear in the length of a text.
_ENDS = re.compile(
    r"""(?<=[.!?\u2026])["')\]\xbb\u201d\u2019]*+\s++
    | (?<=[\u3002\uff01\uff1f])["')\]\u300d\u300f\uff09\u201d\u2019]*+\s*+
    | \n[^\S\n]*+\n\s*+
    | \n(?=[^\S\n]*+(?:[-*\u2022\#>]|\d{1,9}[.)])\s)""",
    re.VERBOSE,
)
_START = attrgetter("start")


@attrs.frozen
class Span:
    """A run of characters `start` (inclusive) to `end` (exclusive) of a text, counted in code points."""

    start: int
    end: int

    def of(self, text: str) -> str:
        """The characters of `text` under this span."""
        return text[self.start : self.end]


def passages(text: str, tokens: Sequence[Span], size: int, overlap: int, budget: int) -> tuple[Span, ...]:
    """Cuts a text, given with the spans of its tokens, into its sentences.

    Short sentences stand with the next one, or at the end with the one before. Of more than PASSAGES_MOST that differ
    the shortest are joined. What has more than `size` tokens is cut into windows, of which neighbours share `overlap`;
    in a text of more tokens than PASSAGES_MOST such windows hold they are longer, up to the `budget` of a passage.
    """
    share = math.ceil(len(tokens) / PASSAGES_MOST)
    size = min(max(size, share + overlap, 2 * share), budget)
    cuts = _joined(text, tokens, _cuts(text, tokens, min(SENTENCE_LEAST, budget)), size)
    return tuple(window for first, until in pairwise(cuts) for window in windows(tokens[first:until], size, overlap))


def windows(tokens: Sequence[Span], size: int, overlap: int) -> tuple[Span, ...]:
    """Cuts a text, given as the spans of its tokens, into windows of at most `size` tokens.

    Neighbours share `overlap` tokens, so a run across a cut is whole in one of them. The last window is moved back to
    end with the text at full size. No tokens, no windows.
    """
    if not 0 <= overlap < size:
        raise ValueError("overlap must be at least 0 and smaller than size")
    if not tokens:
        return ()
    last = max(len(tokens) - size, 0)
    starts = [*range(0, last, size - overlap), last]
    return tuple(Span(tokens[at].start, tokens[min(at + size, len(tokens)) - 1].end) for at in starts)


def _cuts(text: str, tokens: Sequence[Span], least: int) -> list[int]:
    """Where sentences of at least `least` tokens begin, as places among the tokens, and where the last one ends."""
    cuts = [0]
    for end in _ENDS.finditer(text):
        at = bisect_left(tokens, end.end(), key=_START)
        if at - cuts[-1] >= least and len(tokens) - at >= least:
            cuts.append(at)
    return [*cuts, len(tokens)]


def _joined(text: str, tokens: Sequence[Span], cuts: list[int], most: int) -> list[int]:
    """The same without some, for PASSAGES_MOST sentences: neighbours of together `most` tokens, the fewest first.

    Of sentences that read alike, which are embedded once, there may be twice as many.
    """
    while (excess := max(_distinct(text, tokens, cuts) - PASSAGES_MOST, len(cuts) - 1 - 2 * PASSAGES_MOST)) > 0:
        lengths = {at: cuts[at + 1] - cuts[at - 1] for at in range(1, len(cuts) - 1)}
        removed = set[int]()
        for at in sorted((at for at, length in lengths.items() if length <= most), key=lengths.__getitem__):
            if len(removed) < excess and removed.isdisjoint((at - 1, at + 1)):
                removed.add(at)
        if not removed:
            break
        cuts = [cut for at, cut in enumerate(cuts) if at not in removed]
    return cuts


def _distinct(text: str, tokens: Sequence[Span], cuts: Sequence[int]) -> int:
    return len({text[tokens[first].start : tokens[until - 1].end] for first, until in pairwise(cuts) if first < until})


DIMENSIONS = 384


ModelName = NewType("ModelName", str)


Term = NewType("Term", str)


class EmbedderUnavailable(Unavailable):
    """The embedding model cannot compute; text search still works."""

    code = "EMBEDDER_UNAVAILABLE"
    sentence = "The embedding model is unavailable"


@attrs.frozen
class Vector:
    """384 float16 in little-endian order, as a buffer: no numeric library is needed to carry one.

    What is stored and what is asked are rounded alike, so every store compares the same numbers (ADR-55).
    """

    data: bytes = attrs.field(repr=False)

    @data.validator
    def _right_size(self, _: object, data: bytes) -> None:
        if len(data) != DIMENSIONS * 2:
            raise ValueError(f"a vector holds {DIMENSIONS} float16, got {len(data)} bytes")

    @classmethod
    def of(cls, numbers: Sequence[float]) -> "Vector":
        """The vector of 384 numbers, rounded; raises OverflowError for one beyond 65 504."""
        return cls(struct.pack(f"<{len(numbers)}e", *numbers))

    def numbers(self) -> tuple[float, ...]:
        """The 384 numbers."""
        return struct.unpack(f"<{DIMENSIONS}e", self.data)

    def cosine(self, other: "Vector") -> float:
        """The cosine of the angle to `other`, in [-1, 1]; 0 beside a vector of length zero."""
        mine, theirs = self.numbers(), other.numbers()
        lengths = math.sqrt(_dot(mine, mine) * _dot(theirs, theirs))
        # Rounding would lead a little beyond 1.
        return max(-1.0, min(1.0, _dot(mine, theirs) / lengths)) if lengths else 0.0


# Of the words that a text calls up the heaviest are stored; lighter ones say nothing.
EXPANSION_MOST, EXPANSION_LEAST = 256, 0.01


@attrs.frozen
class Expansion:
    """The words that a text calls up in a model, those it holds and others: pieces of words by number, with weights.

    Each weight is above 0, and at most EXPANSION_MOST are there; a text may call up none. `tokens` is as how
    many the text was read; it is told of a query, and never stored.
    """

    weights: Mapping[int, float] = attrs.field(factory=dict, repr=False)
    tokens: int = attrs.field(default=1, eq=False)

    @weights.validator
    def _bounded(self, _: object, weights: Mapping[int, float]) -> None:
        if len(weights) > EXPANSION_MOST or not all(0 < weight < math.inf for weight in weights.values()):
            raise ValueError(f"an expansion holds at most {EXPANSION_MOST} weights, each above 0")

    @classmethod
    def of(cls, weights: Iterable[tuple[int, float]], tokens: int = 1) -> "Expansion":
        """The heaviest of weights of at least EXPANSION_LEAST; of equal ones those of the smallest numbers."""
        heavy = [each for each in weights if each[1] >= EXPANSION_LEAST]
        if len(heavy) > EXPANSION_MOST:
            heavy = sorted(heavy, key=lambda each: (-each[1], each[0]))[:EXPANSION_MOST]
        return cls(dict(heavy), tokens)

    @property
    def strength(self) -> float:
        """How much is called up: the sum of the squares of its weights."""
        return sum(weight * weight for weight in self.weights.values())

    def shares(self) -> dict[int, float]:
        """Of a query: how much each piece adds for a unit of its weight, so that the query itself adds up to 1."""
        square = self.strength
        return {piece: weight / square for piece, weight in self.weights.items()}

    def covers(self, shares: Mapping[int, float]) -> float:
        """How much of what a query calls up, by its shares, this text calls up too, 0 to 1."""
        return min(1.0, sum(share * self.weights.get(piece, 0.0) for piece, share in shares.items()))


@attrs.frozen
class IndexedPassage:
    """The vector of one window of an entry's text; `ordinal` 0 is the entry's beginning."""

    ordinal: int
    start: int
    end: int
    vector: Vector


@attrs.frozen(kw_only=True)
class ModelPassages:
    """A text's passages under one model; none for a text without a token.

    `expansion` is of the whole text's beginning, as much as the model reads at once; None of a model that expands none.
    """

    model: ModelName
    passages: tuple[IndexedPassage, ...]
    expansion: Expansion | None = None


@attrs.frozen(kw_only=True)
class EntryIndex:
    """What an entry is found by: its passages and expansion under one model, its terms with their positions from 1.

    `analysis` is the version of what split the text into terms (`TextAnalyzer.version`).

    Without a model there are no passages, and words alone find the entry. `upcoming` is what it will be found by once
    the network has switched to another model.
    """

    model: ModelName | None = None
    passages: tuple[IndexedPassage, ...] = ()
    expansion: Expansion | None = None
    index_terms: Mapping[Term, Sequence[int]] = attrs.field(factory=dict)
    analysis: int = 0
    upcoming: ModelPassages | None = None

    def under(self, model: ModelName) -> tuple[IndexedPassage, ...] | None:
        """The passages of a model; None when the entry has not been embedded by it."""
        if self.model == model:
            return self.passages
        return self.upcoming.passages if self.upcoming and self.upcoming.model == model else None

    def expansion_under(self, model: ModelName) -> Expansion | None:
        """The expansion of a model; None of one that expands no text, or that has not embedded the entry."""
        if self.model == model:
            return self.expansion
        return self.upcoming.expansion if self.upcoming and self.upcoming.model == model else None


def _dot(left: Sequence[float], right: Sequence[float]) -> float:
    return float(sum(map(mul, left, right)))


class ServingModelChanged(Unavailable):
    """What was asked or written carries vectors of a model that serves no longer; nothing was read or written."""

    code = "SERVING_MODEL_CHANGED"
    sentence = "The network has switched to another embedding model; try again"


@attrs.frozen
class ModelReference:
    """A model and where a server finds it: in a directory, or as the installed default."""

    name: ModelName
    directory: str | None = None


@attrs.frozen(kw_only=True)
class ModelState:
    """The model that searches use, and the one that will be used once every entry has vectors of it.

    Neither is set in a network that has never had a model.
    """

    serving: ModelReference | None = None
    target: ModelReference | None = None


@attrs.frozen
class ModelCount:
    """How many entries have vectors of a model, and how many passages they are; None counts those without any."""

    model: ModelName | None
    entries: int
    passages: int


@attrs.frozen(kw_only=True)
class ModelMigrationProgress:
    """How many of all entries are done: embedded by the target, or by the serving model while there is no switch."""

    state: ModelState
    done: int
    total: int

    @property
    def complete(self) -> bool:
        """Whether there is nothing left to do."""
        return self.state.target is None and self.done == self.total
