"""Words by Snowball: where a word begins and ends, and what of it is kept."""

from itertools import chain

import pytest

from moltnet.adapters.text_analysis import SnowballAnalyzer
from moltnet.domain.indexing import Term
from moltnet.domain.search import Query

LEXEMES = SnowballAnalyzer()


def words(text: str) -> list[str]:
    """The lexemes in the order of their positions, the first form of each."""
    found = LEXEMES.of_text(text)
    first: dict[int, str] = {}
    for term, positions in found.items():
        for position in positions:
            first.setdefault(position, term)
    return [term for _, term in sorted(first.items())]


def forms(text: str) -> set[str]:
    """Every form of every word."""
    return set(LEXEMES.of_text(text))


def found(query: str, text: str) -> bool:
    """Whether a text holds every word of a query in some form."""
    asked, held = LEXEMES.of_query(Query.parse(query)), LEXEMES.of_text(text).keys()
    return asked.scored <= held and all(
        not held.isdisjoint(chain.from_iterable(each)) for each in asked.forms if each[-1]
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("running runs ran", ["run", "run", "ran"]),
        # From the Snowball project's English (Porter2) vocabulary.
        ("consistency consolation knightly generally", ["consist", "consol", "knight", "general"]),
        ("snake_case kebab-case foo.bar a/b@c", ["snake", "case", "kebab", "case", "foo", "bar", "b", "c"]),
        ("v1.2 3rd 2026-01-30", ["v1", "2", "3rd", "2026", "01", "30"]),
        ("camelCase HTTPServer", ["camel", "case", "http", "server"]),
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
        ("हिन्दी भाषा", ["हिन्द", "भाष"]),
        ("Ελλάς, наши!", ["ελλ", "наш"]),
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
        "东": [2],
        "东京": [2],
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
    assert LEXEMES.of_query(Query(scored="東京")).scored == {"东", "京", "东京"}
    assert LEXEMES.of_query(Query(scored="", required=("東京",))).required == ((Term("东"), Term("京")),)


def test_long_word_is_cut_and_still_found():
    long = "x" * 10_000
    assert words(long) == ["x" * 255]
    assert found(long, long)


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("get user by id", "getUserById(7)"),
        ("get_user_by_id", "calls getUserById"),
        ("getUserById", "get_user_by_id is slow"),
        ("GetUserById", "the get-user-by-id route"),
        ("getuserbyid", "getUserById"),
        ("getuserbyid", "get_user_by_id"),
        ("GitHub", "on github"),
        ("github", "GitHub Actions"),
        ("http2 server", "http2Server"),
        ("http 2 server", "Http2Server"),
        ("utf8", "utf-8"),
        ("UTF-8", "utf8"),
        ("who am i", "whoAmI"),
        ("whoAmI", "whoami"),
        ("main window", "src/ui/mainWindow.ts"),
        ("C++", "in C++, mostly"),
        ("\u2122", "Docker\u2122 only"),
        ("c#", "a C# service"),
        ("1.2.3", "released v1.2.3 today"),
        ("v1.2.3", "version 1.2.3"),
        ("1.2", "1.2.3-rc1"),
        ("02.03.2025", "on 2 March 2025"),
        ("2025-03-02", "am 2. März 2025"),
        ("March 2nd, 2025", "2025-03-02"),
        ("3/2/2025", "2 March 2025"),
        ("2/3/2025", "2 March 2025"),
        ("2 de marzo de 2025", "02.03.2025"),
        ("2025年3月2日", "2025-03-02"),
        ("0660 1234567", "+43 660 123 45 67"),
        ("+436601234567", "0660/1234567"),
        ("555-010-9999", "call (555) 010 9999"),
        ("1000", "1,000 rows"),
        ("+1 for tabs", "1 for tabs"),
        ("🎉", "Launch party 🎉🚀"),
        ("🇩🇪", "the 🇩🇪 office"),
        ("👍", "👍🏽 from me"),
        ("→", "a → b"),
        ("€", "12 €"),
    ],
)
def test_what_is_written_otherwise_is_found(query: str, text: str):
    assert found(query, text)


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("deploiement", "le déploiement est terminé"),
        ("region", "la región está lejos"),
        ("Juergen", "Jürgen hat angerufen"),
        ("Jurgen", "Jürgen hat angerufen"),
        ("Jürgen", "Juergen hat angerufen"),
        ("Malmo", "tåget till Malmö"),
        ("Aarhus", "toget til Århus"),
        ("smorrebrod", "vi spiste smørrebrød"),
        ("Istanbul", "İstanbul'da bir toplant\u0131"),
        ("isik", "\u0131ş\u0131k aç\u0131k"),
        ("Lodz", "spotkanie w Łodzi, Łódź"),
        ("dia chi", "địa chỉ mới"),
        ("елка", "ёлка"),
        ("Αθηνα", "στην Αθήνα"),
    ],
)
def test_marks_may_be_left_out(query: str, text: str):
    assert found(query, text)


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("книги", "я вернул книгу в библиотеку"),
        ("Häuser", "Das Haus ist alt und die Tür ist neu"),
        ("chevaux", "un cheval dans le pré avec les vaches"),
        ("canciones", "una canción que me gusta mucho"),
        ("المعلمون", "المعلم في المدرسة"),
        ("cidades", "a cidade não dorme e as ruas são longas"),
        ("lägenheten", "vi har en lägenhet som är stor"),
        ("evler", "ev çok güzel ve bir bahçe var"),
    ],
)
def test_inflected_words_of_other_languages_are_found(query: str, text: str):
    assert found(query, text)


@pytest.mark.parametrize(
    "text", ["Deploy failed", "The plan is to die another day", "It was over, and the war on drugs was plus or minus"]
)
def test_english_text_has_one_form_of_each_word(text: str):
    assert not any(term.startswith("~") for term in forms(text))


def test_data_is_one_word():
    data = "aGVsbG8gd29ybGQ/dGhpcyBpcyBhIHRlc3Q+YXBpL2tleQ+Zm9vYmFyR28/Q2F0RG9n"
    assert len(forms(f"key {data} end")) == 3
    assert found(data, f"key {data} end")


@pytest.mark.parametrize("path", ["/usr/local/lib/python3.11/site-packages/moltnet/adapters/postgres", "a" * 80])
def test_long_names_are_no_data(path: str):
    assert found(path.strip("/").split("/")[-1], f"see {path}")


@pytest.mark.parametrize(
    ("query", "text"), [("發現頭髮", "发现头发"), ("里面", "裡面"), ("乾淨", "干净"), ("图书", "圖書館")]
)
def test_chinese_characters_have_one_form(query: str, text: str):
    assert found(query, text)
    assert found(text, query) or len(text) > len(query)


def test_characters_of_other_languages_stay():
    assert forms("カタカナ 한국 ไทย") == forms("カタカナ 한국 ไทย")
    assert words("さくら") == ["さ", "く", "ら"]
