"""Where the words of a text begin and end, and which further forms they have.

What is written as one, such as an identifier or a number, is one unit of several words. Its other forms stand at the
place of its first word: a text is indexed by all of them, and a query asks for any.
"""

import re
from collections.abc import Iterator
from itertools import pairwise

import attrs

from moltnet.adapters.text_analysis.folding import JOINT, SYMBOL, marked, simplified
from moltnet.adapters.text_analysis.numbers import Number, numbers

# Scripts that put no space between words, and Hangul, which writes particles onto them: Thai, Lao, Myanmar, Hangul,
# Khmer, Tai Lue, Tai Tham, Balinese, kana, Bopomofo, Han, Yi, Javanese, and the further planes of kana and Han.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u1950-\u19df\u1a20-\u1aaf\u1b00-\u1b7f"
    "\u3005-\u3007\u3041-\u318f\u31a0-\u31ff\u3400-\u4dbf\u4e00-\ua4cf\ua960-\ua9df\ua9e0-\ua9ff\uaa60-\uaa7f"
    "\uac00-\ud7ff\uf900-\ufaff\U0001b000-\U0001b16f\U00020000-\U0003ffff"
)
# In folded text: a symbol, a run of an unspaced script, or words that meet, with the apostrophes inside them.
_WORD = rf"[^\W_{_UNSPACED}](?:[a-z0-9]|[^\x00-\x7f{_UNSPACED}]|'(?=[^\W_{_UNSPACED}]))*"
_UNIT = re.compile(
    rf"{SYMBOL}(?P<symbol>\S+)|(?P<unspaced>[{_UNSPACED}]+)|(?P<words>{_WORD}(?:[{JOINT}_-]{_WORD})*)"
    r"(?P<suffix>\+\+|\#)?"
)
_MEETING, _DIVIDING, _MARK = re.compile(f"[{JOINT}_-]"), re.compile("['_-]"), re.compile("[_-]")
# A longer chain of words is a sentence, a path or data, and nobody writes it as one.
_CHAIN_MOST = 8
# Letters and digits that meet: `http2`, `utf8`. What changes more often is a hash.
_LETTERS_AND_DIGITS = re.compile(r"\d+|[^\W\d_]+")
_CHANGES_MOST = 3
_DIGIT = re.compile(r"\d")
# What an apostrophe may put behind an English word; "n't" is distinguished, as the word before it is cut, too.
_ENDINGS = frozenset({"s", "d", "m", "re", "ve", "ll"})


@attrs.frozen
class Unit:
    """The words of something that is written as one, folded but with their marks.

    `compounds` are other forms of all of it, as they are indexed; a query asks for them or the words if
    `asks_for_compounds`, and else for the words alone; if `compounds_first`, for the words only where no entry has the
    compounds. A character of an unspaced script has no word but `terms`.
    """

    words: tuple[str, ...] = ()
    compounds: tuple[str, ...] = ()
    terms: tuple[str, ...] = ()
    asks_for_compounds: bool = False
    compounds_first: bool = False

    @property
    def is_exact(self) -> bool:
        """Whether it means something to the letter: an identifier, a symbol, a number that is more than a count."""
        return self.asks_for_compounds or any(map(parts_of, self.words))


def units(text: str) -> Iterator[Unit]:
    """The units of a text in their order."""
    text = marked(text)
    found = iter(numbers(text))
    number, pending = next(found, None), list[re.Match[str]]()
    for match in _UNIT.finditer(text):
        while number and match.start() >= number.end:
            yield from _numbered(number, pending)
            number, pending = next(found, None), []
        if number and match.end() > number.start:
            pending.append(match)
        else:
            yield from _read(match)
    if number:
        yield from _numbered(number, pending)


def parts_of(word: str) -> tuple[str, ...]:
    """The letters and the digits of a word of both: `http2`; nothing of other words."""
    if word.isalpha() or word.isdigit():
        return ()
    parts = _LETTERS_AND_DIGITS.findall(word)
    usable = tuple(part for part in parts if len(part) > 1 or part.isdigit())
    return usable if 1 < len(parts) <= _CHANGES_MOST else ()


def _numbered(number: Number, matches: list[re.Match[str]]) -> Iterator[Unit]:
    words = tuple(word for match in matches for unit in _read(match) for word in unit.words)
    yield Unit(words, number.terms, asks_for_compounds=True, compounds_first=True)


def _read(match: re.Match[str]) -> Iterator[Unit]:
    if match["symbol"]:
        yield Unit(compounds=(match["symbol"],), asks_for_compounds=True)
    elif match["unspaced"]:
        yield from _characters(match["unspaced"])
    elif match["suffix"] or not match["words"].isalnum():
        yield _chain(match["words"], match["suffix"])
    else:
        yield Unit((match["words"],))


def _characters(run: str) -> Iterator[Unit]:
    run = simplified(run)
    for character, next_character in pairwise(run):
        yield Unit(terms=(character, character + next_character))
    yield Unit(terms=(run[-1],))


def _chain(chain: str, suffix: str | None) -> Unit:
    """Words that meet, and the form in which they are written together."""
    parts = _MEETING.split(chain)
    words = tuple(word for part in parts for word in _apostrophes(part))
    compounds = [] if suffix is None else [parts[-1] + suffix, _MARK.split(chain)[-1].replace(JOINT, "") + suffix]
    if JOINT in chain:
        # Without capitals, words meet at other marks alone: `d'iPhone` and `my-iPhone` are asked for as `d iphone`.
        runs = _DIVIDING.split(chain)
        compounds += [run.replace(JOINT, "") for run in runs if JOINT in run or (run and "'" in chain)]
    is_joined = 1 < len(parts) <= _CHAIN_MOST and not all(map(str.isdigit, parts))
    if is_joined:
        compounds.append("".join(_DIVIDING.split(chain.replace(JOINT, ""))))
    asks = bool(suffix) or (is_joined and (JOINT in chain or "_" in chain or bool(_DIGIT.search(chain))))
    # A single letter before a sign is nothing without it: `C++`, `F#`.
    return Unit(words, tuple(dict.fromkeys(compounds)), asks_for_compounds=asks, compounds_first=bool(suffix))


def _apostrophes(word: str) -> list[str]:
    """The words that apostrophes divide: `o'brien` is two, `agent's` and `don't` are one."""
    parts = word.split("'")
    if len(parts) > 1 and parts[-1] in _ENDINGS:
        parts.pop()
    elif len(parts) > 1 and parts[-1] == "t" and parts[-2].endswith("n"):
        parts[-2:] = ["not"]  # a stop word, as every negated auxiliary is
    return parts
