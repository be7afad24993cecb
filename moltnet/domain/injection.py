"""The scan of untrusted text for orders to the machine that reads it: prompt injection.

The scan is a flag for readers, not a wall: harm can always be put in words that no list holds. A text is read as it
stands, in ROT13 and backwards, and what is encoded in it is read as well. Every reading goes through the words once
(see `_match_phrases`) and every pattern has bounded quantifiers, so the work grows with the length of the text alone.
"""

import base64
import binascii
import math
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import NamedTuple
from urllib.parse import unquote

import attrs

from moltnet.domain.injection_rules import CLASSES, FOREIGN, MARKUP, NEGATABLE, PHRASES

_INVISIBLE = "\u00ad\u034f\u061c\u115f\u1160\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"
_ACCENTS = "\u0300-\u036f"
_LETTER = r"[^\W_]"
_TOKEN = re.compile(
    rf"(?P<spaced>{_LETTER}(?:[\W_]{{1,3}}{_LETTER}(?!{_LETTER})){{5,200}})"
    rf"|(?P<word>{_LETTER}(?:{_LETTER}|[{_INVISIBLE}{_ACCENTS}]){{0,200}})"
    r"|(?P<stop>[.!?](?=\s))"
)
_NO_LETTER = re.compile(rf"[\W_{_INVISIBLE}{_ACCENTS}]")
_LATIN = re.compile("[a-z]")
_ENCODED = re.compile(r"(?<![\w+/-])[A-Za-z0-9+/_-]{20,20000}|(?:%[0-9A-Fa-f]{2}[\w.~-]{0,60}){3,1000}")
_MARKUP, _FOREIGN = (
    tuple((rule, re.compile(pattern, re.IGNORECASE | re.MULTILINE)) for rule, pattern in patterns)
    for patterns in (MARKUP, FOREIGN)
)

_LOOKALIKES = str.maketrans(
    "аеорсухіјѕԁһкмтвɑοαειορτυνχκᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢıłø",
    "aeopcyxijsdhkmtbaoaeioptuvxkabcdefghijklmnoprstuvwyzilo",
)
_DIGITS = str.maketrans("013457", "oieast")
_ROT13 = str.maketrans("abcdefghijklmnopqrstuvwxyz", "nopqrstuvwxyzabcdefghijklm")

_STOP_WIDTH = 3  # the end of a sentence keeps words as far apart as three words do
_NEGATION_WINDOW = 3
_GLUED = range(15, 202)  # lengths of words that may be several without blanks between them
_SHORTEST_GLUED = 3
_SHORTEST_SCRAMBLED = 6


@attrs.frozen
class Finding:
    """What a rule found: its name and the characters `start` (inclusive) to `end` (exclusive), in code points."""

    rule: str
    start: int
    end: int


def is_risky(*texts: str | None) -> bool:
    """Whether the texts, read as one, hold anything that a rule finds; None counts as nothing."""
    return next(_scan("\n".join(text for text in texts if text)), None) is not None


def findings(text: str) -> tuple[Finding, ...]:
    """All that the rules find, each once, in the order of their places in the text."""
    return tuple(sorted(set(_scan(text)), key=lambda found: (found.start, found.end, found.rule)))


def _scan(text: str) -> Iterator[Finding]:
    words = list(_split(text))
    yield from _plainly(text, words)
    yield from _match_phrases(words, _book(_in_rot13))
    yield from _match_phrases(reversed(words), _book(_backwards))
    for run in _ENCODED.finditer(text):
        decoded = _decoded(run.group())
        yield from (Finding(found.rule, run.start(), run.end()) for found in _plainly(decoded, _split(decoded)))


def _plainly(text: str, words: Iterable["_Word"]) -> Iterator[Finding]:
    yield from _match_phrases(words, _book(_as_it_stands))
    for rule, pattern in _MARKUP if text.isascii() else _MARKUP + _FOREIGN:
        yield from (Finding(rule, found.start(), found.end()) for found in pattern.finditer(text))


class _Word(NamedTuple):
    """A folded word, the characters it stands on, and its place among the words of the text."""

    text: str
    start: int
    end: int
    position: int


def _split(text: str) -> Iterator[_Word]:
    position = 0
    for token in _TOKEN.finditer(text):
        position += _STOP_WIDTH if token.lastgroup == "stop" else 1
        start, end = token.span()
        if token.lastgroup == "word":
            word = _unscrambled(fold(token.group()))
            yield _Word(word, start, end, position)
            if len(word) in _GLUED:
                yield from _unglued(word, [(start, end)] * len(word), position)
        elif token.lastgroup == "spaced":
            letters = [at for at in range(start, end) if text[at].isalnum()]
            folded = "".join(fold(text[at])[:1] or " " for at in letters)
            yield from _unglued(folded, [(at, at + 1) for at in letters], position)


def fold(word: str) -> str:
    """A word in lower case, without accents, invisible characters, look-alike letters and digits among letters."""
    folded = word.lower() if word.isascii() else _folded_unicode(word)
    return folded if folded.isalpha() or not _LATIN.search(folded) else folded.translate(_DIGITS)


def _folded_unicode(word: str) -> str:
    folded = _NO_LETTER.sub("", unicodedata.normalize("NFKD", word.casefold()).casefold())
    return folded.translate(_LOOKALIKES) if _LATIN.search(folded) else folded


def _unscrambled(word: str) -> str:
    """The known word of which only the inner letters are in disorder, which models read as people do."""
    if (
        len(word) < _SHORTEST_SCRAMBLED
        or word in _book(_as_it_stands)
        or (word[0], word[-1], len(word)) not in _shapes()
    ):
        return word
    return _scrambled_words().get(_scrambled(word), word)


def _unglued(letters: str, spans: list[tuple[int, int]], position: int) -> Iterator[_Word]:
    """The known words in a row of letters that nothing separates."""
    for found in _vocabulary_pattern().finditer(letters):
        yield _Word(found.group(), spans[found.start()][0], spans[found.end() - 1][1], position)
        position += 1


class _Step(NamedTuple):
    """A step of a phrase, how many places it may stand behind the step before, and what is found if it is the last."""

    phrase: int
    number: int
    max_distance: int
    negatable: bool
    found: str


class _Progress(NamedTuple):
    """How far a phrase has come: the characters from its first word to its last so far, and the place of that."""

    start: int
    end: int
    position: int


def _match_phrases(words: Iterable[_Word], book: dict[str, tuple[_Step, ...]]) -> Iterator[Finding]:
    """The phrases of a book that stand in these words.

    Each phrase remembers, for each of its steps, the last word that completed it up to there: what an earlier word
    could still lead to, the last one can too. A word thus costs one look for each step it may be.
    """
    progress: dict[tuple[int, int], _Progress] = {}
    negated_at = -math.inf
    negation, affirmation = _words_of("NOT"), _words_of("NOT_NOT")
    for word in words:
        if word.text in negation:
            negated_at = word.position
        elif word.text in affirmation:
            negated_at = -math.inf
        for step in book.get(word.text, ()):
            if step.negatable and word.position - negated_at <= _NEGATION_WINDOW:
                continue
            advanced = _advance(step, word, progress.get((step.phrase, step.number - 1)))
            if advanced and step.found:
                yield Finding(step.found, advanced.start, advanced.end)
            elif advanced:
                progress[step.phrase, step.number] = advanced


def _advance(step: _Step, word: _Word, before: _Progress | None) -> _Progress | None:
    if step.number == 0:
        return _Progress(word.start, word.end, word.position)
    if before is None or abs(word.position - before.position) > step.max_distance:
        return None
    return _Progress(min(before.start, word.start), max(before.end, word.end), word.position)


@cache
def _book(spelling: Callable[[str], str]) -> dict[str, tuple[_Step, ...]]:
    """Which steps a word may be, the later ones of a phrase first so that one word is not two steps of it."""
    steps: dict[str, list[_Step]] = {}
    for number, (rule, phrase) in enumerate(PHRASES):
        for step, words in _steps(number, rule, phrase):
            for word in filter(None, map(spelling, words)):
                steps.setdefault(word, []).append(step)
    return {word: tuple(sorted(found, key=lambda step: -step.number)) for word, found in steps.items()}


def _steps(phrase: int, rule: str, text: str) -> Iterator[tuple[_Step, frozenset[str]]]:
    parts = re.findall(r"(?:(\d+) )?([A-Za-z_]+)", text)
    for number, (between, name) in enumerate(parts):
        words = _words_of(name) if name.isupper() else frozenset({name})
        found = rule if number == len(parts) - 1 else ""
        yield _Step(phrase, number, int(between or 0) + 1, number == 0 and rule in NEGATABLE, found), words


def _as_it_stands(word: str) -> str:
    return word


def _in_rot13(word: str) -> str:
    return word.translate(_ROT13) if word.isascii() else ""


def _backwards(word: str) -> str:
    return word[::-1]


@cache
def _words_of(name: str) -> frozenset[str]:
    return frozenset(map(fold, CLASSES[name].split()))


def _scrambled(word: str) -> str:
    return word[0] + "".join(sorted(word[1:-1])) + word[-1]


@cache
def _scrambled_words() -> dict[str, str]:
    return {_scrambled(word): word for word in _book(_as_it_stands) if len(word) >= _SHORTEST_SCRAMBLED}


@cache
def _shapes() -> frozenset[tuple[str, str, int]]:
    """First letter, last letter and length of the words that may be scrambled: most words are distinguished by it."""
    return frozenset((word[0], word[-1], len(word)) for word in _scrambled_words().values())


@cache
def _vocabulary_pattern() -> re.Pattern[str]:
    words = sorted(filter(str.isascii, _book(_as_it_stands)), key=len, reverse=True)
    return re.compile("|".join(word for word in words if len(word) >= _SHORTEST_GLUED))


def _decoded(run: str) -> str:
    """The text in a run of Base64, hexadecimal or percent-encoded bytes; empty if there is none."""
    if run.startswith("%"):
        return unquote(run)
    for decode in (bytes.fromhex, _base64):
        try:
            return decode(run).decode("utf-8")
        except (ValueError, binascii.Error):
            continue
    return ""


def _base64(run: str) -> bytes:
    standard = run.replace("-", "+").replace("_", "/")
    return base64.b64decode(standard + "=" * (-len(standard) % 4))
