"""Long text as passages that each fit the embedding model: a sentence each, so that none is drowned by another.

A vector levels out what it reads, and weighs the beginning most: a fact at the end of a long window is hardly in it.
Where every sentence is read by itself it is found as surely at the end of a text as at its start.
"""

import math
import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import pairwise
from operator import attrgetter

import attrs

# A sentence of fewer tokens ("I agree.", a date, an abbreviation taken for an end) is read with the next one.
SENTENCE_LEAST = 12
# About as many passages has a text at most, for it is read in longer ones the longer it is: ordinary prose of 10 000
# characters has a hundred sentences, each of which is read by itself, and one entry cannot fill a store with vectors.
PASSAGES_MOST = 192
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

    Short sentences stand with the next one, or at the end with the one before. What has more than `size` tokens is cut
    into windows, of which neighbours share `overlap`. In a text of more tokens than PASSAGES_MOST such windows hold,
    both are longer, up to the `budget` that a passage has.
    """
    share = math.ceil(len(tokens) / PASSAGES_MOST)
    size = min(max(size, share + overlap), budget)
    sentences = _sentences(text, tokens, min(max(SENTENCE_LEAST, share), budget))
    return tuple(window for sentence in sentences for window in windows(sentence, size, overlap))


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


def _sentences(text: str, tokens: Sequence[Span], least: int) -> Iterator[Sequence[Span]]:
    """Runs of tokens that leave none out, of at least `least` each but for a text that has fewer."""
    cuts = [0]
    for end in _ENDS.finditer(text):
        at = bisect_left(tokens, end.end(), key=_START)
        if at - cuts[-1] >= least and len(tokens) - at >= least:
            cuts.append(at)
    for first, until in pairwise([*cuts, len(tokens)]):
        yield tokens[first:until]
