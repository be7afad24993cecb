"""Long text as overlapping windows that each fit the embedding model, so that no sentence goes unread."""

from collections.abc import Sequence

import attrs


@attrs.frozen
class Span:
    """A run of characters `start` (inclusive) to `end` (exclusive) of a text, counted in code points."""

    start: int
    end: int

    def of(self, text: str) -> str:
        """The characters of `text` under this span."""
        return text[self.start : self.end]


def windows(tokens: Sequence[Span], size: int, overlap: int) -> tuple[Span, ...]:
    """Cuts a text, given as the spans of its tokens, into windows of at most `size` tokens.

    Neighbours share `overlap` tokens, so a sentence across a cut is whole in one of them. The last window is moved
    back to end with the text at full size. No tokens, no windows.
    """
    if not 0 <= overlap < size:
        raise ValueError("overlap must be at least 0 and smaller than size")
    if not tokens:
        return ()
    last = max(len(tokens) - size, 0)
    starts = [*range(0, last, size - overlap), last]
    return tuple(Span(tokens[at].start, tokens[min(at + size, len(tokens)) - 1].end) for at in starts)
