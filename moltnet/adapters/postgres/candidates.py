"""Candidates for a question: every entry of the diaries asked for compared in one statement, or all that is public."""

from collections.abc import Collection, Sequence
from typing import Any, LiteralString

import attrs

from moltnet.adapters.postgres.filtering import FILTERED, TERMS_MATCH, filter_values, run_values
from moltnet.adapters.postgres.session import Row, Session
from moltnet.adapters.postgres.terms import any_run, dimension_of, quoted, stored_form
from moltnet.domain.duplicates import SIMILAR_AMONG, SIMILAR_FROM, SIMILAR_MAX
from moltnet.domain.entries import Similar
from moltnet.domain.ids import DiaryId, EntryId
from moltnet.domain.passages import Span
from moltnet.domain.ranking import BM25_MOST, DIARIES_COUNTED, WORDS_LOOKED_UP, rarest
from moltnet.domain.search import Candidate, Candidates, LexicalQuery, ModelName, Question, Term, Vector
from moltnet.domain.time_expressions import TimeRange

# As many public passages are still compared one by one (ADR-16). Beyond, the nearest come from the approximate
# index: so many of them, whatever the depth.
PUBLIC_COMPARED = 10_000
# The best depth + 1 entries of each side with their scores and their ranks on both sides (null where beyond).
# 1. diary: where to look; only diaries that hold an entry (`limit 1` keeps it to a look into each one's index).
# 2. held: how many entries of each diary hold each wanted term, where any does; diary_terms_pkey, one scan for each
#    diary. counted: how many entries such a diary has; diary_entries_diary_id_id_key alone. Materialized, or they would
#    be counted for every mention.
# 3. telling: how distinctive that makes each term in each diary (`ranking.inverse_frequency`), and one that none holds.
# 4. asked: as a vector of `ranking.shares`, whose inner product with an entry's terms is its share of the best BM25.
# 5. compared: both scores of every entry of `_WITHIN` or `_AMONG` that passes the filters and the runs; for entries of
#    several passages, or whose row has not been written since a switch of models, entry_passages_pkey.
# 6. nearest, matching, timely: the best of each side, and the nearest of the times asked for. A vector without length
#    is near to nothing (NaN becomes 0).
# Whatever reads vectors asks `require_serving` first.
_ASKED = """
    wanted as (
        select * from unnest(%(lexemes)s::text[], %(places)s::int[]) as wanted (lexeme, place)
    ), held as materialized (
        select diary.id, lexeme, holding::float8 as holding from diary cross join lateral (
            select lexeme, holding from diary_terms t
            where t.diary_id = diary.id and t.lexeme = any(%(lexemes)s::text[]) offset 0
        ) as terms
    ), counted as materialized (
        select id, (select count(*) from diary_entries e where e.diary_id = holders.id)::float8 as entries
        from (select distinct id from held) as holders
    ), telling as (
        select
            id, lexeme, ln(1 + (entries - holding + 0.5) / (holding + 0.5)) as inverse_frequency,
            ln(1 + (entries + 0.5) / 0.5) as of_none
        from held join counted using (id)
    ), shared as (
        select id, lexeme, inverse_frequency / (%(most)s * (
            sum(inverse_frequency) over (partition by id)
            + of_none * (cardinality(%(lexemes)s::text[]) - count(*) over (partition by id))
        )) as share
        from telling
    ), asked as (
        select id, ('{' || string_agg(place || ':' || share, ',') || '}/1000000000')::sparsevec as terms
        from shared join wanted using (lexeme) group by id
    )
"""
_SCORED = """
    select
        e.id, e.importance, e.created_at,
        coalesce(e.occurred_at, e.created_at) <@ %(periods)s::tstzmultirange as timely,
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
        least(coalesce(-(e.terms <#> asked.terms), 0), 1) as words
    from diary_entries e
"""
_BEST_OF = """
    nearest as (
        select id, row_number() over (order by cosine desc, id desc) as rank from (
            select id, cosine from compared where cosine is not null
            order by cosine desc, id desc limit %(depth)s + 1
        ) as best
    ), matching as (
        select id, row_number() over (order by words desc, id desc) as rank from (
            select id, words from compared where words > 0
            order by words desc, id desc limit %(depth)s + 1
        ) as best
    ), timely as (
        select id, row_number() over (order by cosine desc nulls last, id desc) as rank from (
            select id, cosine from compared where timely
            order by cosine desc nulls last, id desc limit %(depth)s + 1
        ) as best
    )
    select
        compared.id, cosine, words, importance, coalesce(a.last_at, compared.created_at) as accessed_at,
        compared.timely, nearest.rank as cosine_rank, matching.rank as words_rank, timely.rank as timely_rank
    from nearest full join matching using (id) full join timely using (id)
    join compared using (id)
    left join entry_accesses a on a.entry_id = compared.id
    order by compared.id
"""
# One diary at a time, every entry of it; diary_entries_newest. `offset 0` keeps it so: the planner can neither turn it
# around into a scan of all diaries nor hand the order to an approximate index, should there ever be one here.
_WITHIN = f"""
    compared as materialized (
        select e.* from diary left join asked on asked.id = diary.id cross join lateral (
            {_SCORED} where e.diary_id = diary.id and {FILTERED} and {TERMS_MATCH} offset 0
        ) as e
        where e.cosine is not null or e.words > 0
    )
"""  # noqa: S608
_SAMPLED_PUBLIC = """
    select id from diaries d cross join lateral (select from diary_entries e where e.diary_id = d.id limit 1) as holds
    where visibility = 'public' order by id
"""
# 1. frequent: how large a part of the entries of some public diaries holds each wanted term; diaries_public.
# 2. rare: a query for those that tell something (the two rarest always): a word that every tenth entry holds would
#    bring every tenth entry, hardly one of which is among the best for it.
# 3. pool: the nearest public passages by public_passages_nearest, with its iterative scan (pool.SET_UP) as far as the
#    filters need it, and every public entry with a rare word, by diary_entries_public_words. The number is written out,
#    since the planner would not trust the index with a number it does not know.
_AMONG = f"""
    sampled as materialized (
        {_SAMPLED_PUBLIC} limit 50
    ), frequent as (
        select quoted, coalesce(sum(holding), 0) as holding
        from unnest(%(lexemes)s::text[], %(quoted)s::text[]) as wanted (lexeme, quoted)
        cross join sampled left join diary_terms t on t.diary_id = sampled.id and t.lexeme = wanted.lexeme
        group by quoted
    ), rare as materialized (
        select string_agg(quoted, ' | ')::tsquery as any_of from (
            select quoted, holding, row_number() over (order by holding, quoted) as place from frequent
        ) as placed
        where place <= 2 or holding <= 0.01 * (
            select count(*) from sampled join diary_entries e on e.diary_id = sampled.id
        )
    ), pool as materialized (
        select id, diary_id from (
            select e.id, e.diary_id from public_passages p join diary_entries e on e.id = p.entry_id
            where require_serving(%(model)s) and p.embedding_model = %(model)s and {FILTERED} and {TERMS_MATCH}
            order by p.embedding <=> %(vector)s::vector limit 400
        ) as near
        union
        select e.id, e.diary_id from diary_entries e
        where e.diary_visibility = 'public' and e.words @@ (select any_of from rare) and {FILTERED} and {TERMS_MATCH}
    ), diary as (
        select distinct diary_id as id from pool
    )
"""  # noqa: S608
_OF_POOL = f"""
    compared as materialized (
        select e.* from pool left join asked on asked.id = pool.diary_id cross join lateral (
            {_SCORED} where e.id = pool.id offset 0
        ) as e
        where e.cosine is not null or e.words > 0
    )
"""  # noqa: S608
_THESE = """
    diary as (
        select id from unnest(%(within)s::uuid[]) as asked_for (id)
        cross join lateral (select from diary_entries e where e.diary_id = asked_for.id limit 1) as holds
        where require_serving(%(model)s)
    )
"""
BEST = f"with {_THESE}, {_ASKED}, {_WITHIN}, {_BEST_OF}"
# Found by their entries, so that a diary without any costs nothing; diary_entries_feed, or the table.
_PUBLIC = """
    diary as (
        select distinct diary_id as id from diary_entries
        where diary_visibility = 'public' and require_serving(%(model)s)
    )
"""
PUBLIC_BEST = f"with {_PUBLIC}, {_ASKED}, {_WITHIN}, {_BEST_OF}"
PUBLIC_NEAR = f"with {_AMONG}, {_ASKED}, {_OF_POOL}, {_BEST_OF}"
# How many entries hold each wanted term, in some of the diaries: those of the smallest ids that hold an entry;
# diary_terms_pkey.
_HOLDING = """
    select wanted.number, coalesce(sum(holding), 0)::bigint as holding
    from unnest(%(lexemes)s::text[]) with ordinality as wanted (lexeme, number)
    cross join sampled left join diary_terms t on t.diary_id = sampled.id and t.lexeme = wanted.lexeme
    group by wanted.number
"""
HOLDING = f"""
    with sampled as materialized (
        select id from unnest(%(within)s::uuid[]) as asked_for (id)
        cross join lateral (select from diary_entries e where e.diary_id = asked_for.id limit 1) as holds
        order by id limit %(sample)s
    ) {_HOLDING}
"""  # noqa: S608
PUBLIC_HOLDING = f"""
    with sampled as materialized ({_SAMPLED_PUBLIC} limit %(sample)s) {_HOLDING}
"""
# Whether there are more public passages than that; public_passages_pkey, or the table, up to the limit.
MANY_PUBLIC = "select count(*) > %(most)s as many from (select from public_passages limit %(most)s + 1) as passages"
# For each of some entries, where its nearest passage stands; diary_entries_pkey, entry_passages_pkey. An entry that was
# stored before its beginning's place was stored begins with its text, and ends where the next passage starts, or with
# it.
NEAREST_PASSAGES = """
    select distinct on (id) id, starts_at, ends_at from (
        select e.id, 0 as ordinal, embedding, coalesce(starts_at, 0) as starts_at, coalesce(ends_at, (
            select p.starts_at from entry_passages p
            where p.entry_id = e.id and p.model = %(model)s and p.ordinal = 1
        ), 2147483647) as ends_at
        from diary_entries e
        where e.id = any(%(ids)s::uuid[]) and embedding_model = %(model)s and embedding is not null
        union all
        select entry_id, ordinal, embedding, starts_at, ends_at from entry_passages
        where entry_id = any(%(ids)s::uuid[]) and model = %(model)s and embedding is not null
    ) as passages
    where require_serving(%(model)s)
    order by id, embedding <=> %(vector)s::vector, ordinal
"""
# For each of some entries, which of some queries its words satisfy; diary_entries_pkey. Both are unpacked once, not for
# each pair.
MATCHED_RUNS = """
    select e.id, array_agg(asked.place - 1) as places
    from (
        select id, words || ''::tsvector as words from diary_entries where id = any(%(ids)s::uuid[]) offset 0
    ) as e
    join (
        select query::tsquery, place from unnest(%(queries)s::text[]) with ordinality as each (query, place)
        where query is not null offset 0
    ) as asked on e.words @@ asked.query
    group by e.id
"""
# The newest entries of a diary that begin almost alike, nearest first; diary_entries_newest, and for those whose row
# has not been written since a switch of models entry_passages_pkey.
SIMILAR = """
    select id, cosine from (
        select e.id, coalesce(nullif(1 - (
            case when e.embedding_model = %(model)s then e.embedding else p.embedding end <=> %(vector)s::vector
        ), 'NaN'), 0) as cosine
        from diary_entries e left join entry_passages p
            on e.embedding_model is distinct from %(model)s
                and p.entry_id = e.id and p.model = %(model)s and p.ordinal = 0
        where e.diary_id = %(diary_id)s and (e.embedding_model = %(model)s or p.entry_id is not null)
        order by e.created_at desc, e.id desc limit %(among)s
    ) as newest
    where require_serving(%(model)s) and cosine >= %(at_least)s order by cosine desc, id desc limit %(limit)s
"""


class PostgresCandidates:
    """Looks at every entry of the diaries asked for; what it costs grows with their number, not with all there are."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def best(self, question: Question, within: Collection[DiaryId], depth: int) -> Candidates:
        """The best `depth` entries of each side among `within`, as one set."""
        diaries = list(set(within))
        asked = await self._looked_up(question, HOLDING, within=diaries)
        rows = await self._session.all(_ranked, BEST, **best_values(asked, depth), within=diaries)
        return _candidates(rows, depth)

    async def best_public(self, question: Question, depth: int) -> Candidates:
        """The best `depth` entries of each side among all that is public, as one set."""
        many = await self._session.first(_many, MANY_PUBLIC, most=PUBLIC_COMPARED)
        statement = PUBLIC_NEAR if many else PUBLIC_BEST
        asked = await self._looked_up(question, PUBLIC_HOLDING)
        return _candidates(await self._session.all(_ranked, statement, **best_values(asked, depth)), depth)

    async def nearest_passages(
        self, vector: Vector, model: ModelName, entry_ids: Collection[EntryId]
    ) -> dict[EntryId, Span]:
        """For each of some entries, where its nearest passage stands."""
        values = {"vector": vector, "model": model, "ids": list(entry_ids)}
        return dict(await self._session.all(_passage, NEAREST_PASSAGES, **values))

    async def matched_runs(
        self, runs: Sequence[Collection[Sequence[Term]]], entry_ids: Collection[EntryId]
    ) -> dict[EntryId, frozenset[int]]:
        """For each of some entries, the places of the collections of which any run stands in it."""
        values = {"queries": [any_run(any_of) for any_of in runs], "ids": list(entry_ids)}
        return dict(await self._session.all(_matched_runs, MATCHED_RUNS, **values))

    async def similar(self, vector: Vector, model: ModelName, diary_id: DiaryId) -> list[Similar]:
        """The newest entries of a diary that begin almost alike, nearest first."""
        values = {"vector": vector, "model": model, "diary_id": diary_id}
        limits = {"among": SIMILAR_AMONG, "at_least": SIMILAR_FROM, "limit": SIMILAR_MAX}
        return await self._session.all(_similar, SIMILAR, **values, **limits)

    async def _looked_up(self, question: Question, statement: LiteralString, **values: object) -> Question:
        """The question with no more words than are looked up."""
        scored = sorted(question.words.scored)
        if len(scored) <= WORDS_LOOKED_UP:
            return question
        values |= {"lexemes": list(map(stored_form, scored)), "sample": DIARIES_COUNTED}
        counted = dict(await self._session.all(_holding, statement, **values))
        rarest_terms = rarest({term: counted.get(number, 0) for number, term in enumerate(scored, start=1)})
        return attrs.evolve(question, words=attrs.evolve(question.words, scored=rarest_terms))


def best_values(question: Question, depth: int) -> dict[str, Any]:
    """What the statements take of a question."""
    index_terms, dimensions = _query_terms(question.words)
    return {
        "depth": depth,
        "lexemes": index_terms,
        "places": dimensions,
        "most": BM25_MOST,
        "vector": question.vector,
        "model": question.model if question.vector else None,
        "periods": "{" + ",".join(map(_range, question.time_ranges)) + "}",
        "quoted": [quoted(term) for term in index_terms],
        **filter_values(question.filters),
        **run_values(question.words),
    }


@attrs.frozen
class _Ranked:
    candidate: Candidate
    cosine_rank: int | None
    words_rank: int | None
    timely_rank: int | None

    def is_offered(self, depth: int) -> bool:
        """Whether it is among the best of a side, and not the one beyond them."""
        return any(rank is not None and rank <= depth for rank in (self.cosine_rank, self.words_rank, self.timely_rank))

    def within(self, depth: int) -> Candidate:
        """The candidate with its ranks as far as they are among the best."""
        cosine_rank, words_rank = (
            rank if rank is not None and rank <= depth else None for rank in (self.cosine_rank, self.words_rank)
        )
        return attrs.evolve(self.candidate, cosine_rank=cosine_rank, words_rank=words_rank)


def _candidates(rows: Sequence[_Ranked], depth: int) -> Candidates:
    return Candidates(
        found=tuple(row.within(depth) for row in rows if row.is_offered(depth)),
        cosine_beyond=_beyond([(row.cosine_rank, row.candidate.cosine) for row in rows], depth),
        words_beyond=_beyond([(row.words_rank, row.candidate.words) for row in rows], depth),
        timely_beyond=any(row.timely_rank == depth + 1 for row in rows),
    )


def _ranked(row: Row) -> _Ranked:
    candidate = Candidate(
        entry_id=EntryId(row["id"]),
        cosine=row["cosine"],
        words=row["words"],
        importance=row["importance"],
        accessed_at=row["accessed_at"],
        timely=row["timely"],
    )
    return _Ranked(candidate, row["cosine_rank"], row["words_rank"], row["timely_rank"])


def _many(row: Row) -> bool:
    return bool(row["many"])


def _holding(row: Row) -> tuple[int, int]:
    return row["number"], row["holding"]


def _passage(row: Row) -> tuple[EntryId, Span]:
    return EntryId(row["id"]), Span(row["starts_at"], row["ends_at"])


def _matched_runs(row: Row) -> tuple[EntryId, frozenset[int]]:
    return EntryId(row["id"]), frozenset(row["places"])


def _similar(row: Row) -> Similar:
    return Similar(EntryId(row["id"]), row["cosine"])


def _range(time_range: TimeRange) -> str:
    return f"[{time_range.start.isoformat()},{time_range.end.isoformat()})"


def _beyond(scores: Sequence[tuple[int | None, float | None]], depth: int) -> float | None:
    """The score at rank `depth`, if there is a rank after it."""
    by_rank = dict(scores)
    return by_rank[depth] if depth + 1 in by_rank else None


def _query_terms(words: LexicalQuery) -> tuple[list[str], list[int | None]]:
    """Each term and its place. Where two share a place the second has none: it still counts for the best possible."""
    index_terms = sorted(map(stored_form, words.scored))
    first_at: dict[int, str] = {}
    for term in index_terms:
        first_at.setdefault(dimension_of(term), term)
    return index_terms, [
        dimension if first_at[dimension] == term else None for term in index_terms for dimension in [dimension_of(term)]
    ]
