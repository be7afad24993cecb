"""The table `diary_entries`, and what belongs to an entry: passages, accesses, and its share in the term counts.

Order of locks, so that no two writers wait for each other: the diary, the entry, the term counts by lexeme, the entries
it had superseded. Those who only add share the diary; those who change or remove an entry hold it one after the other.
"""

from collections.abc import Collection, Sequence
from datetime import datetime

import attrs

from moltnet.adapters.postgres.rows import entry_from_row, public_entry_from_row
from moltnet.adapters.postgres.session import Row, Session
from moltnet.adapters.postgres.words import stored_words
from moltnet.domain.diaries import DiaryNotFound
from moltnet.domain.entries import Entry
from moltnet.domain.feed import Cursor, PublicEntry
from moltnet.domain.ids import DiaryId, EntryId
from moltnet.domain.search import EntryIndex, Filters
from moltnet.ports.repositories import Page

# One row, or none when the diary is gone; diaries_pkey. An entry that was stored as in a private diary while the diary
# became a public one would be refused by diary_entries_diary_id_fkey: hence the lock before the look.
ADD = """
    with diary as (
        select id, visibility from diaries where id = %(diary_id)s for key share
    ), entry as (
        insert into diary_entries (
            id, diary_id, diary_visibility, title, content, tags, injection_risk, importance, entry_type, superseded_by,
            created_at, updated_at, embedding_model, embedding, further_passages, terms, words
        )
        select
            %(id)s, id, visibility, %(title)s, %(content)s, %(tags)s, %(injection_risk)s, %(importance)s, %(entry_type)s,
            %(superseded_by)s, %(created_at)s, %(updated_at)s, %(embedding_model)s, %(embedding)s,
            cardinality(%(ordinals)s::int[]), %(terms)s, %(words)s
        from diary
        returning id
    ), further as (
        insert into entry_passages (entry_id, ordinal, starts_at, ends_at, embedding)
        select entry.id, ordinal, starts_at, ends_at, embedding
        from entry, unnest(%(ordinals)s::int[], %(starts)s::int[], %(ends)s::int[], %(embeddings)s::vector[])
            as passages (ordinal, starts_at, ends_at, embedding)
    ), counted as (
        insert into diary_terms (diary_id, lexeme, holding)
        select diary.id, lexeme, 1 from diary, unnest(%(lexemes)s::text[]) as lexeme
        order by lexeme collate "C"
        on conflict (diary_id, lexeme) do update set holding = diary_terms.holding + 1
    )
    select from entry
"""
# The entry of an id in a diary; diary_entries_pkey.
FIND = "select * from entries where id = %(id)s and diary_id = %(diary_id)s"
# The entries of some ids in their order; diary_entries_pkey.
FIND_MANY = """
    select entries.* from unnest(%(ids)s::uuid[]) with ordinality as wanted (id, place)
    join entries on entries.id = wanted.id order by wanted.place
"""
# A page of the entries of some diaries that pass the filters, newest first; diary_entries_newest.
NEWEST = """
    select * from entries
    where diary_id = any(%(within)s::uuid[])
        and (%(tags)s::text[] = '{}' or tags @> %(tags)s::text[])
        and (%(types)s::entry_type[] = '{}' or entry_type = any(%(types)s::entry_type[]))
        and not (%(exclude_superseded)s and superseded_by is not null)
        and (%(since)s::timestamptz is null or created_at >= %(since)s)
    order by created_at desc, id desc limit %(limit)s offset %(offset)s
"""
# How many entries that is without the page; diary_entries_newest.
COUNT_NEWEST = """
    select count(*) as entries from diary_entries
    where diary_id = any(%(within)s::uuid[])
        and (%(tags)s::text[] = '{}' or tags @> %(tags)s::text[])
        and (%(types)s::entry_type[] = '{}' or entry_type = any(%(types)s::entry_type[]))
        and not (%(exclude_superseded)s and superseded_by is not null)
        and (%(since)s::timestamptz is null or created_at >= %(since)s)
"""
# One row, or none when the entry was changed or is gone; diary_entries_pkey.
REPLACE = """
    with diary as (
        select id from diaries where id = %(diary_id)s for no key update
    )
    update diary_entries e
    set title = %(title)s, content = %(content)s, tags = %(tags)s, injection_risk = %(injection_risk)s,
        importance = %(importance)s, entry_type = %(entry_type)s, superseded_by = %(superseded_by)s,
        updated_at = %(updated_at)s
    from diary
    where e.diary_id = diary.id and e.id = %(id)s and e.updated_at = %(unless_changed_since)s
"""
# The same with another index: one row with the lexemes the entry no longer holds, or none.
REPLACE_WITH_INDEX = """
    with diary as (
        select id from diaries where id = %(diary_id)s for no key update
    ), old as (
        select e.id, e.diary_id, e.words from diary join diary_entries e on e.diary_id = diary.id
        where e.id = %(id)s and e.updated_at = %(unless_changed_since)s
        for no key update of e
    ), edited as (
        update diary_entries e
        set title = %(title)s, content = %(content)s, tags = %(tags)s, injection_risk = %(injection_risk)s,
            importance = %(importance)s, entry_type = %(entry_type)s, superseded_by = %(superseded_by)s,
            updated_at = %(updated_at)s, embedding_model = %(embedding_model)s, embedding = %(embedding)s,
            further_passages = cardinality(%(ordinals)s::int[]), terms = %(terms)s, words = %(words)s
        from old where e.id = old.id
        returning e.id
    ), shortened as (
        delete from entry_passages p using edited
        where p.entry_id = edited.id and p.ordinal <> all(%(ordinals)s::int[])
    ), further as (
        insert into entry_passages (entry_id, ordinal, starts_at, ends_at, embedding)
        select edited.id, ordinal, starts_at, ends_at, embedding
        from edited, unnest(%(ordinals)s::int[], %(starts)s::int[], %(ends)s::int[], %(embeddings)s::vector[])
            as passages (ordinal, starts_at, ends_at, embedding)
        on conflict (entry_id, ordinal) do update
        set starts_at = excluded.starts_at, ends_at = excluded.ends_at, embedding = excluded.embedding
    ), changes as (
        select lexeme, sum(change)::int as change from (
            select unnest(tsvector_to_array(words)) collate "C" as lexeme, -1 as change from old
            union all
            select unnest(%(lexemes)s::text[]), 1 from old
        ) as both_ways
        group by lexeme having sum(change) <> 0
    ), counted as (
        insert into diary_terms (diary_id, lexeme, holding)
        select old.diary_id, lexeme, change from old, changes order by lexeme
        on conflict (diary_id, lexeme) do update set holding = diary_terms.holding + excluded.holding
    )
    select array(select lexeme from changes where change < 0) as lexemes from edited
"""
# One row with the lexemes the entry held, or none when it is gone; diary_entries_pkey. Passages and accesses go with it,
# and those it had superseded are current again, by their foreign keys.
REMOVE = """
    with diary as (
        select id from diaries where id = %(diary_id)s for no key update
    ), gone as (
        delete from diary_entries e using diary where e.diary_id = diary.id and e.id = %(id)s
        returning e.diary_id, e.words
    ), counted as (
        insert into diary_terms (diary_id, lexeme, holding)
        select diary_id, lexeme, -1 from gone, unnest(tsvector_to_array(words)) as lexeme
        order by lexeme collate "C"
        on conflict (diary_id, lexeme) do update set holding = diary_terms.holding - 1
    )
    select tsvector_to_array(words) as lexemes from gone
"""
# The counts that came to nothing; diary_terms_pkey. They were counted down, so their rows are held already.
FORGET_TERMS = """
    delete from diary_terms
    where diary_id = %(diary_id)s and lexeme = any(%(lexemes)s::text[]) and holding <= 0
"""
# One row for every entry there is; diary_entries_pkey. One that is being removed just now is passed over, not waited for.
NOTE_ACCESS = """
    insert into entry_accesses (entry_id, accesses, last_at)
    select id, 1, %(at)s from diary_entries where id = any(%(ids)s::uuid[]) order by id for key share skip locked
    on conflict (entry_id) do update
    set accesses = entry_accesses.accesses + 1, last_at = greatest(entry_accesses.last_at, excluded.last_at)
"""
# The newest entries of public diaries with their authors; diary_entries_feed gives the order.
PUBLIC_PAGE = """
    select
        entries.*, a.identity_id as author_identity_id, a.public_key as author_public_key,
        a.public_key_bytes as author_public_key_bytes, a.created_at as author_created_at,
        a.updated_at as author_updated_at
    from (
        select id, diary_id, created_at from diary_entries
        where diary_visibility = 'public'
            and (%(tag)s::text is null or %(tag)s = any(tags))
            and (%(flagged)s or not injection_risk)
        order by created_at desc, id desc limit %(limit)s
    ) as newest
    join entries on entries.id = newest.id
    join diaries d on d.id = newest.diary_id
    join agent_keys a on a.identity_id = d.owner_id
    order by newest.created_at desc, newest.id desc
"""
# The same, those after a place in the feed; diary_entries_feed.
PUBLIC_PAGE_AFTER = """
    select
        entries.*, a.identity_id as author_identity_id, a.public_key as author_public_key,
        a.public_key_bytes as author_public_key_bytes, a.created_at as author_created_at,
        a.updated_at as author_updated_at
    from (
        select id, diary_id, created_at from diary_entries
        where diary_visibility = 'public' and (created_at, id) < (%(created_at)s, %(entry_id)s)
            and (%(tag)s::text is null or %(tag)s = any(tags))
            and (%(flagged)s or not injection_risk)
        order by created_at desc, id desc limit %(limit)s
    ) as newest
    join entries on entries.id = newest.id
    join diaries d on d.id = newest.diary_id
    join agent_keys a on a.identity_id = d.owner_id
    order by newest.created_at desc, newest.id desc
"""
