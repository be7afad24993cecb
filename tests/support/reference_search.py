"""A model of candidate search that takes every definition literally and is in no hurry."""

import math
from collections.abc import Collection

import attrs

from moltnet.domain.entries import Entry
from moltnet.domain.ids import DiaryId, EntryId
from moltnet.domain.ranking import best_possible, inverse_frequency, term_weight
from moltnet.domain.search import Candidate, Candidates, EntryIndex, Filters, Lexeme, Question

# Stores compute in float32; scores nearer than this count as equal.
TOLERANCE = 1e-5


@attrs.frozen
class Stored:
    """An entry and what it is found by."""

    entry: Entry
    index: EntryIndex


def text_of(index: EntryIndex) -> list[Lexeme]:
    """The lexemes of a text in their order."""
    return [lexeme for _, lexeme in sorted((at, lexeme) for lexeme, places in index.lexemes.items() for at in places)]


def passes(entry: Entry, filters: Filters) -> bool:
    """Whether an entry is what the filters ask for."""
    if filters.exclude_superseded and entry.superseded_by is not None:
        return False
    if filters.exclude_flagged and entry.injection_risk:
        return False
    if filters.since is not None and entry.created_at < filters.since:
        return False
    if filters.entry_types and entry.entry_type not in filters.entry_types:
        return False
    return all(tag in (entry.tags or ()) for tag in filters.tags)


def admitted(stored: Stored, question: Question) -> bool:
    """Whether an entry passes the filters, the required and the excluded runs."""
    text = text_of(stored.index)

    def stands(run: tuple[Lexeme, ...]) -> bool:
        return any(tuple(text[at : at + len(run)]) == run for at in range(len(text) - len(run) + 1))

    return (
        passes(stored.entry, question.filters)
        and all(stands(run) for run in question.words.required)
        and not any(stands(run) for run in question.words.excluded)
    )


def all_candidates(kept: Collection[Stored], question: Question, within: Collection[DiaryId]) -> list[Candidate]:
    """Every entry that may be offered, with its scores."""
    return [
        Candidate(
            entry_id=stored.entry.id,
            cosine=_cosine(stored.index, question),
            words=_words(stored, kept, question),
            importance=stored.entry.importance,
            seen_at=stored.entry.last_accessed_at or stored.entry.created_at,
        )
        for stored in kept
        if stored.entry.diary_id in within and admitted(stored, question)
    ]


def check(answer: Candidates, possible: list[Candidate], depth: int) -> None:
    """Asserts that an answer offers the best `depth` of each side of all that is possible, and nothing else."""
    known = {each.entry_id: each for each in possible}
    by_cosine = {each.entry_id: each.cosine for each in possible if each.cosine is not None}
    by_words = {each.entry_id: each.words for each in possible if each.words > 0}
    offered = [each.entry_id for each in answer.found]
    assert len(set(offered)) == len(offered)
    for each in answer.found:
        _check_same(each, known[each.entry_id])
    admissible = _check_side(set(offered), by_cosine, answer.cosine_beyond, depth)
    admissible |= _check_side(set(offered), by_words, answer.words_beyond, depth)
    assert set(offered) <= admissible
    assert len(offered) <= min(depth, len(by_cosine)) + min(depth, len(by_words))


def _check_same(offered: Candidate, expected: Candidate) -> None:
    assert (offered.cosine is None) == (expected.cosine is None)
    assert math.isclose(offered.cosine or 0, expected.cosine or 0, abs_tol=TOLERANCE)
    assert math.isclose(offered.words, expected.words, abs_tol=TOLERANCE)
    assert (offered.importance, offered.seen_at) == (expected.importance, expected.seen_at)


def _check_side(offered: set[EntryId], scores: dict[EntryId, float], beyond: float | None, depth: int) -> set[EntryId]:
    """Which entries this side may have offered; those clearly among its best must be."""
    if len(scores) <= depth:
        assert beyond is None
        assert scores.keys() <= offered
        return set(scores)
    last = sorted(scores.values(), reverse=True)[depth - 1]
    assert beyond is not None
    assert math.isclose(beyond, last, abs_tol=TOLERANCE)
    assert {entry_id for entry_id, score in scores.items() if score > last + 2 * TOLERANCE} <= offered
    return {entry_id for entry_id, score in scores.items() if score >= last - 2 * TOLERANCE}


def _cosine(index: EntryIndex, question: Question) -> float | None:
    if question.vector is None or index.model != question.model or not index.passages:
        return None
    return max(question.vector.cosine(passage.vector) for passage in index.passages)


def _words(stored: Stored, kept: Collection[Stored], question: Question) -> float:
    texts = [text_of(other.index) for other in kept if other.entry.diary_id == stored.entry.diary_id]
    mine = text_of(stored.index)
    wanted = sorted(question.words.wanted)
    telling = [inverse_frequency(len(texts), sum(lexeme in text for text in texts)) for lexeme in wanted]
    reached = sum(
        frequency * term_weight(mine.count(lexeme), len(mine))
        for lexeme, frequency in zip(wanted, telling, strict=True)
    )
    return reached / best_possible(telling) if wanted else 0.0
