"""Candidates for a question, by comparing every entry there is to compare."""

import heapq
from collections.abc import Callable, Collection, Iterator
from itertools import chain

import attrs

from moltnet.adapters.memory.filtering import passes
from moltnet.adapters.memory.repositories.references import require_serving
from moltnet.adapters.memory.statements import Statements
from moltnet.adapters.memory.tables import Tables
from moltnet.domain.entries import Entry
from moltnet.domain.ids import DiaryId
from moltnet.domain.ranking import best_possible, inverse_frequency, term_weight
from moltnet.domain.search import Candidate, Candidates, EntryIndex, Lexeme, LexicalQuery, Question


class MemoryCandidates:
    """Looks at every entry of the diaries asked for; what it costs grows with their number."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    async def best(self, question: Question, within: Collection[DiaryId], depth: int) -> Candidates:
        """The best `depth` entries of each side among `within`, as one set."""
        tables = await self._statements.look()
        require_serving(tables, question.model)
        compared = [*chain.from_iterable(_compared(tables, diary_id, question) for diary_id in set(within))]
        nearest, cosine_beyond = _best(compared, _by_cosine, depth)
        matching, words_beyond = _best(compared, _by_words, depth)
        found = {candidate.entry_id: candidate for candidate in (*nearest, *matching)}
        return Candidates(found=tuple(found.values()), cosine_beyond=cosine_beyond, words_beyond=words_beyond)


@attrs.frozen
class _Words:
    """How telling the words of a query are in one diary."""

    frequencies: dict[Lexeme, float]

    def score(self, index: EntryIndex) -> float:
        """BM25 of an entry as a share of the best possible."""
        matched = self.frequencies.keys() & index.lexemes.keys()
        if not matched:
            return 0.0
        length = sum(map(len, index.lexemes.values()))
        # In a fixed order, so that equal entries have equal scores to the last bit.
        reached = sum(
            self.frequencies[lexeme] * term_weight(len(index.lexemes[lexeme]), length) for lexeme in sorted(matched)
        )
        return reached / best_possible(self.frequencies.values())


def _compared(tables: Tables, diary_id: DiaryId, question: Question) -> Iterator[Candidate]:
    entries = tables.entries.sharing("diary", diary_id)
    indexes = {entry_id: tables.indexes.get(entry_id) or EntryIndex() for entry_id in entries}
    words = _words(question.words, indexes.values())
    for entry_id, entry in entries.items():
        index = indexes[entry_id]
        if passes(entry, question.filters) and _admits(question.words, index):
            yield _candidate(entry, _cosine(question, index), words.score(index))


def _words(query: LexicalQuery, indexes: Collection[EntryIndex]) -> _Words:
    holding = {lexeme: sum(lexeme in index.lexemes for index in indexes) for lexeme in sorted(query.wanted)}
    return _Words({lexeme: inverse_frequency(len(indexes), count) for lexeme, count in holding.items()})


def _admits(query: LexicalQuery, index: EntryIndex) -> bool:
    # A run of no lexeme, such as of words that tell nothing, asks for nothing.
    required, excluded = filter(None, query.required), filter(None, query.excluded)
    return all(_holds(index, run) for run in required) and not any(_holds(index, run) for run in excluded)


def _holds(index: EntryIndex, run: tuple[Lexeme, ...]) -> bool:
    places = [set(index.lexemes.get(lexeme, ())) for lexeme in run]
    return any(all(start + step in held for step, held in enumerate(places)) for start in places[0])


def _cosine(question: Question, index: EntryIndex) -> float | None:
    if question.vector is None or question.model is None:
        return None
    vector = question.vector
    return max((vector.cosine(passage.vector) for passage in index.under(question.model) or ()), default=None)


def _candidate(entry: Entry, cosine: float | None, words: float) -> Candidate:
    return Candidate(
        entry_id=entry.id,
        cosine=cosine,
        words=words,
        importance=entry.importance,
        seen_at=entry.last_accessed_at or entry.created_at,
    )


def _best(
    compared: list[Candidate], side: Callable[[Candidate], float | None], depth: int
) -> tuple[list[Candidate], float | None]:
    offered = [(score, candidate) for candidate in compared if (score := side(candidate)) is not None]
    best = heapq.nlargest(depth, offered, key=lambda each: (each[0], each[1].entry_id))
    return [candidate for _, candidate in best], best[-1][0] if len(offered) > depth else None


def _by_cosine(candidate: Candidate) -> float | None:
    return candidate.cosine


def _by_words(candidate: Candidate) -> float | None:
    return candidate.words or None
