"""What is left out of what a model sees, by its vocabulary."""
# ruff: noqa: RUF001  # letters that look like Latin ones are what it is about

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moltnet.adapters.onnx.spelling import Spelling

GREEK, CYRILLIC = "αβγδεζηθικλμνξοπρστυφχψω", "абвгдежзийклмнопрстуфхцчшщъыьэюя"
HAN = [chr(0x4E00 + number) for number in range(300)]
ENGLISH = ["note", "the", "##s", *"abcdefghijklmnopqrstuvwxyz", *GREEK, *CYRILLIC, *HAN, "##ка", "°", "→"]
MULTILINGUAL = [
    *ENGLISH,
    *(f"▁{first}{second}" for first in CYRILLIC for second in "аеио"),
    *map(chr, range(20000, 21000)),
]
BYTES = ["Ġthe", "Ã", "à¸", *"abcdefghijklmnopqrstuvwxyz"]


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("Вчера Вера сказала: «Grafana» стоит, до 14.", "                     Grafana            14."),
        ("今日、Bob 東京。", "   Bob    "),
        ("the angle α is 3° → naïve café", "the angle α is 3° → naïve café"),
        ("два\nдня", "   \n   "),
        ("", ""),
    ],
)
def test_words_of_scripts_that_are_spelled_are_left_out(text, read):
    assert Spelling(ENGLISH).without(text) == read


@pytest.mark.parametrize("text", ["Вчера Вера сказала", "今日は東京へ", "γειά σου"])
@pytest.mark.parametrize("vocabulary", [BYTES, []])
def test_model_whose_vocabulary_has_no_letters_of_a_script_reads_it(vocabulary, text):
    assert Spelling(vocabulary).without(text) == text


def test_model_for_several_languages_reads_their_scripts():
    spelling = Spelling(MULTILINGUAL)

    assert spelling.without("Вчера Вера 今日東京") == "Вчера Вера 今日東京"
    assert spelling.without("γειά σου") == "        "


@given(st.text())
def test_what_is_left_stands_where_it_stood(text):
    read = Spelling(ENGLISH).without(text)

    assert len(read) == len(text)
    assert all(after in (before, " ") for before, after in zip(text, read, strict=True))
    assert [each for each in read if each.isascii()] == [
        after for before, after in zip(text, read, strict=True) if after.isascii()
    ]
