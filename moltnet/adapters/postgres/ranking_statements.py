"""The statements that rank: in each stands only what its question asks for, so that nothing else is paid for.

A question without a time, a filter or words is most frequent; what a statement would test for every entry in vain costs
a third of it (`python -m bench.paths`).
"""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, LiteralString

import attrs

from moltnet.adapters.postgres.filtering import condition
from moltnet.domain.ids import DiaryId
from moltnet.domain.ranking import Question, Shortlist

# The best depth + 1 entries of each side with their scores and their ranks on both sides (null where beyond).
# 1. diary: where to look; only diaries that hold an entry (`limit 1` keeps it to a look into each one's index).
# 2. held: how many entries of each diary hold each wanted term, where any does; diary_terms_pkey, one scan for each
#    diary. counted: how many entries such a diary has; diary_entries_diary_id_id_key alone. Materialized, or they would
#    be counted for every mention.
# 3. telling: how distinctive that makes each term in each diary (`ranking.inverse_frequency`), and one that none holds.
# 4. asked: as a vector of `ranking.shares`, whose inner product with an entry's terms is its share of the best BM25.
# 5. compared: both scores of every entry of `_WITHIN` or `_AMONG` that passes the filters and the runs; for entries of
#    several passages, or whose row has not been written since a switch of models, entry_passages_pkey.
# 6. nearest, matching, expanding, timely: the best of each side, and the nearest of the times asked for. A vector
#    without length is near to nothing (NaN becomes 0).
# Whatever reads vectors asks `require_serving` first.
_ASKED = """
    wanted as (
        select * from unnest(%(lexemes)s::text[], %(places)s::int[]) as wanted (lexeme, place)
    ), held as materialized (
        select diary.id, lexeme, holding::float8 as holding from diary cross join lateral (
            select lexeme, holding from diary_terms t
            where t.diary_id = diary.id and t.lexeme = any(%(lexemes)s::text[]) offset 0
        ) as terms
    ), counted as materialized ({counted}), telling as (
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
        select id, ('{{' || string_agg(place || ':' || share, ',') || '}}/1000000000')::sparsevec as terms
        from shared join wanted using (lexeme) group by id
    ),
"""
_COUNTED = """
    select id, (select count(*) from diary_entries e where e.diary_id = holders.id)::float8 as entries
    from (select distinct id from held) as holders
"""
_COSINE = "coalesce(nullif(1 - ({vector} <=> %(vector)s::halfvec), 'NaN'), 0)"
_OWN = _COSINE.format(vector="e.embedding")
# Nearly every entry is one passage of the serving model: it is looked at first.
_NEAREST_PASSAGE = f"""
    case when e.further_passages = 0 and e.embedding_model = %(model)s and e.embedding is not null then {_OWN}
    else greatest(
        case when e.embedding_model = %(model)s and e.embedding is not null then {_OWN} end,
        (
            select max({_COSINE.format(vector="p.embedding")}) from entry_passages p
            where (e.further_passages > 0 or e.embedding_model is distinct from %(model)s)
                and p.entry_id = e.id and p.model = %(model)s and p.embedding is not null
        )
    ) end
"""  # noqa: S608 - constants
_TERMS = "least(coalesce(-(e.terms <#> asked.terms), 0), 1)"
# What calls up the same: as `Expansion.covered_by`, of the question's shares. It is where the beginning's vector is.
_EXPANSION = """
    least(coalesce(-((
        case when e.embedding_model = %(model)s then e.expansion else (
            select p.expansion from entry_passages p
            where p.entry_id = e.id and p.model = %(model)s and p.ordinal = 0
        ) end
    ) <#> %(expansion)s::sparsevec), 0), 1)
"""
_IN_TIME = "coalesce(e.occurred_at, e.created_at) <@ %(periods)s::tstzmultirange"
# The order of each side, and what its rank is called.
_SIDES = {
    "nearest": ("cosine is not null", "cosine desc, id desc", "cosine_rank", "cosine_beyond"),
    "matching": ("words > 0", "words desc, id desc", "words_rank", "words_beyond"),
    "expanding": ("expansion > 0", "expansion desc, id desc", "expansion_rank", "expansion_beyond"),
    "timely": ("timely", "cosine desc nulls last, id desc", "timely_rank", "timely_beyond"),
}
# The best of what all sides offer, by `ranking.worth`, added up in the same order.
_RELEVANT = """
    %(of_cosine)s::float8 * coalesce(cosine, 0) + %(of_words)s::float8 * words
    + %(of_expansion)s::float8 * (expansion * greatest(cosine, 0)) + %(of_timely)s::float8 * timely::int
"""
_RECENT = """
    %(of_recency)s::float8
    * power(0.99::float8, greatest(extract(epoch from %(of_at)s::timestamptz - accessed_at), 0)::float8 / 3600)
"""
_IMPORTANT = "%(of_importance)s::float8 * importance"
_SHORTLIST = f"order by {_RELEVANT} + {_RECENT} + {_IMPORTANT} desc, id desc limit %(limit)s"
_SHORTLIST_OF_ANY_AGE = f"order by {_RELEVANT} + {_IMPORTANT} desc, id desc limit %(limit)s"
_THESE = """
    select id from unnest(%(within)s::uuid[]) as asked_for (id)
    cross join lateral (select from diary_entries e where e.diary_id = asked_for.id limit 1) as holds
    where require_serving(%(model)s)
"""
# Found by their entries, so that a diary without any costs nothing; diary_entries_feed, or the table.
_PUBLIC = """
    select distinct diary_id as id from diary_entries
    where diary_visibility = 'public' and require_serving(%(model)s)
"""
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
            where require_serving(%(model)s) and p.embedding_model = %(model)s and {{condition}}
            order by p.embedding <=> %(vector)s::halfvec limit 400
        ) as near
        union
        select e.id, e.diary_id from diary_entries e
        where e.diary_visibility = 'public' and e.words @@ (select any_of from rare) and {{condition}}
    ),
"""  # noqa: S608
# Of a large diary, its nearest passages by large_passages_N_nearest, and every entry with a rare word by
# large_words_N_words: words together held by a fiftieth of the entries, and the rarest if a tenth or less hold it. How
# near the others could be, and what the other words could add, is part of what is said to lie beyond, so that
# `ranking.is_exact` takes it into account.
# Who finds that not enough asks again for more than FIRST_DEPTH of each wanted: then all are compared.
NEAREST, FIRST_DEPTH = 400, 8
LARGE = "select from large_diaries where diary_id = %(diary)s and ready"
_READY = "select %(diary)s::uuid as id where require_serving(%(model)s)"
_COUNTED_BEFORE = """
    select diary_id as id, greatest(entries, (select max(holding) from held))::float8 as entries
    from large_diaries where diary_id = %(diary)s
"""
_RARE = """
    ranked as materialized (
        select lexeme, holding, entries, row_number() over rarest as nth, sum(holding) over rarest as reached
        from held join counted using (id) window rarest as (order by holding, lexeme)
    ), rare as materialized (
        select lexeme from ranked
        where reached <= greatest(entries / 50, 500) or (nth = 1 and holding <= entries / 10)
    ), any_rare as materialized (
        select string_agg(quoted, ' | ')::tsquery as any_of
        from rare join unnest(%(lexemes)s::text[], %(quoted)s::text[]) as wanted (lexeme, quoted) using (lexeme)
    ),
"""
_OMITTED = """
    (select least(coalesce(sum(share), 0) * %(most)s, 1) from shared where lexeme not in (select lexeme from rare))
"""
_NEAREST_IN_PART = """
    near as materialized (
        select entry_id as id, 1 - (embedding <=> %(vector)s::halfvec) as cosine from large_passages_{part}
        where diary_id = %(diary)s and embedding_model = %(model)s
        order by embedding <=> %(vector)s::halfvec limit 400
    ),
"""
_RARE_IN_PART = """
    union select entry_id from large_words_{part}
    where diary_id = %(diary)s and words @@ (select any_of from any_rare)
"""
_FARTHER = "(select min(cosine) from near having count(*) = 400)"
_NUMBERS: tuple[LiteralString, ...] = (
    "0",
    "1",
    "2",
    "3",
    "4",
    "5",
    "6",
    "7",
    "8",
    "9",
    "10",
    "11",
    "12",
    "13",
    "14",
    "15",
)
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


def best(question: Question, shortlist: Shortlist | None = None) -> LiteralString:
    """The best of the diaries `within`."""
    return _within(_THESE, _Parts.of(question, shortlist))


def best_public(question: Question, shortlist: Shortlist | None = None) -> LiteralString:
    """The best of all that is public, every entry compared."""
    return _within(_PUBLIC, _Parts.of(question, shortlist))


def best_public_near(question: Question, shortlist: Shortlist | None = None) -> LiteralString:
    """The best of all that is public, of those that the approximate index and the rare words lead to."""
    return _near(_Parts.of(question, shortlist))


def is_for_indexes(question: Question, shortlist: Shortlist | None, depth: int) -> bool:
    """Whether the indexes of a large diary may lead to the best: nothing else decides, and few enough are asked for."""
    is_bound = question.time_ranges or condition(question.filters, question.words) != "true"
    return bool(question.vector and shortlist and depth <= FIRST_DEPTH * shortlist.limit and not is_bound)


def best_large(question: Question, shortlist: Shortlist | None, diary_id: DiaryId) -> LiteralString:
    """The best of one large diary, of those that its indexes lead to (`is_for_indexes`)."""
    return _large(_Parts.of(question, shortlist), diary_id.bytes[-1] % 16)


def shortlist_values(shortlist: Shortlist | None) -> dict[str, Any]:
    """What the statements take of a shortlist."""
    if shortlist is None:
        return {}
    factors = attrs.asdict(shortlist.score)
    return {"limit": shortlist.limit, **{f"of_{name}": factor for name, factor in factors.items()}}


@attrs.frozen
class _Parts:
    """What a question asks for."""

    condition: LiteralString
    by_vector: bool
    by_words: bool
    by_expansion: bool
    by_time: bool
    shortlist: LiteralString

    @classmethod
    def of(cls, question: Question, shortlist: Shortlist | None) -> "_Parts":
        words = question.words
        return cls(
            condition(question.filters, words),
            bool(question.vector),
            bool(words.scored),
            bool(question.expansion),
            bool(question.time_ranges),
            "" if shortlist is None else _SHORTLIST if shortlist.score.recency else _SHORTLIST_OF_ANY_AGE,
        )


@cache  # few: each combination of filters that is in use
def _within(diaries: LiteralString, parts: _Parts) -> LiteralString:
    # One diary at a time, every entry of it; diary_entries_newest. `offset 0` keeps it so: the planner can neither turn
    # it around into a scan of all diaries nor hand the order to an approximate index, should there ever be one here.
    joined = "left join asked on asked.id = diary.id" if parts.by_words else ""
    scored = f"{_scored(parts)} where e.diary_id = diary.id and {parts.condition} offset 0"
    terms = _ASKED.format(counted=_COUNTED) if parts.by_words else ""
    return _statement(f"diary as ({diaries}), {terms}", f"diary {joined} cross join lateral ({scored}) as e", parts)


@cache
def _near(parts: _Parts) -> LiteralString:
    joined = "left join asked on asked.id = pool.diary_id" if parts.by_words else ""
    scored = f"{_scored(parts)} where e.id = pool.id offset 0"
    asked = f"diary as (select distinct diary_id as id from pool), {_ASKED.format(counted=_COUNTED)}"  # noqa: S608
    terms = asked if parts.by_words else ""
    pool = _AMONG.format(condition=parts.condition)
    return _statement(f"{pool} {terms}", f"pool {joined} cross join lateral ({scored}) as e", parts)


@cache
def _large(parts: _Parts, part: int) -> LiteralString:
    # A part's number is written out: one table's index is used, and the others are not even planned.
    first = f"diary as ({_READY}), {_NEAREST_IN_PART.format(part=_NUMBERS[part])}"
    rows = f"pool cross join lateral ({_scored(parts)} where e.id = pool.id offset 0) as e"
    if not parts.by_words:
        pool = f"{first} pool as materialized (select id from near),"  # noqa: S608
        return _statement(pool, rows, parts, {"nearest": _FARTHER})
    first = f"{first} {_ASKED.format(counted=_COUNTED_BEFORE)} {_RARE}"
    pool = f"pool as materialized (select id from near {_RARE_IN_PART.format(part=_NUMBERS[part])}),"  # noqa: S608
    rows = rows.replace("pool cross", "pool left join asked on true cross", 1)
    return _statement(f"{first} {pool}", rows, parts, {"nearest": _FARTHER, "matching": _OMITTED})


def _scored(parts: _Parts) -> LiteralString:
    return f"""
        select e.id, e.importance, e.created_at, {_IN_TIME if parts.by_time else "false"} as timely,
            {_NEAREST_PASSAGE if parts.by_vector else "null::float8"} as cosine,
            {_TERMS if parts.by_words else "0::float8"} as words,
            {_EXPANSION if parts.by_expansion else "0::float8"} as expansion
        from diary_entries e
    """  # noqa: S608


def _statement(
    first: LiteralString,
    rows: LiteralString,
    parts: _Parts,
    omitted: Mapping[str, LiteralString] = MappingProxyType({}),
) -> LiteralString:
    compared = f"select e.* from {rows} where e.cosine is not null or e.words > 0"  # noqa: S608
    asked = {
        "nearest": parts.by_vector,
        "matching": parts.by_words or not parts.by_vector,
        "expanding": parts.by_expansion,
        "timely": parts.by_time,
    }
    sides = [side for side in _SIDES if asked[side]]
    best_of = ", ".join(map(_best_of, sides))
    shown = ", ".join(
        f"coalesce({', '.join(f'{side}.{column}' for side in sides)}) as {column}"
        for column in ("cosine", "words", "expansion", "importance", "created_at", "timely")
    )
    ranks = ", ".join(
        f"{rank if asked[side] else 'null::bigint'} as {rank}" for side, (_, _, rank, _) in _SIDES.items()
    )
    joined = sides[0] + "".join(f" full join {side} using (id)" for side in sides[1:])
    beyond = ", ".join(
        _beyond(side, omitted.get(side)) if asked[side] else f"null as {_SIDES[side][3]}"
        for side in ("nearest", "matching", "expanding")
    )
    more_in_time = "(select count(*) > %(depth)s from timely)" if parts.by_time else "false"
    statement = f"""
        with {first} compared as materialized ({compared}), {best_of},
        best as (select id, {shown}, {ranks} from {joined}), offered as (
            select best.*, coalesce(a.last_at, best.created_at) as accessed_at
            from best left join entry_accesses a on a.entry_id = best.id
            where least(cosine_rank, words_rank, expansion_rank, timely_rank) <= %(depth)s
        )
        select offered.*, beyond.* from offered cross join (
            select {beyond}, {more_in_time} as timely_beyond
        ) as beyond {parts.shortlist}
    """  # noqa: S608
    return " ".join(statement.split())  # psycopg keeps what it found in a statement of at most 4 096 characters


def _best_of(side: str) -> LiteralString:
    is_offered, order, rank, _ = _SIDES[side]
    return f"""
        {side} as (
            select *, row_number() over (order by {order}) as {rank} from (
                select * from compared where {is_offered} order by {order} limit %(depth)s + 1
            ) as best
        )
    """  # noqa: S608


def _beyond(side: str, omitted: LiteralString | None) -> LiteralString:
    """The score at the last rank of a side, if there is one after it, or what one that was not compared could have."""
    _, _, rank, beyond = _SIDES[side]
    score = beyond.removesuffix("_beyond")
    last = f"(select max({score}) from {side} where {rank} >= %(depth)s having count(*) > 1)"  # noqa: S608
    return f"greatest({last}, nullif({omitted}, 0)) as {beyond}" if omitted else f"{last} as {beyond}"
