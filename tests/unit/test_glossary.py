"""Identifiers and file names use the words of docs/glossary.md: no picture where a standard term exists."""

import keyword
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# What the word was used for, and the term that is used instead.
INSTEAD = {
    "acting asking presented admitted seat": "caller context, required caller, authentication result",
    "about moment moments whole wire": "description, date-time, integer, alias, schema",
    "accesses note noted": "view counter, record",
    "believed": "cached",
    "door doors gate": "middleware, endpoint, authenticator",
    "engine exchange": "JSON-RPC handler, token exchange",
    "examination examine": "health check, run checks",
    "foundation remains": "infrastructure, partial",
    "given held kept keep listed made taken told tell tells wanted wants": "argument, stored, returned, …",
    "grammar reach reached reaching": "options, connection",
    "house housekeeping upkeep": "maintenance, jobs",
    "hygiene unclean selves phrase phrases": "sanitize, profile, messages",
    "intent intents lane lanes settle settled settles sweep": "outbox, partition key, complete, reconcile",
    "keyed receipt receipts recorder": "idempotency record, save response",
    "lexeme lexemes snowball": "term, text analysis",
    "look looking seen steadily still": "read authorized, matches, retry",
    "moving switching following": "model migration, subscription",
    "native": "built-in",
    "newcomer guest stranger": "registering agent, collaborator, anonymous client",
    "pace patience": "retry policy",
    "period periods timely": "time expression, time boost",
    "place places room rooms storey": "path, URL, index, package",
    "proofs": "credentials",
    "seal sealed sealing": "encryption",
    "standing standings": "client record, client directory",
    "visit visitor visitors": "request context, MCP session, connect without credentials",
    "whoever": "say which",
}
ALLOWED = {
    "JSON member, OpenAPI component or error code": """
        KeyTaken GivenTwice VoucherLimitReached InvitationLimitReached DiaryLimitReached TokenExchangeRequest
        period_days timely timely_beyond timely_rank""",
    "public name of the library": "Kept keep kept _kept_result NotKept visit",
    "SQL column": "sealed REPLACE_SEALED replace_sealed seal",
    "exchange of credentials for a token (RFC 8693)": "TokenExchange token_exchange _token_exchange",
    "name of another library or of the standard library": """
        engine engine_of Engine EngineHealth EngineError _engine create_engine connection_made
        SnowballAnalyzer keep_alive_s keep_blank_values""",
    "phrase of a query: words in their order": "phrase phrases PHRASES _match_phrases",
    "member of a list result of MCP": "is_listed _LISTED_RESOURCES",
    "admitted to a queue or a limit": "is_admitted",
    "made after a time": "made_after",
}
# A test's name is a sentence, in which most of these words are plain English. These are not: it is reported, returned
# or logged; an agent, a caller or a client does something.
UNCLEAR = {"tell", "tells", "told", "whoever"}
# A released migration never changes, its name included.
MIGRATIONS = "moltnet/adapters/postgres/sql"
WORDS = {word: term for words, term in INSTEAD.items() for word in words.split()}
NAMES = {name for names in ALLOWED.values() for name in names.split()}
# Strings, comments and numbers, and otherwise names, of which alone something is captured.
TOKEN = re.compile(
    r"""(?sx) [rbufRBUF]{0,2} (?: \"{3} (?:\\.|[^\\])*? \"{3} | "(?:\\.|[^"\\\n])*" )
    | [rbufRBUF]{0,2} (?: '{3} (?:\\.|[^\\])*? '{3} | '(?:\\.|[^'\\\n])*' )
    | [#][^\n]* | \d\w* | ([^\W\d]\w*)"""
)
PART = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+")


def identifiers(text: str) -> set[str]:
    """The names in a module's code; the tokenizer of the standard library takes five times as long."""
    return {name for name in TOKEN.findall(text) if name and not keyword.iskeyword(name)}


def replaced(names: set[str]) -> Iterator[str]:
    """Which names have a word of the table as a part, and what is said instead."""
    for name in sorted(names):
        yield from (f"{name}: {WORDS[part]}" for part in map(str.lower, PART.findall(name)) if part in WORDS)


def test_identifiers_use_the_words_of_the_glossary() -> None:
    wrong = {}
    for path in sorted((ROOT / "moltnet").rglob("*.py")):
        found = [*replaced(identifiers(path.read_text()) - NAMES), *replaced({path.stem} - NAMES)]
        if found:
            wrong[str(path.relative_to(ROOT))] = found
    assert wrong == {}


def test_folders_and_other_files_do_too() -> None:
    files = [path for path in (ROOT / "moltnet").rglob("*") if path.is_file() and path.suffix != ".pyc"]
    folders = {part for path in files for part in path.relative_to(ROOT).parent.parts}
    others = {path.stem for path in files if path.suffix != ".py" and MIGRATIONS not in path.as_posix()}
    tests = {path.stem for path in (ROOT / "tests").rglob("*.py")}
    assert list(replaced(folders | others | tests)) == []


def test_names_of_tests_say_who_does_what() -> None:
    pages = [path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py")]
    names = {name for page in pages for name in re.findall(r"def (test_\w+)", page)}
    assert [name for name in sorted(names) if UNCLEAR & set(name.split("_"))] == []


def test_names_in_strings_and_comments_are_no_identifiers() -> None:
    text = 'a = b"x" + f\'{y}\' + "\\"z"  # "c\nif 0x1f: d.e(g="""h\n"i" # j""")'
    assert identifiers(text) == {"a", "d", "e", "g"}


@pytest.mark.parametrize("name", ["_door", "RecentStandings", "was_told", "KEPT_S", "HTTPGate", "placesOf"])
def test_other_words_are_found(name: str) -> None:
    assert list(replaced({name}))


def test_every_exception_is_needed() -> None:
    written = {word for path in (ROOT / "moltnet").rglob("*.py") for word in re.findall(r"\w+", path.read_text())}
    stems = {path.stem for path in (ROOT / "moltnet").rglob("*.py")}
    assert NAMES - written - stems == set()
    assert all(list(replaced({name})) for name in NAMES)
