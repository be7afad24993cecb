"""The entries that indexes lead to, as parts of the statements that rank.

Everything public has approximate indexes (ADR-16), and so have large diaries (ADR-54, ADR-67). Numbers are written out
where the planner would not trust an index with a number it does not know.
"""

from collections.abc import Sequence
from typing import LiteralString

import attrs

from moltnet.adapters.postgres.ranking_words import EACH_TERM, looked_up_by

# 1. frequent: how many entries of some public diaries hold each wanted term; diaries_public.
# 2. rare: a query for those that tell something (the two rarest always): a word that every tenth entry holds would
#    bring every tenth entry, hardly one of which is among the best for it.
# 3. pool: the nearest public passages by public_passages_nearest, with its iterative scan (pool.SET_UP) as far as the
#    filters need it, and every public entry with a rare word, by diary_entries_public_words.
_FREQUENT_IN_PUBLIC = """
    select number, coalesce(sum(holding), 0) as holding from wanted
    cross join sampled left join diary_terms t on t.diary_id = sampled.id and t.lexeme = wanted.lexeme
    group by number
"""
PUBLIC_POOL: LiteralString = f"""
    sampled as materialized (
        select id from diaries d
        cross join lateral (select from diary_entries e where e.diary_id = d.id limit 1) as holds
        where visibility = 'public' order by id limit %(sample)s
    ), {EACH_TERM} {looked_up_by(_FREQUENT_IN_PUBLIC)} rare as materialized (
        select string_agg(quoted, ' | ')::tsquery as any_of from (
            select quoted, holding, row_number() over (order by holding, quoted) as place from kept
        ) as placed
        where place <= 2 or holding <= 0.01 * (
            select sum(entries) from sampled join diary_sizes s on s.diary_id = sampled.id
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
"""  # noqa: S608 - constants

# The entries of each large diary as they are counted now, and those that are large from now on of one group: a diary
# that is large alone, or all the smaller ones of an owner. A group has the part of the indexes that its diaries have
# already, or the one with the fewest entries; diary_sizes, read through.
FIND_LARGE = """
    with counted as (
        select id, owner_id, entries, sum(entries) over (partition by owner_id) as owned from (
            select diary_id as id, sum(entries)::bigint as entries from diary_sizes group by diary_id
        ) as sizes join diaries using (id)
    ), grouped as materialized (
        select id, entries, part, large.diary_id is null as is_new,
            case when counted.entries >= %(least)s then id else owner_id end as together
        from counted left join (
            select diary_id, coalesce(part, large_part(diary_id)) as part from large_diaries
        ) as large on large.diary_id = id
        where owned >= %(least)s
    ), counted_again as (
        update large_diaries set entries = grouped.entries from grouped
        where diary_id = grouped.id and large_diaries.entries <> grouped.entries
    ), next as materialized (select min(together::text)::uuid as together from grouped where is_new)
    insert into large_diaries (diary_id, entries, part)
    select id, entries, coalesce(
        (select min(part) from grouped join next using (together)),
        (select number from generate_series(0, 15) as number left join grouped on part = number
            group by number order by coalesce(sum(entries), 0), number limit 1)
    ) from grouped join next using (together) where is_new
    on conflict do nothing
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


# Which of some diaries are indexed, in which part, and how many entries each had when they were counted;
# large_diaries_pkey.
LARGE = """
    select diary_id, entries, coalesce(part, large_part(diary_id)) as part from large_diaries
    where diary_id = any(%(diaries)s::uuid[]) and ready
"""

# Of large diaries, their nearest passages by large_passages_N_nearest, in each part of the index, and every entry with
# a rare word by large_words_N_words: words together held by a part of the entries, and the rarest if a tenth or less
# hold it. How near the others could be, and what the other words could add, is part of what is said to lie beyond, so
# that `ranking.is_exact` takes it into account. What a second look does not find counts as not there.


@attrs.frozen
class Width:
    """How far indexes are followed: so many nearest a part; words that one entry in so many holds, `most` at most."""

    nearest: LiteralString
    walked: LiteralString
    part: LiteralString
    most: LiteralString
    is_last: bool

    @classmethod
    def of(cls, parts: int, limit: int, *, is_second: bool) -> "Width":
        """As far as so many parts bear; further for many wanted, and where a first look could not tell enough."""
        nearest = _NEAREST[is_second + (limit > WIDE_FROM)][0 if parts == 1 else 1 if parts <= FEW_PARTS else 2]
        walked = nearest if int(nearest) < WALKED else "400"
        return cls(nearest, walked, *(("20", "4000") if is_second else ("50", "1500")), is_second)


# What counts as few parts, and as many wanted; how many a walk keeps in sight at most.
FEW_PARTS, WIDE_FROM, WALKED = 4, 20, 400
# In one part, in each of few, and in each of more.
_NEAREST: Sequence[Sequence[LiteralString]] = (("200", "150", "100"), ("400", "300", "200"), ("1600", "800", "400"))
RARE: LiteralString = """
    total as materialized (select coalesce(sum(entries), 0) as entries from counted), rare as materialized (
        select lexeme from (
            select lexeme, holding, row_number() over rarest as nth, sum(holding) over rarest as reached
            from (select lexeme, sum(holding) as holding from held group by lexeme) as holders
            window rarest as (order by holding, lexeme)
        ) as ranked, total
        where reached <= least(greatest(total.entries / {part}, 500), {most})
            or (nth = 1 and holding <= least(total.entries / 10, 4000))
    ), any_rare as materialized (
        select string_agg(quoted, ' | ')::tsquery as any_of from rare join wanted using (lexeme)
    ),
"""
NEAR_LARGE: LiteralString = """
    near as materialized (
        select nearest.* from (
            select part, set_config('hnsw.ef_search', '{walked}', true)
            from unnest(%(parts)s::smallint[]) as each (part)
        ) as parts cross join lateral (
            select p.part, p.entry_id as id, p.diary_id, 1 - (p.embedding <=> %(vector)s::halfvec) as cosine
            from large_passages p {entry}
            where p.part = parts.part and p.diary_id = any(%(large)s::uuid[]) and p.embedding_model = %(model)s
                and {condition}
            order by p.embedding <=> %(vector)s::halfvec limit {nearest}
        ) as nearest
    ),
"""
WITH_RARE: LiteralString = """
    union all select entry_id, diary_id from large_words
    where part = any(%(parts)s::smallint[]) and diary_id = any(%(large)s::uuid[])
        and words @@ (select any_of from any_rare)
"""
LARGE_POOL: LiteralString = "pool as materialized (select id, diary_id from near {rare}),"
FARTHER: LiteralString = "(select max(least) from (select min(cosine) as least from near group by part) as parts)"
OMITTED: LiteralString = """
    nullif((select max(least(omitted * %(most)s, 1)) from (
        select sum(share) as omitted from shared where lexeme not in (select lexeme from rare) group by id
    ) as diaries), 0)
"""
# What is farther is looked for by nothing else, so the most that half of what is near calls up stands for it.
EXPANDING: LiteralString = """
    (select max(expansion) from compared join near using (id) where near.cosine <= (select avg(cosine) from near))
"""
# The expansions of the nearest lie apart by so much more than those of all (ADR-66).
SPREAD_OF_NEAR: LiteralString = "1.75"
