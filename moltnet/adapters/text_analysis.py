"""English words by the Snowball stemmer (PyStemmer); other scripts as far as characters alone allow."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import chain, groupby, pairwise
from typing import TypeAlias

import Stemmer

from moltnet.domain.indexing import Term
from moltnet.domain.search import LexicalQuery, Query
from moltnet.domain.text import folded

# English stop words about a text: the closed classes, and no word that names a thing or an act.
_CLASSES = (
    # Articles and what points.
    "a an the this that these those",
    # Pronouns.
    "i me my mine myself we us our ours ourselves you your yours yourself yourselves he him his himself",
    "she her hers herself it its itself they them their theirs themselves who whom whose which what",
    # Auxiliaries.
    "am is are was were be been being have has had having do does did doing",
    "can cannot could shall should will would must might",
    # Conjunctions.
    "and or but nor if then than because as until while so though although whether",
    # Prepositions, but for those that say where a thing moves, stands or fails: up, down, over, out, against.
    "of to in on at by for with from into onto about between through during",
    # Adverbs.
    "not no there here when where why how too very just also",
)

STOP_WORDS = frozenset(word for words in _CLASSES for word in words.split())


TERM_CHARACTERS_MAX = 255

# Scripts that put no space between words, and Hangul, which writes particles onto them: Thai, Lao, Myanmar, Hangul,
# Khmer, Tai Lue, Tai Tham, Balinese, kana, Bopomofo, Han, Yi, Javanese, and the further planes of kana and Han.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u1950-\u19df\u1a20-\u1aaf\u1b00-\u1b7f"
    "\u3005-\u3007\u3041-\u318f\u31a0-\u31ff\u3400-\u4dbf\u4e00-\ua4cf\ua960-\ua9df\ua9e0-\ua9ff\uaa60-\uaa7f"
    "\uac00-\ud7ff\uf900-\ufaff\U0001b000-\U0001b16f\U00020000-\U0003ffff"
)
# In folded text: a run of an unspaced script, or a word, with the apostrophes inside it.
_RUN = re.compile(
    rf"(?P<unspaced>[{_UNSPACED}]+)|"
    rf"[^\W_{_UNSPACED}](?:[a-z0-9]|[^\x00-\x7f{_UNSPACED}]|'(?=[^\W_{_UNSPACED}]))*"
)
# What an apostrophe may put behind an English word; "n't" is distinguished, as the word before it is cut, too.
_ENDINGS = frozenset({"s", "d", "m", "re", "ve", "ll"})
# The signs TM and SM, which NFKC would make letters of the word before them.
_SIGNS = {0x2122: " ", 0x2120: " "}
# The typographic apostrophe, and the one that is a letter (folding makes it, too, of an n behind one).
_APOSTROPHES = {0x2019: "'", 0x02BC: "'"}
_ZERO_WIDTH_SPACE = "\u200b"
_NO_LETTER = re.compile(r"[^\x00-\x7f\w]")
# They choose how a character looks, not which it is.
_SELECTORS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")

# The terms at one position: none for a word left out; behind a character of an unspaced script, the pair it begins.
_Word: TypeAlias = "tuple[Term, ...]"


class SnowballAnalyzer:
    """The port `TextAnalyzer`.

    Words are runs of letters and digits after NFKC and case folding (Unicode §3.13, §5.18); English stop words are
    left out, endings cut off by Snowball's English stemmer, and what is longer than 255 characters is cut there. In
    scripts without spaces each character is a word, and each two neighbours are a term at the place of the first,
    so that a name of two characters weighs more than its characters. A term of several words is one run of terms;
    where a left-out word stands inside it, see `of_query`. Every text has an answer, whatever its characters.
    """

    def __init__(self) -> None:
        self._stemmer = Stemmer.Stemmer("english")
        self._stemmer.maxCacheSize = 0  # stemming a word takes less than looking it up

    def of_text(self, text: str) -> Mapping[Term, Sequence[int]]:
        found: defaultdict[Term, list[int]] = defaultdict(list)
        for position, word in enumerate(self._tokenize(text), start=1):
            for term in word:
                found[term].append(position)
        return found

    def of_query(self, query: Query) -> LexicalQuery:
        """A query in terms.

        Runs have no gaps, so a left-out word divides a term. A required one becomes a run for each part: a text that
        holds the phrase always matches. An excluded one is told by its longest part: a text that holds the phrase
        never matches, and some that hold only that part do not either. A term of left-out words alone says nothing.
        """
        return LexicalQuery(
            scored=frozenset(chain.from_iterable(self._tokenize(query.scored))),
            required=tuple(run for term in query.required for run in self._runs(term)),
            excluded=tuple(max(runs, key=_weight) for term in query.excluded if (runs := self._runs(term))),
        )

    def _runs(self, term: str) -> list[tuple[Term, ...]]:
        parts = groupby(self._tokenize(term), bool)
        return [tuple(word[0] for word in words) for is_indexed, words in parts if is_indexed]

    def _tokenize(self, text: str) -> Iterator[_Word]:
        for match in _RUN.finditer(_folded(text)):
            if match["unspaced"]:
                yield from _characters(match["unspaced"])
            else:
                for word in _parts(match[0]):
                    yield () if word in STOP_WORDS else (self._stem(word),)

    def _stem(self, word: str) -> Term:
        return Term(self._stemmer.stemWord(word[:TERM_CHARACTERS_MAX]))


def _folded(text: str) -> str:
    if text.isascii():
        return text.lower()
    return _NO_LETTER.sub(lambda match: _plain(match[0]), folded(text.translate(_SIGNS)).translate(_APOSTROPHES))


def _characters(run: str) -> Iterator[_Word]:
    for character, next_character in pairwise(run):
        yield Term(character), Term(character + next_character)
    yield (Term(run[-1]),)


def _parts(word: str) -> list[str]:
    """The words that apostrophes divide: `o'brien` is two, `agent's` and `don't` are one."""
    parts = word.split("'")
    if len(parts) > 1 and parts[-1] in _ENDINGS:
        parts.pop()
    elif len(parts) > 1 and parts[-1] == "t" and parts[-2].endswith("n"):
        parts[-2:] = ["not"]  # a stop word, as every negated auxiliary is
    return parts


def _weight(run: tuple[Term, ...]) -> tuple[int, int]:
    return len(run), sum(map(len, run))


@lru_cache(maxsize=4096)
def _plain(character: str) -> str:
    """What remains of a character: itself, a space for what divides words, nothing for what only dresses them."""
    category = unicodedata.category(character)
    if category in {"Mn", "Mc"} and not _SELECTORS.match(character):
        return character
    return "" if category in {"Mn", "Me", "Cf"} and character != _ZERO_WIDTH_SPACE else " "
