-- Entries by diary and tag: a page of those with a tag reads no others, whatever tags other diaries have.
create function tags_in(diary_id uuid, tags text[]) returns text[] language sql immutable parallel safe as $$
    select array_agg(diary_id::text || ' ' || tag) from unnest(tags) as tag
$$;

create index diary_entries_tags on diary_entries using gin (tags_in(diary_id, tags));

-- How many entries each diary has: counted with every change, as agent_usage is, so that nobody counts anew. Up to 16 rows
-- are to be added up, and a connection changes one of them.
create table diary_sizes (
    diary_id uuid not null constraint diary_sizes_diary_id_fkey references diaries on delete cascade,
    part     smallint not null,
    entries  bigint not null, -- below zero where others' are removed
    constraint diary_sizes_pkey primary key (diary_id, part)
) with (fillfactor = 50);

create function size_grown() returns trigger language plpgsql as $$
begin
    insert into diary_sizes as size (diary_id, part, entries)
    select diary_id, usage_part(), count(*) from written group by diary_id order by diary_id
    on conflict (diary_id, part) do update set entries = size.entries + excluded.entries;
    return null;
end
$$;

-- A diary that is being removed is counted no more.
create function size_shrunk() returns trigger language plpgsql as $$
begin
    insert into diary_sizes as size (diary_id, part, entries)
    select diary_id, usage_part(), -count(*) from removed
    where exists (select from diaries where id = diary_id)
    group by diary_id order by diary_id
    on conflict (diary_id, part) do update set entries = size.entries + excluded.entries;
    return null;
end
$$;

create trigger diary_entries_grown after insert on diary_entries
    referencing new table as written for each statement execute function size_grown();
create trigger diary_entries_shrunk after delete on diary_entries
    referencing old table as removed for each statement execute function size_shrunk();

-- From here on nobody else writes entries until this is committed.
insert into diary_sizes (diary_id, part, entries) select diary_id, 0, count(*) from diary_entries group by diary_id;
