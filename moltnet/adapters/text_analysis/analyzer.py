"""The port `TextAnalyzer`: the terms of the words of a text, and what a query asks for of them."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain, groupby

from moltnet.adapters.text_analysis.folding import bare, spelled
from moltnet.adapters.text_analysis.languages import STOP_WORDS, Languages, languages_of_query, languages_of_text
from moltnet.adapters.text_analysis.words import Unit, parts_of, units
from moltnet.domain.indexing import Term
from moltnet.domain.search import LexicalQuery, Query

TERM_CHARACTERS_MAX = 255
# A query of so many words at most may be an identifier, taken apart.
WRITTEN_AS_ONE_MOST = 5


class SnowballAnalyzer:
    """The port `TextAnalyzer`.

    Words are runs of letters and digits after NFKC and case folding (Unicode §3.13, §5.18), without marks; English stop
    words are left out, endings cut off by the Snowball stemmers (`languages`), and what is longer than 255 characters
    is cut there. In scripts without spaces each character is a word, and each two neighbours are a term where the first
    is, so that a name of two characters weighs more than its characters; Chinese ones are simplified. Identifiers,
    numbers and words of other languages have further forms (`words`, `numbers`), symbols stand where the word before
    them does. A term of several words is one run of terms; where a left-out word stands inside it, see `of_query`.
    Every text has an answer, whatever its characters.
    """

    version = 2  # with every change of what `of_text` answers, and an index of the earlier ones in a migration

    def __init__(self) -> None:
        self._languages = Languages()

    def of_text(self, text: str) -> Mapping[Term, Sequence[int]]:
        found: defaultdict[Term, list[int]] = defaultdict(list)
        read = list(units(text))
        languages = languages_of_text([word for unit in read for word in unit.words])
        forms: dict[str, tuple[Term, ...]] = {}  # most words of a text are there again
        position = 0
        for unit in read:
            first = position + 1
            for word in unit.words:
                position += 1
                if word not in forms:
                    forms[word] = self._forms(word, languages)
                for term in forms[word]:
                    found[term].append(position)
            if unit.terms:
                position += 1
                for term in map(Term, unit.terms):
                    found[term].append(position)
            for term in map(self._term, unit.compounds):
                at = min(first, max(position, 1))
                if term not in found or found[term][-1] < at:
                    found[term].append(at)
        return found

    def of_query(self, query: Query) -> LexicalQuery:
        """A query in terms.

        Runs have no gaps, so a left-out word divides a term. A required one becomes a run for each part: a text that
        holds the phrase always matches. An excluded one is told by its longest part: a text that holds the phrase
        never matches, and some that hold only that part do not either. A term of left-out words alone says nothing.
        """
        read = list(units(query.scored))
        languages = languages_of_query([word for unit in read for word in unit.words])
        asked = [alternatives for unit in read for alternatives in self._asked(unit, languages)]
        forms = [each for each in asked if len(each) > 1 or len(each[0]) > 1]
        exact, is_marked = sum(unit.is_exact for unit in read), query.required or query.excluded
        return LexicalQuery(
            scored=frozenset(each[0][0] for each in asked if each not in forms),
            forms=tuple(dict.fromkeys([*forms, *(() if is_marked else self._written_as_one(read))])),
            exact=exact / max(len(asked), 1),
            required=tuple(run for term in query.required for run in self._runs(term)),
            excluded=tuple(max(runs, key=_weight) for term in query.excluded if (runs := self._runs(term))),
        )

    def _asked(self, unit: Unit, languages: Collection[str]) -> Iterator[tuple[tuple[Term, ...], ...]]:
        """What the unit asks for, each in its alternatives."""
        words = [forms for word in unit.words if (forms := self._forms(word, languages))]
        compounds = tuple(map(self._term, unit.compounds)) if unit.asks_for_compounds or not words else ()
        if not compounds:
            yield from ((each,) for each in (*words, *((Term(term),) for term in unit.terms)))
        elif unit.compounds_first and words:
            yield compounds, tuple(dict.fromkeys(chain.from_iterable(words)))
        else:
            yield (tuple(dict.fromkeys((*compounds, *chain.from_iterable(words)))),)

    def _written_as_one(self, read: Sequence[Unit]) -> Iterator[tuple[tuple[Term, ...], ...]]:
        """The identifier that a short query may be the words of: asked for only if some entry has it."""
        words = [unit.words[0] for unit in read if len(unit.words) == 1 and not unit.compounds]
        if 1 < len(words) == len(read) <= WRITTEN_AS_ONE_MOST and not STOP_WORDS.issuperset(words):
            yield (self._term("".join(words)),), ()

    def _forms(self, word: str, languages: Iterable[str]) -> tuple[Term, ...]:
        """The terms of a word, the one that stands in every text first; none for a word that is left out."""
        if word in STOP_WORDS:
            return ()
        word = word[:TERM_CHARACTERS_MAX]
        term = self._term(word)
        if word.isascii() and word.isalpha() and not languages:
            return (term,)
        others = (*parts_of(word), *((each,) if (each := bare(spelled(word))) != bare(word) else ()))
        foreign = self._languages.foreign(word, languages)
        return tuple(dict.fromkeys((term, *map(self._term, others), *map(Term, foreign))))

    def _term(self, word: str) -> Term:
        return Term(self._languages.stem(word[:TERM_CHARACTERS_MAX])[:TERM_CHARACTERS_MAX])

    def _runs(self, term: str) -> list[tuple[Term, ...]]:
        read = list(units(term))
        positions = [position for unit in read for position in self._positions(unit)]
        if not any(positions):  # of what has no word, the first symbol
            compounds: list[tuple[Term, ...]] = [
                (self._term(compound),) for unit in read for compound in unit.compounds[:1]
            ]
            return compounds[:1]
        parts = groupby(positions, bool)
        return [tuple(position[0] for position in run) for is_indexed, run in parts if is_indexed]

    def _positions(self, unit: Unit) -> Iterator[tuple[Term, ...]]:
        """What stands at each position of a unit."""
        yield from (self._forms(word, ()) for word in unit.words)
        if unit.terms:
            yield tuple(map(Term, unit.terms))


def _weight(run: tuple[Term, ...]) -> tuple[int, int]:
    return len(run), sum(map(len, run))
