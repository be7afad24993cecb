"""Pages of entries: the statements, of which each asks only what its filters do."""

from collections.abc import Collection
from typing import Any, LiteralString

from moltnet.adapters.postgres.filtering import condition, filter_values, run_values
from moltnet.domain.constraints import Page
from moltnet.domain.ids import DiaryId
from moltnet.domain.search import Filters, LexicalQuery

# A page of the entries of a diary that pass the filters, newest first; diary_entries_newest, in its order, of which it
# skips what lies before the page.
_OF_ONE: LiteralString = """
    select e.id, e.created_at from diary_entries e where e.diary_id = %(diary_id)s and {condition}
    order by e.created_at desc, e.id desc limit %(limit)s offset %(offset)s
"""
# The same of several: as many of each as the page may need.
_OF_SEVERAL: LiteralString = """
    select newest.id, newest.created_at
    from unnest(%(within)s::uuid[]) as asked_for (id) cross join lateral (
        select e.id, e.created_at from diary_entries e where e.diary_id = asked_for.id and {condition}
        order by e.created_at desc, e.id desc limit %(limit)s::bigint + %(offset)s::bigint
    ) as newest
    order by newest.created_at desc, newest.id desc limit %(limit)s offset %(offset)s
"""
# Those that have some tags in any of these diaries; diary_entries_tags.
_TAGGED: LiteralString = """
    tagged as materialized (
        select e.id, e.created_at from unnest(%(within)s::uuid[]) as asked_for (id) cross join lateral (
            select * from diary_entries e
            where tags_in(e.diary_id, e.tags) @> tags_in(asked_for.id, %(tags)s::text[]) and {condition}
            {at_most} offset 0
        ) as e
    )
"""
_OF_TAGGED: LiteralString = """
    select id, created_at from tagged order by created_at desc, id desc limit %(limit)s offset %(offset)s
"""
# Of a rare tag all are found; of a common one, the next are met soon in the order of a page. Only one is carried out.
RARE_TAG = 500
_OF_RARE_OR_COMMON: LiteralString = """
    (select * from ({of_tagged}) as rare where (select count(*) <= %(rare)s from tagged))
    union all
    (select * from ({page}) as common where (select count(*) > %(rare)s from tagged))
"""
_LATEST: LiteralString = """
    with {tagged} page as materialized ({page})
    select entries.* from page join entries on entries.id = page.id
    order by entries.created_at desc, entries.id desc
"""
# How many pass the filters, beside each entry of such a page, or beside nulls when it is empty. How many there are
# without any is counted with every change; diary_sizes_pkey.
_NEWEST: LiteralString = """
    with {tagged} page as materialized ({page})
    select counted.total, shown.* from (select {counted}) as counted
    left join (select entries.* from page join entries on entries.id = page.id) as shown on true
    order by shown.created_at desc, shown.id desc
"""
_ALL: LiteralString = """
    coalesce(sum(entries), 0)::bigint as total from diary_sizes where diary_id = any(%(within)s::uuid[])
"""
_COUNTED: LiteralString = (
    "count(*) as total from diary_entries e where e.diary_id = any(%(within)s::uuid[]) and {condition}"
)
# A page of one diary with the filters and the order of a listing, and how many there are; the diary's entries are all
# read.
_BROWSE: LiteralString = """
    with matching as (
        select e.id, e.importance, e.created_at, coalesce(a.accesses, 0) as accesses
        from diary_entries e left join entry_accesses a on a.entry_id = e.id
        where e.diary_id = %(diary_id)s and {condition} and e.importance >= %(min_importance)s
            and (e.injection_risk or not %(only_flagged)s)
            and (e.superseded_by is not null or not %(only_superseded)s)
            and (%(successor)s::uuid is null or e.superseded_by = %(successor)s)
            and (%(writer)s::text is null
                or e.author_id = (select identity_id from agent_keys where fingerprint = %(writer)s))
    ), page as (
        select id, row_number() over (
            order by case %(order)s::text when 'importance' then importance when 'read' then accesses else 0 end desc,
                case when %(order)s = 'oldest' then created_at end, created_at desc, id desc
        ) as rank from matching order by rank limit %(limit)s offset %(offset)s
    )
    select counted.total, shown.* from (select count(*) as total from matching) as counted
    left join page on true left join entries as shown on shown.id = page.id order by page.rank
"""


def latest(within: Collection[DiaryId], filters: Filters, words: LexicalQuery) -> LiteralString:
    """A page of some diaries."""
    asked, page = condition(filters, words), _page(within)
    if not filters.tags:
        return _LATEST.format(tagged="", page=page.format(condition=asked))
    tagged = _TAGGED.format(condition=asked, at_most="limit %(rare)s + 1")
    page = _OF_RARE_OR_COMMON.format(of_tagged=_OF_TAGGED, page=page.format(condition=asked))
    return _LATEST.format(tagged=f"{tagged},", page=page)


def newest(within: Collection[DiaryId], filters: Filters, words: LexicalQuery) -> LiteralString:
    """The same, counted."""
    asked = condition(filters, words)
    if not filters.tags:
        counted = _ALL if asked == "true" else _COUNTED.format(condition=asked)
        return _NEWEST.format(tagged="", page=_page(within).format(condition=asked), counted=counted)
    tagged = _TAGGED.format(condition=asked, at_most="")
    return _NEWEST.format(tagged=f"{tagged},", page=_OF_TAGGED, counted="count(*) as total from tagged")


def browse(filters: Filters, words: LexicalQuery) -> LiteralString:
    """A page of one diary by a listing."""
    return _BROWSE.format(condition=condition(filters, words))


def page_values(within: Collection[DiaryId], filters: Filters, page: Page, words: LexicalQuery) -> dict[str, Any]:
    """What the statements of a page take."""
    diaries = list(set(within))
    window = {"within": diaries, "diary_id": diaries[0] if diaries else None, "rare": RARE_TAG}
    return {
        **filter_values(filters),
        **run_values(words),
        **window,
        "limit": page.limit,
        "offset": page.offset,
    }


def _page(within: Collection[DiaryId]) -> LiteralString:
    return _OF_ONE if len(set(within)) == 1 else _OF_SEVERAL
