"""Long text as overlapping windows."""

from itertools import pairwise

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from moltnet.domain.passages import Span, windows

SIZES = st.integers(1, 12)


def tokens_of(count: int, width: int = 3) -> list[Span]:
    """Tokens of two characters with a blank behind each."""
    return [Span(width * number, width * number + width - 1) for number in range(count)]


def held(window: Span, tokens: list[Span]) -> list[int]:
    """Which tokens stand whole in a window."""
    return [number for number, token in enumerate(tokens) if window.start <= token.start and token.end <= window.end]


@given(count=st.integers(1, 60), size=SIZES, overlap=st.integers(0, 11))
@example(1, 1, 0)
@example(12, 12, 11)
@example(13, 12, 11)
def test_windows_cover_a_text_and_overlap(count: int, size: int, overlap: int) -> None:
    assume(overlap < size)
    tokens = tokens_of(count)
    holding = [held(window, tokens) for window in windows(tokens, size, overlap)]
    assert sorted(set().union(*holding)) == list(range(count))
    assert all(len(inside) == min(size, count) for inside in holding)
    assert all(len(set(left) & set(right)) >= overlap for left, right in pairwise(holding))
    assert all(left[0] < right[0] for left, right in pairwise(holding))


@given(count=st.integers(1, 60), size=SIZES, overlap=st.integers(0, 11))
def test_a_run_no_longer_than_the_overlap_is_whole_in_a_window(count: int, size: int, overlap: int) -> None:
    assume(overlap < size)
    tokens = tokens_of(count)
    holding = [set(held(window, tokens)) for window in windows(tokens, size, overlap)]
    length = min(overlap + 1, count)
    for start in range(count - length + 1):
        assert any(set(range(start, start + length)) <= inside for inside in holding)


def test_a_short_text_is_one_window() -> None:
    assert windows(tokens_of(3), 3, 1) == (Span(0, 8),)


def test_the_last_window_is_moved_back_to_full_size() -> None:
    assert windows(tokens_of(5), 4, 1) == (Span(0, 11), Span(3, 14))


def test_no_tokens_no_windows() -> None:
    assert windows([], 4, 1) == ()


@pytest.mark.parametrize(("size", "overlap"), [(4, 4), (4, 5), (4, -1), (0, 0)])
def test_an_overlap_is_smaller_than_a_window(size: int, overlap: int) -> None:
    with pytest.raises(ValueError, match="overlap"):
        windows(tokens_of(9), size, overlap)


def test_a_span_counts_code_points() -> None:
    assert Span(1, 3).of("a\U0001f9e0bc") == "\U0001f9e0b"
