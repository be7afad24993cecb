"""Candidates for a question: every entry of the diaries asked for compared in one statement, or all that is public."""

from collections.abc import Collection, MutableMapping, Sequence
from operator import itemgetter
from typing import Any, LiteralString, TypeAlias

import attrs

from moltnet.adapters.postgres.filtering import filter_values, run_values
from moltnet.adapters.postgres.ranking_statements import (
    HOLDING,
    LARGE,
    NEAREST,
    PUBLIC_HOLDING,
    best,
    best_large,
    best_public,
    best_public_near,
    is_for_indexes,
    shortlist_values,
)
from moltnet.adapters.postgres.session import Repository, Row, Session
from moltnet.adapters.postgres.terms import any_run, dimension_of, quoted, stored_expansion, stored_form
from moltnet.domain.entries import Similar
from moltnet.domain.ids import DiaryId, EntryId
from moltnet.domain.indexing import ModelName, Span, Term, Vector
from moltnet.domain.ranking import (
    BM25_MOST,
    DIARIES_COUNTED,
    Candidate,
    Candidates,
    Question,
    Shortlist,
    looked_up,
    needs_no_count,
)
from moltnet.domain.search import LexicalQuery
from moltnet.domain.text import SIMILAR_AMONG, SIMILAR_FROM, SIMILAR_MAX
from moltnet.domain.time_expressions import TimeRange

# As many public passages are still compared one by one (ADR-16). Beyond, the nearest come from the approximate
# index: so many of them, whatever the depth.
PUBLIC_COMPARED = 10_000
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
    order by id, embedding <=> %(vector)s::halfvec, ordinal
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
            case when e.embedding_model = %(model)s then e.embedding else p.embedding end <=> %(vector)s::halfvec
        ), 'NaN'), 0) as cosine
        from diary_entries e left join entry_passages p
            on e.embedding_model is distinct from %(model)s
                and p.entry_id = e.id and p.model = %(model)s and p.ordinal = 0
        where e.diary_id = %(diary_id)s and (e.embedding_model = %(model)s or p.entry_id is not null)
        order by e.created_at desc, e.id desc limit %(among)s
    ) as newest
    where require_serving(%(model)s) and cosine >= %(at_least)s order by cosine desc, id desc limit %(limit)s
"""

# A diary counts as large from so many entries on: comparing that many takes as long as two ordinary searches.
LARGE_FROM = 10_000
# The diaries that are large, with their entries counted, one row for each; diary_entries_diary_id_id_key alone.
# None while the whole network has fewer.
FIND_LARGE = """
    insert into large_diaries (diary_id, entries)
    select diary_id, count(*) from diary_entries
    where (select reltuples < 0 or reltuples >= %(least)s from pg_class where oid = 'diary_entries'::regclass)
    group by diary_id having count(*) >= %(least)s
    on conflict (diary_id) do update set entries = excluded.entries
    returning xmax = 0 as is_new
"""
SET_SINCE = """
    update large_diaries set since = pg_snapshot_xmax(pg_current_snapshot()) where since is null
"""
# One that is not ready, once everyone has ended who may not have seen that it is indexed.
UNREADY = """
    select diary_id, after from large_diaries
    where not ready and since <= pg_snapshot_xmin(pg_current_snapshot())
    order by diary_id limit 1 for update skip locked
"""
# One row: adds the next entries, and says whether that was all; diary_entries_diary_id_id_key.
INDEX_NEXT = """
    with next as materialized (
        select id from diary_entries where diary_id = %(diary_id)s and id > %(after)s order by id limit %(limit)s
    )
    update large_diaries set
        after = coalesce((select max(id::text)::uuid from next), after),
        ready = (select count(*) < %(limit)s from next)
    where diary_id = %(diary_id)s returning index_large(array(select id from next))
"""


# Whether diaries are large, as it was known so many seconds ago at most: searching one by the other way answers, too.
KNOWN_LARGE_S, KNOWN_LARGE_MAX = 60.0, 10_000
KnownLarge: TypeAlias = MutableMapping[DiaryId, bool]


class PostgresCandidates(Repository):
    """Looks at every entry of the diaries asked for; what it costs grows with their number, not with all there are."""

    def __init__(self, session: Session, large: KnownLarge) -> None:
        super().__init__(session)
        self._large = large

    async def best(
        self, question: Question, within: Collection[DiaryId], depth: int, shortlist: Shortlist | None = None
    ) -> Candidates:
        """The best `depth` entries of each side among `within`, as one set."""
        diaries = list(set(within))
        asked = await self._looked_up(question, HOLDING, within=diaries)
        rows: list[Row] = []
        if len(diaries) == 1 and is_for_indexes(asked, shortlist, depth) and await self._is_large(diaries[0]):
            depth = max(depth, NEAREST)  # what an index led to is compared anyway
            values = best_values(asked, depth, shortlist)
            rows = await self._session.all(_row, best_large(asked, shortlist, diaries[0]), **values, diary=diaries[0])
        if not rows:
            values = best_values(asked, depth, shortlist)
            rows = await self._session.all(_row, best(asked, shortlist), **values, within=diaries)
        return _candidates(rows, depth)

    async def best_public(self, question: Question, depth: int, shortlist: Shortlist | None = None) -> Candidates:
        """The best `depth` entries of each side among all that is public, as one set."""
        many = await self._session.first(_many, MANY_PUBLIC, most=PUBLIC_COMPARED)
        asked = await self._looked_up(question, PUBLIC_HOLDING)
        statement = best_public_near(asked, shortlist) if many else best_public(asked, shortlist)
        return _candidates(await self._session.all(_row, statement, **best_values(asked, depth, shortlist)), depth)

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

    async def index_large(self, limit: int) -> bool:
        """Adds some entries of a large diary to its indexes."""
        if await self._session.run(SET_SINCE):
            return True
        unready = await self._session.first(_row, UNREADY)
        if unready is not None:
            return await self._session.run(INDEX_NEXT, **unready, limit=limit) > 0
        return any(await self._session.all(itemgetter("is_new"), FIND_LARGE, least=LARGE_FROM))

    async def _is_large(self, diary_id: DiaryId) -> bool:
        if (known := self._large.get(diary_id)) is not None:
            return known
        self._large[diary_id] = is_large = await self._session.run(LARGE, diary=diary_id) > 0
        return is_large

    async def _looked_up(self, question: Question, statement: LiteralString, **values: object) -> Question:
        """The question with the words that are looked up."""
        if needs_no_count(question.words):
            return question
        terms = sorted(question.words.terms)
        values |= {"lexemes": list(map(stored_form, terms)), "sample": DIARIES_COUNTED}
        counted = dict(await self._session.all(_holding, statement, **values))
        holding = {term: counted.get(number, 0) for number, term in enumerate(terms, start=1)}
        return attrs.evolve(question, words=looked_up(question.words, holding))


def best_values(question: Question, depth: int, shortlist: Shortlist | None = None) -> dict[str, Any]:
    """What the statements take of a question."""
    index_terms, dimensions = _query_terms(question.words)
    return {
        "depth": depth,
        "lexemes": index_terms,
        "places": dimensions,
        "most": BM25_MOST,
        "vector": question.vector,
        "model": question.model if question.vector else None,
        "expansion": stored_expansion(question.expansion.shares()) if question.expansion else None,
        "periods": "{" + ",".join(map(_range, question.time_ranges)) + "}",
        "quoted": [quoted(term) for term in index_terms],
        **filter_values(question.filters),
        **run_values(question.words),
        **shortlist_values(shortlist),
    }


_BEYOND = ("cosine_beyond", "words_beyond", "expansion_beyond", "timely_beyond")


def _candidates(rows: Sequence[Row], depth: int) -> Candidates:
    if not rows:
        return Candidates(found=())
    beyond = {name: rows[0][name] for name in _BEYOND}
    return Candidates(found=tuple(_candidate(row, depth) for row in rows), **beyond)


def _candidate(row: Row, depth: int) -> Candidate:
    cosine_rank, words_rank, expansion_rank = (  # a side offers one more than its best, to show that there is more
        rank if rank is not None and rank <= depth else None
        for rank in (row["cosine_rank"], row["words_rank"], row["expansion_rank"])
    )
    return Candidate(
        entry_id=EntryId(row["id"]),
        cosine=row["cosine"],
        words=row["words"],
        expansion=row["expansion"],
        importance=row["importance"],
        accessed_at=row["accessed_at"],
        timely=row["timely"],
        cosine_rank=cosine_rank,
        words_rank=words_rank,
        expansion_rank=expansion_rank,
    )


def _row(row: Row) -> Row:
    return row


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


def _query_terms(words: LexicalQuery) -> tuple[list[str], list[int | None]]:
    """Each term and its place. Where two share a place the second has none: it still counts for the best possible."""
    index_terms = sorted(map(stored_form, words.scored))
    first_at: dict[int, str] = {}
    for term in index_terms:
        first_at.setdefault(dimension_of(term), term)
    return index_terms, [
        dimension if first_at[dimension] == term else None for term in index_terms for dimension in [dimension_of(term)]
    ]
