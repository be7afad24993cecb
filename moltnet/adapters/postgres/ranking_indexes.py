"""The entries that indexes lead to, as parts of the statements that rank.

Everything public has approximate indexes (ADR-16), and so have large diaries (ADR-54, ADR-67). Numbers are written out
where the planner would not trust an index with a number it does not know.
"""

from collections.abc import Mapping
from types import MappingProxyType
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

# Of large diaries, their nearest passages by large_passages_N_nearest, in each part of the index, and every entry with
# a rare word by large_words_N_words: words together held by a part of the entries, and the rarest if a tenth or less
# hold it. How near the others could be, and what the other words could add, is part of what is said to lie beyond, so
# that `ranking.is_exact` takes it into account. What a second look does not find counts as not there.


@attrs.frozen
class Width:
    """How far indexes are followed: so many nearest in each part, and words that one entry in so many holds."""

    nearest: LiteralString
    walked: LiteralString
    part: LiteralString
    is_last: bool

    @classmethod
    def of(cls, parts: int, *, is_second: bool) -> "Width":
        """As far as so many parts bear; further where the first look could not tell whether it found the best."""
        nearest = _NEAREST[is_second]["one" if parts == 1 else "few" if parts <= FEW_PARTS else "many"]
        return cls(nearest, "400" if is_second else nearest, "20" if is_second else "50", is_second)


FEW_PARTS = 4
_NEAREST: Mapping[bool, Mapping[str, LiteralString]] = MappingProxyType(
    {False: {"one": "400", "few": "200", "many": "100"}, True: {"one": "1600", "few": "800", "many": "400"}}
)
RARE: LiteralString = """
    total as materialized (select coalesce(sum(entries), 0) as entries from counted), rare as materialized (
        select lexeme from (
            select lexeme, holding, row_number() over rarest as nth, sum(holding) over rarest as reached
            from (select lexeme, sum(holding) as holding from held group by lexeme) as holders
            window rarest as (order by holding, lexeme)
        ) as ranked, total
        where reached <= greatest(total.entries / {part}, 500) or (nth = 1 and holding <= total.entries / 10)
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
