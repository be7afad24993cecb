"""Candidates for a question, by comparing every entry of the diaries asked for, in one statement."""

from collections.abc import Collection, Sequence
from typing import Any

import attrs

from moltnet.adapters.postgres.session import Row, Session
from moltnet.adapters.postgres.words import any_run, every_run, place_of, stored_form
from moltnet.domain.ids import DiaryId, EntryId
from moltnet.domain.ranking import BM25_K1
from moltnet.domain.search import Candidate, Candidates, LexicalQuery, Question

# The best depth + 1 entries of each side with their scores and their ranks on both sides (null where beyond).
# 1. counted, held: how many entries each diary has, and how many of them hold each wanted lexeme;
#    diary_entries_diary_id_id_key alone, diary_terms_pkey. Materialized, or they would be counted for every mention.
# 2. telling: how telling that makes each lexeme in each diary (`ranking.inverse_frequency`).
# 3. asked: that as a vector, whose inner product with an entry's terms is BM25, and the best BM25 possible.
# 4. compared: both scores of every entry that passes the filters and the runs; diary_entries_newest, and for entries
#    of several passages, or whose row has not been written since a switch of models, entry_passages_pkey. `offset 0`
#    keeps it one diary at a time: the planner can neither turn it around into a scan of all diaries nor hand the order
#    to an approximate index, should there ever be one.
# 5. nearest, matching: the best of each side. A vector without length is near to nothing (NaN becomes 0).
BEST = """
    with diary as (
        select unnest(%(within)s::uuid[]) as id where require_serving(%(model)s)
    ), wanted as (
        select * from unnest(%(lexemes)s::text[], %(places)s::int[]) as wanted (lexeme, place)
    ), counted as materialized (
        select diary.id, (select count(*) from diary_entries e where e.diary_id = diary.id) as entries
        from diary where exists (select from wanted)
    ), held as materialized (
        select counted.id, place, entries, coalesce((
            select holding from diary_terms t where t.diary_id = counted.id and t.lexeme = wanted.lexeme
        ), 0)::float8 as holding
        from counted cross join wanted
    ), telling as (
        select id, place, ln(1 + (entries - holding + 0.5) / (holding + 0.5)) as inverse_frequency from held
    ), asked as (
        select
            id, sum(inverse_frequency) * %(reach)s as possible,
            ('{' || string_agg(place || ':' || inverse_frequency, ',') || '}/1000000000')::sparsevec as terms
        from telling group by id
    ), compared as materialized (
        select e.* from diary left join asked on asked.id = diary.id cross join lateral (
            select
                e.id, e.importance, e.created_at,
                case when %(model)s::text is not null then greatest(
                    case when e.embedding_model = %(model)s and e.embedding is not null then
                        coalesce(nullif(1 - (e.embedding <=> %(vector)s::vector), 'NaN'), 0)
                    end,
                    case when e.further_passages > 0 or e.embedding_model is distinct from %(model)s then (
                        select max(coalesce(nullif(1 - (p.embedding <=> %(vector)s::vector), 'NaN'), 0))
                        from entry_passages p
                        where p.entry_id = e.id and p.model = %(model)s and p.embedding is not null
                    ) end
                ) end as cosine,
                coalesce(-(e.terms <#> asked.terms) / asked.possible, 0) as words
            from diary_entries e
            where e.diary_id = diary.id
                and (%(tags)s::text[] = '{}' or e.tags @> %(tags)s::text[])
                and (%(types)s::entry_type[] = '{}' or e.entry_type = any(%(types)s::entry_type[]))
                and not (%(exclude_superseded)s and e.superseded_by is not null)
                and not (%(exclude_flagged)s and e.injection_risk)
                and (%(since)s::timestamptz is null or e.created_at >= %(since)s)
                and (%(required)s::tsquery is null or e.words @@ %(required)s::tsquery)
                and (%(excluded)s::tsquery is null or not e.words @@ %(excluded)s::tsquery)
            offset 0
        ) as e
        where e.cosine is not null or e.words > 0
    ), nearest as (
        select id, row_number() over (order by cosine desc, id desc) as rank from (
            select id, cosine from compared where cosine is not null
            order by cosine desc, id desc limit %(depth)s + 1
        ) as best
    ), matching as (
        select id, row_number() over (order by words desc, id desc) as rank from (
            select id, words from compared where words > 0
            order by words desc, id desc limit %(depth)s + 1
        ) as best
    )
    select
        compared.id, cosine, words, importance, coalesce(a.last_at, compared.created_at) as seen_at,
        nearest.rank as cosine_rank, matching.rank as words_rank
    from nearest full join matching using (id)
    join compared using (id)
    left join entry_accesses a on a.entry_id = compared.id
    order by compared.id
"""


class PostgresCandidates:
    """Looks at every entry of the diaries asked for; what it costs grows with their number, not with all there are."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def best(self, question: Question, within: Collection[DiaryId], depth: int) -> Candidates:
        """The best `depth` entries of each side among `within`, as one set."""
        rows = await self._session.all(_ranked, BEST, **best_values(question, within, depth))
        return Candidates(
            found=tuple(row.candidate for row in rows if row.is_offered(depth)),
            cosine_beyond=_beyond([(row.cosine_rank, row.candidate.cosine) for row in rows], depth),
            words_beyond=_beyond([(row.words_rank, row.candidate.words) for row in rows], depth),
        )


def best_values(question: Question, within: Collection[DiaryId], depth: int) -> dict[str, Any]:
    """What the statement takes of a question."""
    lexemes, places = _wanted(question.words)
    filters = question.filters
    return {
        "within": list(set(within)),
        "depth": depth,
        "lexemes": lexemes,
        "places": places,
        "reach": BM25_K1 + 1,
        "vector": question.vector,
        "model": question.model if question.vector else None,
        "required": every_run(question.words.required),
        "excluded": any_run(question.words.excluded),
        "tags": list(filters.tags),
        "types": list(filters.entry_types),
        "exclude_superseded": filters.exclude_superseded,
        "exclude_flagged": filters.exclude_flagged,
        "since": filters.since,
    }


@attrs.frozen
class _Ranked:
    candidate: Candidate
    cosine_rank: int | None
    words_rank: int | None

    def is_offered(self, depth: int) -> bool:
        """Whether it is among the best of a side, and not the one beyond them."""
        return any(rank is not None and rank <= depth for rank in (self.cosine_rank, self.words_rank))


def _ranked(row: Row) -> _Ranked:
    candidate = Candidate(
        entry_id=EntryId(row["id"]),
        cosine=row["cosine"],
        words=row["words"],
        importance=row["importance"],
        seen_at=row["seen_at"],
    )
    return _Ranked(candidate, row["cosine_rank"], row["words_rank"])


def _beyond(scores: Sequence[tuple[int | None, float | None]], depth: int) -> float | None:
    """The score at rank `depth`, if there is a rank after it."""
    by_rank = dict(scores)
    return by_rank[depth] if depth + 1 in by_rank else None


def _wanted(words: LexicalQuery) -> tuple[list[str], list[int | None]]:
    """Each lexeme and its place. Where two share a place the second has none: it still counts for the best possible."""
    lexemes = sorted(map(stored_form, words.wanted))
    first_at: dict[int, str] = {}
    for lexeme in lexemes:
        first_at.setdefault(place_of(lexeme), lexeme)
    return lexemes, [place if first_at[place] == lexeme else None for lexeme in lexemes for place in [place_of(lexeme)]]
