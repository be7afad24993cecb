"""Candidates for a question, by comparing every entry of the diaries asked for, in one statement."""

from collections.abc import Collection, Sequence
from typing import Any

from moltnet.adapters.postgres.session import Row, Session
from moltnet.adapters.postgres.words import any_run, every_run, place_of, stored_form
from moltnet.domain.ids import DiaryId, EntryId
from moltnet.domain.ranking import BM25_K1
from moltnet.domain.search import Candidate, Candidates, Lexeme, LexicalQuery, Question

# The best depth + 1 entries of each side with their scores and their ranks on both sides (null where beyond).
# 1. counted: how many entries each diary has; diary_entries_diary_id_id_key alone.
# 2. telling: how telling each wanted lexeme is in each diary (`ranking.inverse_frequency`); diary_terms_pkey.
# 3. asked: that as a vector, whose inner product with an entry's terms is BM25, and the best BM25 possible.
# 4. compared: both scores of every entry that passes the filters and the runs; diary_entries_newest, and for entries
#    of several passages entry_passages_pkey. `offset 0` keeps it one diary at a time: the planner can neither turn it
#    around into a scan of all diaries nor hand the order to an approximate index, should there ever be one.
# 5. nearest, matching: the best of each side. A vector without length is near to nothing (NaN becomes 0).
BEST = """
    with diary as (
        select unnest(%(within)s::uuid[]) as id
    ), wanted as (
        select * from unnest(%(lexemes)s::text[], %(places)s::int[]) as wanted (lexeme, place)
    ), counted as (
        select diary.id, (select count(*) from diary_entries e where e.diary_id = diary.id) as entries
        from diary where exists (select from wanted)
    ), telling as (
        select counted.id, place, ln(1 + (entries - holding + 0.5) / (holding + 0.5)) as inverse_frequency
        from counted cross join wanted
        cross join lateral (
            select coalesce((
                select holding from diary_terms t where t.diary_id = counted.id and t.lexeme = wanted.lexeme
            ), 0)::float8
        ) as found (holding)
    ), asked as (
        select
            id, sum(inverse_frequency) * %(reach)s as possible,
            ('{' || string_agg(place || ':' || inverse_frequency, ',') || '}/1000000000')::sparsevec as terms
        from telling group by id
    ), compared as materialized (
        select e.* from diary left join asked on asked.id = diary.id cross join lateral (
            select
                e.id, e.importance, e.created_at,
                case when e.embedding_model = %(model)s then greatest(
                    coalesce(nullif(1 - (e.embedding <=> %(vector)s::vector), 'NaN'), 0 * e.importance),
                    case when e.further_passages > 0 then (
                        select max(coalesce(nullif(1 - (p.embedding <=> %(vector)s::vector), 'NaN'), 0))
                        from entry_passages p where p.entry_id = e.id
                    ) end
                ) end as cosine,
                coalesce(-(e.terms <#> asked.terms) / asked.possible, 0) as words
            from diary_entries e
            where e.diary_id = diary.id
                and (%(tags)s::text[] = '{}' or e.tags @> %(tags)s::text[])
                and (%(types)s::entry_type[] = '{}' or e.entry_type = any(%(types)s::entry_type[]))
                and not (%(exclude_superseded)s and e.superseded_by is not null)
                and (%(since)s::timestamptz is null or e.created_at >= %(since)s)
                and (%(required)s::tsquery is null or e.words @@ %(required)s::tsquery)
                and (%(excluded)s::tsquery is null or not e.words @@ %(excluded)s::tsquery)
            offset 0
        ) as e
        where e.cosine is not null or e.words > 0
    ), nearest as (
        select id, row_number() over (order by cosine desc, id desc) as rank
        from compared where cosine is not null order by cosine desc, id desc limit %(depth)s + 1
    ), matching as (
        select id, row_number() over (order by words desc, id desc) as rank
        from compared where words > 0 order by words desc, id desc limit %(depth)s + 1
    )
    select
        compared.id, cosine, words, importance, coalesce(a.last_at, compared.created_at) as seen_at,
        nearest.rank as cosine_rank, matching.rank as words_rank
    from nearest full join matching using (id)
    join compared using (id)
    left join entry_accesses a on a.entry_id = compared.id
    order by compared.id
"""
