"""Candidates for a question: every entry of the diaries asked for compared in one statement, or all that is public."""

from collections import Counter
from collections.abc import Collection, MutableMapping, Sequence
from typing import Any, TypeAlias

import attrs

from moltnet.adapters.postgres.filtering import filter_values, run_values
from moltnet.adapters.postgres.ranking_indexes import FIND_LARGE, INDEX_NEXT, LARGE, SET_SINCE, UNREADY, Width
from moltnet.adapters.postgres.ranking_statements import (
    best,
    best_large,
    best_public,
    best_public_near,
    count_passing,
    is_for_indexes,
    shortlist_values,
)
from moltnet.adapters.postgres.rows import entry_from_row
from moltnet.adapters.postgres.session import Repository, Row, Session
from moltnet.adapters.postgres.terms import any_run, dimension_of, quoted, stored_expansion, stored_form
from moltnet.domain.entries import Similar
from moltnet.domain.ids import DiaryId, EntryId
from moltnet.domain.indexing import ModelName, Span, Term, Vector
from moltnet.domain.ranking import (
    BM25_MOST,
    DIARIES_COUNTED,
    WORDS_LOOKED_UP,
    Candidate,
    Candidates,
    Question,
    Shortlist,
    Spread,
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

# The diaries of one owner count as large from so many entries together on: comparing more takes longer than their
# indexes do (ADR-67).
LARGE_FROM = 6_000
# So many that pass filters are compared: a walk through a graph meets all the others, too.
FEW_PASS = 10_000
# Who cannot tell whether the candidates of indexes are the best asks again for more than FIRST_DEPTH of each wanted.
FIRST_DEPTH = 8


@attrs.frozen
class Indexed:
    """How many entries of a diary are indexed, or whether much that is public is, and in which part of the indexes."""

    entries: int = 0
    part: int = 0


# What is known of a diary, or of all that is public, as it was so many seconds ago at most: searching by the other way
# answers, too.
KNOWN_LARGE_S, KNOWN_LARGE_MAX = 60.0, 10_000
KnownLarge: TypeAlias = MutableMapping[DiaryId | None, Indexed]


class PostgresCandidates(Repository):
    """Looks at every entry of the diaries asked for; of large ones, and of all that is public, where indexes lead."""

    def __init__(self, session: Session, large: KnownLarge) -> None:
        super().__init__(session)
        self._large = large

    async def best(
        self, question: Question, within: Collection[DiaryId], depth: int, shortlist: Shortlist | None = None
    ) -> Candidates:
        """The best `depth` entries of each side among `within`, as one set."""
        values = {**best_values(question, depth, shortlist), "within": list(set(within))}
        if shortlist and is_for_indexes(question, shortlist):
            is_second = depth > FIRST_DEPTH * shortlist.limit
            if rows := await self._by_indexes(question, shortlist, values, is_second=is_second):
                return _candidates(rows, depth)
        return _candidates(await self._session.all(_row, best(question, shortlist), **values), depth)

    async def best_public(self, question: Question, depth: int, shortlist: Shortlist | None = None) -> Candidates:
        """The best `depth` entries of each side among all that is public, as one set."""
        many = self._large.get(None)
        if many is None:
            count = await self._session.first(_many, MANY_PUBLIC, most=PUBLIC_COMPARED) or 0
            many = self._large[None] = Indexed(count)
        statement = best_public_near(question, shortlist) if many.entries else best_public(question, shortlist)
        return _candidates(await self._session.all(_row, statement, **best_values(question, depth, shortlist)), depth)

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
        return await self._session.run(FIND_LARGE, least=LARGE_FROM) > 0

    async def _by_indexes(self, question: Question, shortlist: Shortlist, values: Row, *, is_second: bool) -> list[Row]:
        """Where indexes lead to; nothing where there are none, and where others' passages kept a walk from its end."""
        large = await self._large_among(values["within"])
        if not large or await self._pass_few(question, values):
            return []
        in_parts = Counter[int]()
        for each in large.values():
            in_parts[each.part] += each.entries
        width = Width.of(len(in_parts), shortlist.limit, is_second=is_second)
        others = list({*values["within"]}.difference(large))
        statement = best_large(question, shortlist, width, beside_others=bool(others))
        diaries = {"large": list(large), "others": others, "parts": list(in_parts)}
        rows = await self._session.all(_row, statement, **values, **diaries)
        expected = sum(min(entries, int(width.nearest)) for entries in in_parts.values())
        return rows if rows and rows[0]["led"] >= expected / 2 else []

    async def _pass_few(self, question: Question, values: Row) -> bool:
        counting = count_passing(question)
        if counting is None:
            return False
        return (await self._session.first(_passing, counting, **values, few=FEW_PASS) or 0) <= FEW_PASS

    async def _large_among(self, diaries: Sequence[DiaryId]) -> dict[DiaryId, Indexed]:
        """Those of some diaries that are indexed, if there is much in them altogether."""
        if unknown := [each for each in diaries if self._large.get(each) is None]:
            found = dict(await self._session.all(_indexed, LARGE, diaries=unknown))
            self._large.update({each: found.get(each, Indexed()) for each in unknown})
        known = {each: self._large.get(each, Indexed()) for each in diaries}
        large = {each: indexed for each, indexed in known.items() if indexed.entries}
        return large if sum(each.entries for each in large.values()) >= LARGE_FROM else {}


def best_values(question: Question, depth: int, shortlist: Shortlist | None = None) -> dict[str, Any]:
    """What the statements take of a question."""
    return {
        "depth": depth,
        **_words_values(question.words),
        "most": BM25_MOST,
        "vector": question.vector,
        "model": question.model if question.vector else None,
        "expansion": stored_expansion(question.expansion.shares()) if question.expansion else None,
        "periods": "{" + ",".join(map(_range, question.time_ranges)) + "}",
        **filter_values(question.filters),
        **run_values(question.words),
        **shortlist_values(shortlist),
    }


_BEYOND = ("cosine_beyond", "words_beyond", "expansion_beyond", "timely_beyond")
_RANKS = ("cosine_rank", "words_rank", "expansion_rank", "timely_rank")
# Every column of a ranking that an entry has not; the others are the entry's.
_SCORES = frozenset(
    (*_BEYOND, *_RANKS, "cosine", "words", "expansion", "spread", "among", "timely", "accessed_at", "led")
)


def _candidates(rows: Sequence[Row], depth: int) -> Candidates:
    if not rows:
        return Candidates(found=())
    beyond: dict[str, Any] = {name: rows[0].get(name) for name in _BEYOND}
    beyond["timely_beyond"] = bool(beyond["timely_beyond"])
    return Candidates(found=tuple(_candidate(row, depth) for row in rows), **beyond)


def _candidate(row: Row, depth: int) -> Candidate:
    cosine_rank, words_rank, expansion_rank = (  # a side offers one more than its best, to show that there is more
        rank if rank is not None and rank <= depth else None for rank in map(row.get, _RANKS[:3])
    )
    entry = entry_from_row({name: row[name] for name in row if name not in _SCORES}) if "content" in row else None
    return Candidate(
        entry_id=EntryId(row["id"]),
        cosine=row["cosine"],
        words=row["words"],
        expansion=row["expansion"],
        spread=Spread(row["spread"], row["among"]) if "spread" in row else None,
        importance=row["importance"],
        accessed_at=(entry.last_accessed_at or entry.created_at) if entry else row["accessed_at"],
        timely=row["timely"],
        cosine_rank=cosine_rank,
        words_rank=words_rank,
        expansion_rank=expansion_rank,
        entry=entry,
    )


def _row(row: Row) -> Row:
    return row


def _many(row: Row) -> int:
    return int(row["many"])


def _passing(row: Row) -> int:
    return int(row["passing"])


def _indexed(row: Row) -> tuple[DiaryId, Indexed]:
    return DiaryId(row["diary_id"]), Indexed(row["entries"], row["part"])


def _passage(row: Row) -> tuple[EntryId, Span]:
    return EntryId(row["id"]), Span(row["starts_at"], row["ends_at"])


def _matched_runs(row: Row) -> tuple[EntryId, frozenset[int]]:
    return EntryId(row["id"]), frozenset(row["places"])


def _similar(row: Row) -> Similar:
    return Similar(EntryId(row["id"]), row["cosine"])


def _range(time_range: TimeRange) -> str:
    return f"[{time_range.start.isoformat()},{time_range.end.isoformat()})"


def _words_values(words: LexicalQuery) -> dict[str, Any]:
    """Each term with its place, and which of them are forms of one word.

    Where two share a place the second has none: it still counts for the best possible.
    """
    all_terms = sorted(words.terms)
    stored = list(map(stored_form, all_terms))
    dimensions = list(map(dimension_of, stored))
    numbers = {term: number for number, term in enumerate(all_terms, start=1)}
    forms = [
        (numbers[term], word, nth, terms is alternatives[-1] and term == terms[0])
        for word, alternatives in enumerate(words.forms)
        for nth, terms in enumerate(alternatives)
        for term in terms
    ]
    return {
        "lexemes": stored,
        "quoted": list(map(quoted, stored)),
        "places": [each if dimensions.index(each) == at else None for at, each in enumerate(dimensions)],
        "always": [numbers[term] for term in words.scored],
        "form_of": [number for number, *_ in forms],
        "form_word": [word for _, word, *_ in forms],
        "alternatives": [nth for _, _, nth, _ in forms],
        "are_last": [is_last for *_, is_last in forms],
        "sample": DIARIES_COUNTED,
        "looked_up": WORDS_LOOKED_UP,
    }
