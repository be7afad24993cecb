"""Long text as passages: a sentence each, and overlapping windows of a long one."""

import re
from itertools import pairwise

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from moltnet.domain.indexing import PASSAGES_MOST, SENTENCE_LEAST, Span, passages, windows

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


def words_of(text: str) -> list[Span]:
    """A token for each word and each mark."""
    return [Span(*found.span()) for found in re.finditer(r"\w+|[^\w\s]", text)]


def cut(text: str, size: int = 40, overlap: int = 10) -> list[str]:
    """The passages of a text."""
    return [passage.of(text) for passage in passages(text, words_of(text), size, overlap, size)]


FACT = "Ada keeps the spare key under the third flower pot at the back door."
HAY = [f"On day {day} nothing that was worth a longer note has happened here." for day in range(30)]


@pytest.mark.parametrize("before", [0, 15, 30])
@pytest.mark.parametrize("between", [" ", "\n", "\n\n", "  \r\n"])
def test_a_sentence_is_read_alike_wherever_it_stands(before: int, between: str) -> None:
    text = between.join([*HAY[:before], FACT, *HAY[before:]])
    assert cut(text) == [*HAY[:before], FACT, *HAY[before:]]


@pytest.mark.parametrize(
    "sentences",
    [
        ['He said: "I will be there at nine, not later!"', "And then nobody came for all the rest of the day."],
        ["Is this the place where the ferry used to land?!", "(It was, until the bridge was built in 1932.)", FACT],
        ["a、b、c、d、e、f、g。", "a、b、c、d、e、f、g\uff01", "a、b、c、d、e、f、g\uff1f"],
        [
            "# What a long heading over this list of many things says",
            "- milk, and three of the small loaves of white bread",
            "2. " + FACT,
        ],
        [
            "no mark ends this line of a note that is without marks",
            "\nand after an empty line there is another one of them, too",
        ],
    ],
)
def test_sentences_end_where_a_reader_sees_it(sentences: list[str]) -> None:
    between = "" if sentences[0].endswith("\u3002") else "\n"
    assert cut(between.join(sentences)) == [sentence.strip() for sentence in sentences]


@pytest.mark.parametrize(
    "text",
    [
        "Version 3.14 of example.org's page shows 1.5 million of them at ten.",
        "A text that somebody has broken\ninto lines, as letters and\ncommit messages are.",
        "The e. g. of the Romans, i. e. theirs.",
        "Yes. No. On 6 May. It depends.",
    ],
)
def test_what_ends_no_sentence_of_some_length_cuts_nothing(text: str) -> None:
    assert cut(text) == [text]


def test_a_short_sentence_stands_with_the_next_and_the_last_with_the_one_before() -> None:
    assert cut(f"6 May. {FACT} {HAY[0]} Well.") == [f"6 May. {FACT}", f"{HAY[0]} Well."]


def test_a_sentence_longer_than_a_window_is_read_in_windows() -> None:
    long = "and on " * 40 + "it went."
    first, *more = cut(f"{FACT} {long}")
    assert first == FACT
    assert len(more) == 3
    assert more[-1].endswith("it went.")


CHARACTERS = [Span(at, at + 1) for at in range(100_000)]


@pytest.mark.parametrize("sentence", ["\u3002", "a。", "no end", "Yes, I do. "])
@pytest.mark.parametrize("length", [10_000, 100_000])
def test_a_text_has_so_many_passages_at_most_whatever_it_is_made_of(sentence: str, length: int) -> None:
    text = (sentence * length)[:length]
    tokens = [token for token, character in zip(CHARACTERS, text, strict=False) if character != " "]
    cut = passages(text, tokens, 64, 24, 100_000)
    assert PASSAGES_MOST / 2 <= len(cut) <= 2 * PASSAGES_MOST  # they read alike
    most = 2 * len(tokens) // 232 + 1  # any two neighbours together do not fit
    assert len(passages(text, tokens, 64, 24, 232)) <= max(2 * PASSAGES_MOST, most)


def test_of_many_sentences_only_as_many_are_joined_as_must_be() -> None:
    long = [f"{at}: {FACT}" for at in range(40)]
    short = [f"One of those that say little about day {at} or the work." for at in range(80)]
    found = cut(" ".join([*long, *short]), size=64, overlap=24)
    assert len(found) == PASSAGES_MOST
    assert found[: len(long)] == long
    assert len(set(short).intersection(found)) == 80 - 2 * (120 - PASSAGES_MOST)


def test_what_is_said_again_and_again_joins_nothing() -> None:
    sentences = [*HAY, FACT] * 6
    assert cut(" ".join(sentences)) == sentences


@given(lengths=st.lists(st.integers(1, 400), max_size=400))
def test_however_long_its_sentences_are_a_text_has_no_more_than_twice_as_many(lengths: list[int]) -> None:
    text = "".join("a" * length + "。" for length in lengths)
    tokens = [Span(at, at + 1) for at in range(len(text))]
    found = passages(text, tokens, 64, 24, 100_000)
    assert len({passage.of(text) for passage in found}) <= 2 * PASSAGES_MOST
    assert len(found) <= 3 * PASSAGES_MOST


@given(
    text=st.text(st.sampled_from("ab .!?\"'\n。-1)"), max_size=300),
    size=st.integers(SENTENCE_LEAST, 20),
    overlap=st.integers(0, 7),
)
def test_passages_leave_no_token_out_and_fit(text: str, size: int, overlap: int) -> None:
    tokens = words_of(text)
    holding = [held(passage, tokens) for passage in passages(text, tokens, size, overlap, size)]
    assert sorted(set().union(*holding)) == list(range(len(tokens)))
    assert all(min(SENTENCE_LEAST, len(tokens)) <= len(inside) <= size for inside in holding)
    assert all(left[0] < right[0] and left[-1] < right[-1] for left, right in pairwise(holding))


def test_a_span_counts_code_points() -> None:
    assert Span(1, 3).of("a\U0001f9e0bc") == "\U0001f9e0b"
