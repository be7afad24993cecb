"""Which texts can be stored; texts without what only says how they are written, or what nobody reads as words.

A database refuses U+0000, and UTF-8 cannot hold half a surrogate pair. When a memory says again what is there already,
word for word, its fold is the same; one that only resembles another is a hint.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterator
from enum import StrEnum
from typing import NewType

from moltnet.domain.errors import Invalid

# NFKC makes a whole phrase of each of these characters, of 18 and of 8; no other one grows more than sixfold. In a text
# that has more of them than people write, they stay as they are.
_LIGATURES, LIGATURES_MAX = re.compile("([\ufdfa\ufdfb])"), 100
# Longer runs of combining marks are put in order piece by piece: sorting them takes time by the square of their number.
# Unicode expects no more than 30 (UAX 15, Stream-Safe Text Format).
MARKS_MOST = 64

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
# Combining marks, and what else is not a letter; two halfwidth letters become marks. A piece begins with a letter, and
# takes the marks behind it along.
_MARK, _LETTER = r"(?:[^\x00-\x7f\w]|[\uff9e\uff9f])", r"(?:(?![\uff9e\uff9f])[\x00-\x7f\w])"
_MANY_MARKS = re.compile(rf"(?<!{_MARK}){_MARK}{{{MARKS_MOST + 1}}}")
_PIECE = re.compile(rf"{_LETTER}*{_MARK}{{0,{MARKS_MOST}}}")


class UnstorableText(Invalid):
    """A text that no transport accepts."""

    code = "UNSTORABLE_TEXT"

    def __init__(self, fault: str) -> None:
        super().__init__(f"A text {fault}")


def text_fault(text: str) -> str | None:
    """What a text must be and is not; None for one that can be stored."""
    if "\0" in text:
        return "must NOT contain U+0000"
    if not text.isascii() and _LONE_SURROGATE.search(text):
        return "must be valid Unicode text"
    return None


def check_texts(*texts: str | None) -> None:
    """Raises UnstorableText for the first text that cannot be stored."""
    for text in texts:
        fault = text_fault(text) if text else None
        if fault:
            raise UnstorableText(fault)


def trimmed(text: str, longest: int) -> str:
    """A short text without white space around it, each character written the one way (NFC).

    One that would be longer than `longest` then, or is already, stays as it is.
    """
    if len(text) > longest:
        return text
    written = text.strip() if text.isascii() else unicodedata.normalize("NFC", text).strip()
    return written if len(written) <= longest else text


def folded(text: str) -> str:
    """A text without the differences of case and of writing the same character (NFKC and case folding, Unicode §5.18).

    What it costs, and how long the result is, grows with the text's length alone: see PHRASES_MOST and MARKS_MOST for
    what is treated otherwise to that end.
    """
    if len(_LIGATURES.findall(text)) <= LIGATURES_MAX:
        return _folded(text)
    return "".join(part if _LIGATURES.fullmatch(part) else _folded(part) for part in _LIGATURES.split(text))


def _folded(text: str) -> str:
    return _normalized(_normalized(text).casefold())


def _normalized(text: str) -> str:
    if not _MANY_MARKS.search(text):
        return unicodedata.normalize("NFKC", text)
    return "".join(unicodedata.normalize("NFKC", piece) for piece in _PIECE.findall(text))


Fold = NewType("Fold", bytes)
"""A text's hash, the same for texts that differ in case, spacing and punctuation alone."""

# Cosine cannot tell a paraphrase from a changed fact, so nothing is ever merged for being similar.
SIMILAR_FROM = 0.95
SIMILAR_MAX = 3
# A new memory is compared with so many of the newest of its diary: writing takes as long in a large one.
SIMILAR_AMONG = 1_000


class IfDuplicate(StrEnum):
    """What to do with a memory that repeats another of its diary: keep it all the same, or answer with the first."""

    STORE = "store"
    RETURN = "return"


def fold(*parts: str | None) -> Fold:
    """The fold of a text in parts; where one ends and the next begins counts.

    Signs that carry meaning stay: symbols, %, a minus before a digit, a point or comma between digits. A text of
    nothing but punctuation is only repeated by itself.
    """
    plain = "\n".join(_folded_part(part or "") for part in parts)
    normalized = plain if plain.strip() else "\n".join(["", *(part or "" for part in parts)])
    return Fold(hashlib.blake2b(normalized.encode("utf-8", "surrogatepass"), digest_size=16).digest())


def _folded_part(text: str) -> str:
    return " ".join(_SIGN.sub(lambda match: _normalized_sign(match[0]), folded(text)).split())


# What is neither letter nor digit, unless a number would be another one without it.
_SIGN = re.compile(r"[.,](?=\D|$)|(?<!\d)[.,]|(?<=\w)-|-(?!\d)|[^\w\s.,%-]|_")


def _normalized_sign(sign: str) -> str:
    return " " if unicodedata.category(sign).startswith("P") else sign


# Runs that may be data instead of words: base64, hashes, keys, and tokens, which points divide. See `_is_data`.
_RUN = re.compile(
    r"(?<![\w+/=.-])(?:(?=[\w-]{20})[A-Za-z0-9_-]++(?:\.[A-Za-z0-9_-]{20,}+)++|[A-Za-z0-9+/=_-]{40,})(?![\w+/=-])"
)
_KIND_CHANGES = re.compile("[a-z][A-Z0-9+/=_-]|[A-Z][a-z0-9+/=_-]{2}|[0-9][A-Za-z+/=_-]|[+/=_-][A-Z0-9]")
# So often does the kind of character change in data (in each third or fourth place), and not in names and paths.
_CHANGES_IN_DATA = 0.22
_SIGNS = re.compile(r"[{}\[\]\"'`,:;|<>=+*/\\_~^#-]")
# Of prose and code less than a tenth are such signs, of JSON and tables a sixth and more.
_SIGNS_IN_STRUCTURE = 0.14
# Hashes and keys, shorter than other data: nothing else is digits and these letters for so long.
_HEXADECIMAL = re.compile(r"(?<!\w)(?:[0-9a-f]{24,}|[0-9A-F]{24,})(?!\w)")
_NUMBER = re.compile(r"\S*\d\S*")
_STRETCH = re.compile(r"(?s).{1,200}")
_SHORTEST = 60


def data_runs(text: str) -> Iterator[re.Match[str]]:
    """The runs of a text that are data."""
    return (run for run in _RUN.finditer(text) if _is_data(run[0]))


def without_noise(text: str) -> str:
    """A text of the same length with blanks for data, and for signs and numbers of stretches that are full of signs."""
    legible = _HEXADECIMAL.sub(_blank, _without_data(text))
    return legible if len(text) < _SHORTEST else _STRETCH.sub(lambda each: _without_structure(each[0]), legible)


def _without_data(text: str) -> str:
    pieces, done = [], 0
    for run in data_runs(text):
        pieces += [text[done : run.start()], " " * len(run[0])]
        done = run.end()
    return "".join([*pieces, text[done:]])


def _without_structure(stretch: str) -> str:
    is_structure = len(_SIGNS.findall(stretch)) >= _SIGNS_IN_STRUCTURE * len(stretch)
    return _NUMBER.sub(_blank, _SIGNS.sub(" ", stretch)) if is_structure else stretch


def _blank(match: re.Match[str]) -> str:
    return " " * len(match[0])


def _is_data(run: str) -> bool:
    return len(_KIND_CHANGES.findall(run)) >= _CHANGES_IN_DATA * len(run)
