"""Folding: the same text however it is written, in bounded space and without sorting long runs of marks."""

import sys
import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moltnet.domain.text import LIGATURES_MAX, MARKS_MOST, folded

# Sorting 100 000 marks at once takes ten seconds of a processor, in pieces some hundredths of one.
HANG_S = 3
MARKS = "\u0301\u0323\u0345\u0334\uff9e\u0e48"
TEXTS = st.lists(
    st.text(st.sampled_from("aǆﬁß\u00c5e㌖가\u1100\u1161\u11a8\ufdfa· —"), max_size=4).flatmap(
        lambda base: st.text(st.sampled_from(MARKS), max_size=MARKS_MOST // 6).map(lambda marks: base + marks)
    ),
    max_size=12,
).map("".join)


def by_the_standard(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text).casefold()
    return unicodedata.normalize("NFKC", plain)


@given(TEXTS | st.text(max_size=60))
def test_ordinary_text_folds_as_the_standard_says(text: str) -> None:
    assert folded(text) == by_the_standard(text)


@given(st.text(st.sampled_from("ab\u0e01\u1100—" + MARKS), max_size=300))
def test_a_text_with_runs_of_marks_keeps_all_of_them(text: str) -> None:
    assert sorted(unicodedata.normalize("NFKD", folded(text))) == sorted(
        unicodedata.normalize("NFKD", by_the_standard(text))
    )


def test_nothing_grows_more_than_sevenfold() -> None:
    size = LIGATURES_MAX * 10
    longest = max(len(folded(chr(code) * size)) for code in range(0x80, sys.maxunicode + 1) if _may_grow(code))
    assert longest <= 7 * size


@pytest.mark.parametrize("phrase", ["\ufdfa", "\ufdfb"])
def test_some_phrases_in_one_character_are_read_and_a_flood_of_them_is_not(phrase: str) -> None:
    assert folded(f"word {phrase} " * LIGATURES_MAX) == by_the_standard(f"word {phrase} " * LIGATURES_MAX)
    assert folded(f"Word {phrase} " * (LIGATURES_MAX + 1)) == f"word {phrase} " * (LIGATURES_MAX + 1)


@pytest.mark.parametrize("marks", ["\u0301\u0323", "\u0345\u0334", "\u0f71\u0f72", "\uff9e\u0301", "—\u0301\u0323"])
def test_a_long_run_of_marks_is_not_sorted_at_once(marks: str) -> None:
    text = "a" + marks * (100_000 // len(marks)) + " b"
    before = time.thread_time()
    folded(text)
    assert time.thread_time() - before < HANG_S


def _may_grow(code: int) -> bool:
    character = chr(code)
    return not 0xD800 <= code < 0xE000 and len(by_the_standard(character)) > 3
