"""A model of candidate search that takes every definition literally and is in no hurry."""

from collections.abc import Callable, Collection

import attrs

from moltnet.domain.entries import Entry
from moltnet.domain.ids import DiaryId
from moltnet.domain.ranking import inverse_frequency, shares, term_weight
from moltnet.domain.search import Candidate, Candidates, EntryIndex, Filters, Question, Term


@attrs.frozen
class Stored:
    """An entry and what it is found by."""

    entry: Entry
    index: EntryIndex


def text_of(index: EntryIndex) -> list[Term]:
    """The lexemes of a text in their order."""
    return [term for _, term in sorted((at, term) for term, places in index.index_terms.items() for at in places)]


def passes(entry: Entry, filters: Filters) -> bool:
    """Whether an entry is what the filters ask for."""
    happened_at = entry.created_at if entry.occurred_at is None else entry.occurred_at
    return (
        all(tag in (entry.tags or ()) for tag in filters.tags)
        and (entry.entry_type in filters.entry_types or not filters.entry_types)
        and (entry.superseded_by is None or not filters.exclude_superseded)
        and not (entry.injection_risk and filters.exclude_flagged)
        and (filters.since is None or filters.since <= entry.created_at)
        and (filters.until is None or entry.created_at < filters.until)
        and (filters.happened_since is None or filters.happened_since <= happened_at)
        and (filters.happened_until is None or happened_at < filters.happened_until)
    )


def admitted(stored: Stored, question: Question) -> bool:
    """Whether an entry passes the filters, the required and the excluded runs."""
    text = text_of(stored.index)

    def stands(run: tuple[Term, ...]) -> bool:
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
            accessed_at=stored.entry.last_accessed_at or stored.entry.created_at,
            timely=any(
                time_range.start <= (stored.entry.occurred_at or stored.entry.created_at) < time_range.end
                for time_range in question.time_ranges
            ),
        )
        for stored in kept
        if stored.entry.diary_id in within and admitted(stored, question)
    ]


def check(answer: Candidates, possible: list[Candidate], depth: int) -> None:
    """Asserts that an answer offers the best `depth` of each side of all that is possible, and nothing else."""
    possible = [each for each in possible if each.cosine is not None or each.words > 0]
    nearest = _best([each for each in possible if each.cosine is not None], lambda each: each.cosine or 0.0)
    matching = _best([each for each in possible if each.words > 0], lambda each: each.words)
    timely = _best([each for each in possible if each.timely], lambda each: -2 if each.cosine is None else each.cosine)
    offered = {each.entry_id: each for each in answer.found}
    assert len(offered) == len(answer.found)
    assert offered == {
        each.entry_id: attrs.evolve(
            each, cosine_rank=_rank(each, nearest, depth), words_rank=_rank(each, matching, depth)
        )
        for each in (*nearest[:depth], *matching[:depth], *timely[:depth])
    }
    assert answer.cosine_beyond == (nearest[depth - 1].cosine if len(nearest) > depth else None)
    assert answer.words_beyond == (matching[depth - 1].words if len(matching) > depth else None)
    assert answer.timely_beyond == (len(timely) > depth)


def _best(side: list[Candidate], score: Callable[[Candidate], float]) -> list[Candidate]:
    return sorted(side, key=lambda each: (-score(each), -each.entry_id.int))


def _rank(candidate: Candidate, side: list[Candidate], depth: int) -> int | None:
    best = [each.entry_id for each in side[:depth]]
    return best.index(candidate.entry_id) + 1 if candidate.entry_id in best else None


def _cosine(index: EntryIndex, question: Question) -> float | None:
    if question.vector is None or index.model != question.model or not index.passages:
        return None
    return max(question.vector.cosine(passage.vector) for passage in index.passages)


def _words(stored: Stored, kept: Collection[Stored], question: Question) -> float:
    texts = [text_of(other.index) for other in kept if other.entry.diary_id == stored.entry.diary_id]
    mine = text_of(stored.index)
    scored = sorted(question.words.scored)
    telling = shares([inverse_frequency(len(texts), sum(term in text for text in texts)) for term in scored])
    reached = sum(
        share * term_weight(mine.count(term), len(mine))
        for term, share in zip(scored, telling, strict=True)
        if term in mine
    )
    return min(1.0, reached)
