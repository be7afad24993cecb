"""When texts say the same, word for word."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moltnet.domain.text import fold

WORDS = st.lists(st.text("abcß12", min_size=1, max_size=5), min_size=1, max_size=6)
DIVIDERS = st.sampled_from([" ", "  ", "\n", ", ", ". ", "; ", " - ", "!? ", " (", "\u3000", "\u2014"])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Hello, World!", "hello   world"),
        ("a well-known fact.", "A well known fact"),
        ("Stra\u00dfe", "STRASSE"),
        ("\uff28\uff45\uff59", "hey"),
        ("it costs 1,000.", "It costs 1,000"),
        ("\u300c\u65e5\u672c\u300d", "\u65e5\u672c"),
    ],
)
def test_case_space_and_punctuation_make_no_difference(one: str, other: str) -> None:
    assert fold(one) == fold(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("it is -5 degrees", "it is 5 degrees"),
        ("3.5 litres", "35 litres"),
        ("50% done", "50 done"),
        ("C++ code", "C code"),
        ("x < 1", "x > 1"),
        ("feeling \U0001f600", "feeling \U0001f621"),
        ("a b", "ab"),
        ("...", "!!!"),
        ("", "..."),
        ("now", "not"),
    ],
)
def test_what_changes_the_meaning_makes_another_text(one: str, other: str) -> None:
    assert fold(one) != fold(other)


def test_where_one_part_ends_counts() -> None:
    assert fold("a b", "c") != fold("a", "b c")
    assert fold(None, "a") == fold("", "a") != fold("a", None)


@given(words=WORDS, dividers=st.lists(DIVIDERS, min_size=6, max_size=6), upper=st.booleans())
def test_however_words_are_divided_they_fold_alike(words: list[str], dividers: list[str], *, upper: bool) -> None:
    text = "".join(word + divider for word, divider in zip(words, dividers, strict=False))
    assert fold(text.upper() if upper else text) == fold(" ".join(words))


@given(text=st.text(st.characters()))
def test_any_text_has_a_fold_of_16_bytes(text: str) -> None:
    assert len(fold(text)) == 16
