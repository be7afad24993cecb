-- Entries by diary and tag: a page of those with a tag reads no others, whatever tags other diaries have.
create function tags_in(diary_id uuid, tags text[]) returns text[] language sql immutable parallel safe as $$
    select array_agg(diary_id::text || ' ' || tag) from unnest(tags) as tag
$$;

create index diary_entries_tags on diary_entries using gin (tags_in(diary_id, tags));
