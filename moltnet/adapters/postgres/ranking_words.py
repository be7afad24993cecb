"""How much the words of a question add in each diary, as parts of the statements that rank.

1. found: how many entries of each diary hold each wanted term, where any does; diary_terms_pkey, one scan a diary.
2. kept: the terms that are looked up (`ranking.looked_up`), as some of the diaries tell (`frequent`). held: of those.
3. counted: how many entries such a diary has; diary_sizes_pkey. Materialized, or they would be added up for every
   mention.
4. telling: how distinctive that makes each term in each diary (`ranking.inverse_frequency`), and one that none holds.
5. asked: as a vector of `ranking.shares`, whose inner product with an entry's terms is its share of the best BM25.
"""

from typing import LiteralString

# Every term in question, by its number.
EACH_TERM: LiteralString = """
    wanted as (
        select * from unnest(%(lexemes)s::text[], %(places)s::int[], %(quoted)s::text[])
            with ordinality as wanted (lexeme, place, quoted, number)
    ),
"""
_FOUND = """
    {name} as materialized (
        select diary.id, lexeme, holding::float8 as holding from diary cross join lateral (
            select lexeme, holding from diary_terms t
            where t.diary_id = diary.id and t.lexeme = any(%(lexemes)s::text[]) offset 0
        ) as terms
    ),
"""
# Among the diaries that are looked in.
_FREQUENT_HERE = """
    select number, coalesce(sum(holding), 0) as holding from wanted left join (
        select lexeme, holding from found where id in (select id from diary order by id limit %(sample)s)
    ) as holders using (lexeme) group by number
"""
# A word of several forms has those held of the first alternative of which any is, or else one of the last.
_LOOKED_UP = """
    frequent as materialized ({frequent}), formed as (
        select number from (
            select number, alternative, is_last, holding,
                min(alternative) filter (where holding > 0) over (partition by word) as first_held
            from unnest(%(form_of)s::int[], %(form_word)s::int[], %(alternatives)s::int[], %(are_last)s::bool[])
                as form (number, word, alternative, is_last)
            join frequent using (number)
        ) as forms where (holding > 0 and alternative = first_held) or (is_last and first_held is null)
    ), kept as materialized (
        select wanted.*, frequent.holding from wanted join frequent using (number)
        where number = any(%(always)s::int[]) or number in (select number from formed)
        order by holding = 0, holding, number limit %(looked_up)s
    ),
"""
_OF_THOSE = "held as materialized (select found.* from found join kept using (lexeme)),"
_ASKED = """
    counted as materialized (
        select id, (select sum(entries) from diary_sizes s where s.diary_id = holders.id)::float8 as entries
        from (select distinct id from held) as holders
    ), telling as (
        select
            id, lexeme, ln(1 + (entries - holding + 0.5) / (holding + 0.5)) as inverse_frequency,
            ln(1 + (entries + 0.5) / 0.5) as of_none
        from held join counted using (id)
    ), shared as (
        select id, lexeme, inverse_frequency / (%(most)s * (
            sum(inverse_frequency) over (partition by id)
            + of_none * ((select count(*) from kept) - count(*) over (partition by id))
        )) as share
        from telling
    ), asked as (
        select id, ('{' || string_agg(place || ':' || share, ',') || '}/1000000000')::sparsevec as terms
        from shared join kept using (lexeme) group by id
    ),
"""


def of_diaries(*, in_forms: bool) -> LiteralString:
    """What is asked of the diaries in `diary`; `in_forms` where what is held decides which words are looked up."""
    if not in_forms:
        kept: LiteralString = "kept as (select * from wanted),"
        return EACH_TERM + kept + _FOUND.format(name="held") + _ASKED
    return EACH_TERM + _FOUND.format(name="found") + looked_up_by(_FREQUENT_HERE) + _OF_THOSE + _ASKED


def looked_up_by(frequent: LiteralString) -> LiteralString:
    """Which words are looked up, by the numbers of all and how many entries hold each."""
    return _LOOKED_UP.format(frequent=frequent)


def of_looked_up() -> LiteralString:
    """What is asked of the diaries in `diary` where it was said before which words are looked up."""
    return _FOUND.format(name="found") + _OF_THOSE + _ASKED
