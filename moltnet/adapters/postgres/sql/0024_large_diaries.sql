-- A way into large diaries: their vectors and words once more, under approximate indexes, apart from the entries, so that
-- small diaries never pay for them and the planner can lead no other search there.

-- The diaries that are, or are being, indexed. Who began to write before `since`, which is noted once the row is committed,
-- may not have seen it; everyone else indexes what he writes. When the former are through, what was there before is added,
-- up to `after`, by its id. `entries` is counted again now and then.
create table large_diaries (
    diary_id uuid not null
        constraint large_diaries_pkey primary key
        constraint large_diaries_diary_id_fkey references diaries on delete cascade,
    entries  bigint not null,
    since    xid8,
    after    uuid not null default '00000000-0000-0000-0000-000000000000',
    ready    boolean not null default false
);

-- Sixteen parts, by the last four bits of the diary's id: a graph is walked through few entries of other diaries.
create function large_part(diary_id uuid) returns smallint language sql immutable strict parallel safe as $$
    select (get_byte(uuid_send(diary_id), 15) % 16)::smallint
$$;

create table large_passages (
    part            smallint not null,
    diary_id        uuid not null,
    entry_id        uuid not null constraint large_passages_entry_id_fkey references diary_entries on delete cascade,
    ordinal         integer not null,
    embedding_model text collate "C" not null,
    embedding       halfvec(384) not null,
    constraint large_passages_pkey primary key (entry_id, embedding_model, ordinal, part)
) partition by list (part);

create table large_words (
    part     smallint not null,
    diary_id uuid not null,
    entry_id uuid not null constraint large_words_entry_id_fkey references diary_entries on delete cascade,
    words    tsvector not null,
    constraint large_words_pkey primary key (entry_id, part)
) partition by list (part);

do $$
begin
    for part in 0..15 loop
        execute format('create table large_passages_%s partition of large_passages for values in (%s)', part, part);
        execute format('alter table large_passages_%s alter column embedding set storage plain', part);
        execute format(
            'create index large_passages_%s_nearest on large_passages_%s using hnsw (embedding halfvec_cosine_ops)',
            part, part
        );
        execute format('create table large_words_%s partition of large_words for values in (%s)', part, part);
        execute format('create index large_words_%s_words on large_words_%s using gin (words)', part, part);
    end loop;
end
$$;

-- Every vector of an entry; what large_passages holds of large diaries.
create view entry_vectors as
select id as entry_id, diary_id, 0 as ordinal, embedding_model, embedding from diary_entries where embedding is not null
union all
select e.id, e.diary_id, p.ordinal, p.model, p.embedding from diary_entries e join entry_passages p on p.entry_id = e.id
where p.embedding is not null;

-- Brings the indexes to what some entries of large diaries hold. A vector that stays is left alone.
create function index_large(ids uuid[]) returns void language plpgsql as $$
begin
    delete from large_passages p where p.entry_id = any(ids) and not exists (
        select from entry_vectors v
        where v.entry_id = p.entry_id and v.embedding_model = p.embedding_model and v.ordinal = p.ordinal
            and v.embedding::halfvec = p.embedding
    );
    insert into large_passages (part, diary_id, entry_id, ordinal, embedding_model, embedding)
    select large_part(v.diary_id), v.diary_id, v.entry_id, v.ordinal, v.embedding_model, v.embedding::halfvec
    from entry_vectors v where v.entry_id = any(ids)
    on conflict do nothing;
    insert into large_words (part, diary_id, entry_id, words)
    select large_part(e.diary_id), e.diary_id, e.id, e.words from diary_entries e where e.id = any(ids)
    on conflict (entry_id, part) do update set words = excluded.words where large_words.words <> excluded.words;
end
$$;

create function index_large_entry() returns trigger language plpgsql as $$
begin
    if exists (select from large_diaries where diary_id = new.diary_id) then
        perform index_large(array[new.id]);
    end if;
    return null;
end
$$;

-- Run at the end of the statement that changes an entry, when its passages are written too.
create trigger diary_entries_large after insert on diary_entries for each row execute function index_large_entry();
create trigger diary_entries_large_again
    after update of embedding, embedding_model, further_passages, words on diary_entries
    for each row execute function index_large_entry();

-- Passages also come and go beside an entry whose row stays as it is; mostly there are none.
create or replace function publish_changed() returns trigger language plpgsql as $$
begin
    if not exists (select from changed) then
        return null;
    end if;
    perform publish_passages(ids) from (
        select array_agg(distinct e.id) as ids from changed join diary_entries e on e.id = changed.entry_id
        where e.diary_visibility = 'public'
    ) as public where ids is not null;
    perform index_large(ids) from (
        select array_agg(distinct e.id) as ids from changed join diary_entries e on e.id = changed.entry_id
        join large_diaries l on l.diary_id = e.diary_id
    ) as large where ids is not null;
    return null;
end
$$;
