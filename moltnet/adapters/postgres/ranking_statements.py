"""The statements that rank: in each stands only what its question asks for, so that nothing else is paid for.

A question without a time, a filter or words is most frequent; what a statement would test for every entry in vain costs
a third of it (`python -m bench.paths`).
"""

from collections.abc import Collection
from functools import cache
from typing import Any, LiteralString

import attrs

from moltnet.adapters.postgres import ranking_words
from moltnet.adapters.postgres.filtering import condition
from moltnet.adapters.postgres.ranking_indexes import (
    EXPANDING,
    FARTHER,
    LARGE_POOL,
    NEAR_LARGE,
    OMITTED,
    PUBLIC_POOL,
    RARE,
    SPREAD_OF_NEAR,
    WITH_RARE,
    Width,
)
from moltnet.domain.ranking import Question, Score, Shortlist, needs_no_count

# What every statement is made of:
# 1. diary: where to look; only diaries that hold an entry (`limit 1` keeps it to a look into each one's index). pool:
#    the entries that indexes lead to, where they do (`ranking_indexes`).
# 2. asked: how much each word adds there (`ranking_words`).
# 3. compared: the scores of every such entry that passes the filters and the runs; for entries of several passages, or
#    whose row has not been written since a switch of models, entry_passages_pkey.
# 4. Of a shortlist the best by their sum, with the entries as their view has them. Where ranks are asked for, or when
#    an entry was last seen counts, first the best depth + 1 of each side with their scores and ranks (null where
#    beyond): nearest, matching, expanding, timely.
# 5. spread, among: of the expansions of all that was compared (`ranking.Spread`).
# A vector without length is near to nothing (NaN becomes 0). Whatever reads vectors asks `require_serving` first.
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
# What calls up the same: as `Expansion.covers`, of the question's shares. It is where the beginning's vector is.
_EXPANSION = """
    least(coalesce(-((
        case when e.embedding_model = %(model)s then e.expansion else (
            select p.expansion from entry_passages p
            where p.entry_id = e.id and p.model = %(model)s and p.ordinal = 0
        ) end
    ) <#> %(expansion)s::sparsevec), 0), 1)
"""
_SPREAD = "cross join (select stddev_pop(expansion) / {of} as spread, count(*) as among from compared) as spread"
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
    + %(of_expansion)s::float8 * (expansion * greatest(cosine, 0))
"""
_TIME_BOOST = "+ %(of_timely)s::float8 * timely::int"
_RECENT = """
    + %(of_recency)s::float8
    * power(0.99::float8, greatest(extract(epoch from %(of_at)s::timestamptz - accessed_at), 0)::float8 / 3600)
"""
_IMPORTANT = "+ %(of_importance)s::float8 * importance"
# Where is looked, of the diaries asked for, and of all.
_THESE: LiteralString = """
    select id from unnest(%(within)s::uuid[]) as asked_for (id)
    cross join lateral (select from diary_entries e where e.diary_id = asked_for.id limit 1) as holds
    where require_serving(%(model)s)
"""
# Found by their entries, so that a diary without any costs nothing; diary_entries_feed, or the table.
_PUBLIC: LiteralString = """
    select distinct diary_id as id from diary_entries
    where diary_visibility = 'public' and require_serving(%(model)s)
"""
# The entry beside each of a few rows; diary_entries_pkey. `offset 0` keeps it to that.
_WITH_ENTRIES = """
    select ranked.*, entry.* from ({ranked}) as ranked
    cross join lateral (select * from entries where entries.id = ranked.id offset 0) as entry
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


def best_large(question: Question, shortlist: Shortlist, width: Width, *, beside_others: bool) -> LiteralString:
    """The best of `large` diaries, of those that their indexes lead to, and of `others`, all compared."""
    return _by_indexes(_Parts.of(question, shortlist), width, beside_others=beside_others)


def is_for_indexes(question: Question, shortlist: Shortlist | None) -> bool:
    """Whether indexes may lead to the best: there is a vector, and no time or required run of words decides."""
    if shortlist is None or _Parts.of(question, shortlist).by_sides or shortlist.score.importance:
        return False  # what an entry is worth apart from its relevance may be any
    return bool(question.vector and not question.time_ranges and not any(question.words.required))


def count_passing(question: Question) -> LiteralString | None:
    """How many entries of the diaries `within` pass the filters, up to `few` and one; None where all do."""
    asked = condition(question.filters, question.words)
    if asked == "true":
        return None
    passing = f"select from diary_entries e where {_of_diary(question.filters.tags)} and {asked}"
    return f"""
        select count(*) as passing from (
            select from unnest(%(within)s::uuid[]) as diary (id)
            cross join lateral ({passing} limit %(few)s + 1 offset 0) as e limit %(few)s + 1
        ) as e
    """  # noqa: S608


def shortlist_values(shortlist: Shortlist | None) -> dict[str, Any]:
    """What the statements take of a shortlist."""
    if shortlist is None:
        return {}
    factors = attrs.asdict(shortlist.score)
    return {"limit": shortlist.limit, **{f"of_{name}": factor for name, factor in factors.items()}}


def _of_diary(tags: Collection[str]) -> LiteralString:
    """An entry of a diary; diary_entries_newest, or, of those that have some tags, diary_entries_tags."""
    return "tags_in(e.diary_id, e.tags) @> tags_in(diary.id, %(tags)s::text[])" if tags else "e.diary_id = diary.id"


@attrs.frozen
class _Parts:
    """What a question asks for."""

    condition: LiteralString
    of_diary: LiteralString
    by_vector: bool
    by_words: bool
    in_forms: bool
    by_expansion: bool
    by_time: bool
    by_sides: bool
    shortlist: LiteralString

    @classmethod
    def of(cls, question: Question, shortlist: Shortlist | None) -> "_Parts":
        words = question.words
        return cls(
            condition(question.filters, words),
            _of_diary(question.filters.tags),
            bool(question.vector),
            bool(words.terms),
            not needs_no_count(words),
            bool(question.expansion),
            bool(question.time_ranges),
            shortlist is None or shortlist.ranks or bool(shortlist.score.recency),
            "" if shortlist is None else _by_worth(question, shortlist.score),
        )


def _by_worth(question: Question, score: Score) -> LiteralString:
    timely = _TIME_BOOST if question.time_ranges else ""
    recent, important = _RECENT if score.recency else "", _IMPORTANT if score.importance else ""
    return f"order by {_RELEVANT} {timely} {recent} {important} desc, id desc limit %(limit)s"


@cache  # few: each combination of filters that is in use
def _within(diaries: LiteralString, parts: _Parts) -> LiteralString:
    # One diary at a time, every entry of it, or every one that has the tags. `offset 0` keeps it so: the planner can
    # neither turn it around into a scan of all diaries nor hand the order to an approximate index, should there ever be
    # one here.
    joined = "left join asked on asked.id = diary.id" if parts.by_words else ""
    scored = f"{_scored(parts)} where {parts.of_diary} and {parts.condition} offset 0"
    terms = ranking_words.of_diaries(in_forms=parts.in_forms) if parts.by_words else ""
    return _statement(f"diary as ({diaries}), {terms}", f"diary {joined} cross join lateral ({scored}) as e", parts)


@cache
def _near(parts: _Parts) -> LiteralString:
    diary: LiteralString = "diary as (select distinct diary_id as id from pool), "
    terms = diary + ranking_words.of_looked_up() if parts.by_words else ""
    pool = PUBLIC_POOL.format(condition=parts.condition)
    return _statement(f"{pool} {terms}", _of_pool(parts), parts, of=SPREAD_OF_NEAR)


@cache
def _by_indexes(parts: _Parts, width: Width, *, beside_others: bool) -> LiteralString:
    rare = (
        ranking_words.of_diaries(in_forms=parts.in_forms) + RARE.format(part=width.part, most=width.most)
        if parts.by_words
        else ""
    )
    near = NEAR_LARGE.format(
        nearest=width.nearest,
        walked=width.walked,
        entry="" if parts.condition == "true" else "join diary_entries e on e.id = p.entry_id",
        condition=parts.condition,
    )
    pool = LARGE_POOL.format(rare=WITH_RARE if parts.by_words else "")
    rows = f"({_compared(_of_pool(parts))}"
    if beside_others:
        joined = "left join asked using (id)" if parts.by_words else ""
        others = f"unnest(%(others)s::uuid[]) as other (id) {joined}"
        scored = f"{_scored(parts)} where e.diary_id = other.id and {parts.condition} offset 0"
        rows += f" union all {_compared(f'{others} cross join lateral ({scored}) as e')}"
    beyond = {"nearest": FARTHER, "expanding": EXPANDING} | ({"matching": OMITTED} if parts.by_words else {})
    lacking = "" if width.is_last else "".join(f", {beyond[side]} as {_SIDES[side][3]}" for side in beyond)
    first = f"diary as ({_THESE}), {rare} {near} {pool}"
    return _statement(first, f"{rows}) as e", parts, f"(select count(*) from near) as led {lacking}", SPREAD_OF_NEAR)  # noqa: S608


def _of_pool(parts: _Parts) -> LiteralString:
    # One walk along diary_entries_pkey in the order of the ids, which is nearly that of the rows; a look for each entry
    # takes twice as long.
    joined = "left join asked on asked.id = e.diary_id" if parts.by_words else ""
    return (
        f"({_scored(parts)} {joined} where e.id = any(array(select id from pool)) and {parts.condition} offset 0) as e"  # noqa: S608
    )


def _compared(rows: LiteralString) -> LiteralString:
    return f"select e.* from {rows} where e.cosine is not null or e.words > 0"  # noqa: S608


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
    beyond: LiteralString = "",
    of: LiteralString = "1",
) -> LiteralString:
    compared = _compared(rows)
    spread = _SPREAD.format(of=of) if parts.by_expansion else ""
    if parts.by_sides:
        ranked = _of_sides(first, compared, parts, spread)
    elif beyond or spread:
        lacking = f"cross join (select {beyond}) as beyond" if beyond else ""
        ranked = f"""
            with {first} compared as materialized ({compared})
            select * from (select * from compared {parts.shortlist}) as top {lacking} {spread}
        """  # noqa: S608
    else:
        ranked = f"with {first} compared as ({compared}) select * from compared {parts.shortlist}"  # noqa: S608
    return " ".join((_WITH_ENTRIES.format(ranked=ranked) if parts.shortlist else ranked).split())


def _of_sides(first: LiteralString, compared: LiteralString, parts: _Parts, spread: LiteralString) -> LiteralString:
    """The best of each side, and how good the best beyond them is."""
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
        _beyond(side) if asked[side] else f"null as {_SIDES[side][3]}" for side in ("nearest", "matching", "expanding")
    )
    more_in_time = "(select count(*) > %(depth)s from timely)" if parts.by_time else "false"
    return f"""
        with {first} compared as materialized ({compared}), {best_of},
        best as (select id, {shown}, {ranks} from {joined}), offered as (
            select best.*, coalesce(a.last_at, best.created_at) as accessed_at
            from best left join entry_accesses a on a.entry_id = best.id
            where least(cosine_rank, words_rank, expansion_rank, timely_rank) <= %(depth)s
        )
        select * from offered cross join (
            select {beyond}, {more_in_time} as timely_beyond
        ) as beyond {spread} {parts.shortlist}
    """  # noqa: S608


def _best_of(side: str) -> LiteralString:
    is_offered, order, rank, _ = _SIDES[side]
    return f"""
        {side} as (
            select *, row_number() over (order by {order}) as {rank} from (
                select * from compared where {is_offered} order by {order} limit %(depth)s + 1
            ) as best
        )
    """  # noqa: S608


def _beyond(side: str) -> LiteralString:
    """The score at the last rank of a side, if there is one after it."""
    _, _, rank, beyond = _SIDES[side]
    score = beyond.removesuffix("_beyond")
    return f"(select max({score}) from {side} where {rank} >= %(depth)s having count(*) > 1) as {beyond}"  # noqa: S608
