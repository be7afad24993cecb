"""Words by Snowball: where a word begins and ends, and what of it is kept."""

import pytest

from moltnet.adapters.text_analysis import SnowballAnalyzer
from moltnet.domain.indexing import Term
from moltnet.domain.search import Query

LEXEMES = SnowballAnalyzer()


def words(text: str) -> list[str]:
    """The lexemes in the order of their positions."""
    found = LEXEMES.of_text(text)
    return [term for _, term in sorted((position, term) for term in found for position in found[term])]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("running runs ran", ["run", "run", "ran"]),
        # From the Snowball project's English (Porter2) vocabulary.
        ("consistency consolation knightly generally", ["consist", "consol", "knight", "general"]),
        ("snake_case kebab-case foo.bar a/b@c", ["snake", "case", "kebab", "case", "foo", "bar", "b", "c"]),
        ("v1.2 3rd 2026-01-30", ["v1", "2", "3rd", "2026", "01", "30"]),
        ("camelCase HTTPServer", ["camelcas", "httpserver"]),
    ],
)
def test_words_are_runs_of_letters_and_digits_without_endings(text: str, expected: list[str]):
    assert words(text) == expected


@pytest.mark.parametrize("apostrophe", ["'", "\u2019", "\u02bc", "\uff07"])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("don't can't won't isn't", []),
        ("we're they've it's I'll he'd I'm", []),
        ("the agent's agents' key", ["agent", "agent", "key"]),
        ("O'Brien", ["o", "brien"]),
        ("rock'n'roll", ["rock", "n", "roll"]),
        ("'quoted' ''twice''", ["quot", "twice"]),
        ("foo't", ["foo", "t"]),
    ],
)
def test_apostrophe_divides_but_for_english_endings(apostrophe: str, text: str, expected: list[str]):
    assert words(text.replace("'", apostrophe)) == expected


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("CAFÉ", "café"),
        ("cafe\u0301", "caf\u00e9"),
        ("STRASSE", "straße"),
        ("ﬁle", "file"),
        ("\uff21\uff22\uff23\uff11\uff12", "abc12"),
        ("ΣΊΣΥΦΟΣ", "σίσυφος"),
        ("Ⅻ", "xii"),
        ("x\u00b2", "x2"),
        ("co\u00adoperate", "cooperate"),
        ("\u0646\u200c\u0645", "\u0646\u0645"),
        ("1\ufe0f\u20e3", "1"),
    ],
)
def test_what_only_looks_different_is_the_same(one: str, other: str):
    assert words(one) == words(other) != []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("हिन्दी भाषा", ["हिन्दी", "भाषा"]),
        ("Ελλάς, наши!", ["ελλάσ", "наши"]),
        ("a\u200bb \u3000c", ["b", "c"]),
        ("Docker\u2122 x\u2120", ["docker", "x"]),
        ("ok 👍🏽 ❤️ 🇩🇪 fine", ["ok", "fine"]),
        ("\u0301x \u00b4y", ["x", "y"]),
        ("a\x00b \ud800c\udfff", ["b", "c"]),
    ],
)
def test_scripts_signs_and_emoji(text: str, expected: list[str]):
    assert words(text) == expected


def test_characters_without_spaces_are_words_and_pairs():
    assert LEXEMES.of_text("x東京都。に") == {
        "x": [1],
        "東": [2],
        "東京": [2],
        "京": [3],
        "京都": [3],
        "都": [4],
        "に": [5],
    }


@pytest.mark.parametrize("part", ["京都", "都", "東京", "서울", "ไทย"])
def test_part_of_a_run_without_spaces_finds_it(part: str):
    index = LEXEMES.of_text("これは東京都です 서울에서 ภาษาไทย")
    assert LEXEMES.of_query(Query(scored=part)).scored <= index.keys()


def test_word_weighs_by_its_pairs_too():
    assert LEXEMES.of_query(Query(scored="東京")).scored == {"東", "京", "東京"}
    assert LEXEMES.of_query(Query(scored="", required=("東京",))).required == ((Term("東"), Term("京")),)


def test_long_word_is_cut_and_still_found():
    long = "x" * 10_000
    assert words(long) == ["x" * 255]
    assert LEXEMES.of_query(Query(scored=long)).scored == {"x" * 255}
