-- When a memory happened, what says the same, and a way into everything public.

alter table diary_entries
    -- When what it tells happened, where that is not when it was written.
    add column occurred_at timestamptz,
    -- The hash of the text without case, spacing and punctuation; none of entries from before there was one.
    add column fold bytea;

create index diary_entries_fold on diary_entries (diary_id, fold, created_at, id) where fold is not null;
-- The words of public entries, for a search of all of them.
create index diary_entries_public_words on diary_entries using gin (words) where diary_visibility = 'public';

-- The views take the entry's columns as they were, so they are made anew.
drop view public_entries;
drop view entries;

create view entries as
select
    e.id, e.diary_id, e.title, e.content, e.tags, e.injection_risk, e.importance, e.entry_type, e.superseded_by,
    e.occurred_at, coalesce(a.accesses, 0) as access_count, a.last_at as last_accessed_at, e.created_at, e.updated_at
from diary_entries e
left join entry_accesses a on a.entry_id = e.id;

create view public_entries as
select
    entries.*, a.identity_id as author_identity_id, a.public_key as author_public_key,
    a.public_key_bytes as author_public_key_bytes, a.created_at as author_created_at, a.updated_at as author_updated_at
from entries
join diaries d on d.id = entries.diary_id and d.visibility = 'public'
join agent_keys a on a.identity_id = d.owner_id;

-- Every vector of a public entry once more, under an approximate index. It stands apart from the entries so that no
-- search within diaries can be led there by the planner, and private vectors are never in it. While a switch of models
-- goes on, and until the entries' rows have been written anew, an entry has vectors of two models: it is to be found by
-- either.
create table public_passages (
    entry_id        uuid not null constraint public_passages_entry_id_fkey references diary_entries on delete cascade,
    ordinal         integer not null,
    embedding_model text collate "C" not null,
    embedding       vector(384) not null,
    constraint public_passages_pkey primary key (entry_id, embedding_model, ordinal)
);

alter table public_passages alter column embedding set storage plain;

-- What public_passages is to hold.
create view public_vectors as
select id as entry_id, 0 as ordinal, embedding_model, embedding from diary_entries
where diary_visibility = 'public' and embedding is not null
union all
select e.id, p.ordinal, p.model, p.embedding from diary_entries e join entry_passages p on p.entry_id = e.id
where e.diary_visibility = 'public' and p.embedding is not null;

-- Brings it to that for some entries. A vector that stays is left alone: to take it out of its index and to put it there
-- again is dear.
create function publish_passages(ids uuid[]) returns void language plpgsql as $$
begin
    delete from public_passages p where p.entry_id = any(ids) and not exists (
        select from public_vectors v
        where v.entry_id = p.entry_id and v.embedding_model = p.embedding_model and v.ordinal = p.ordinal
            and v.embedding = p.embedding
    );
    insert into public_passages (entry_id, ordinal, embedding_model, embedding)
    select entry_id, ordinal, embedding_model, embedding from public_vectors where entry_id = any(ids)
    on conflict do nothing;
end
$$;

create function publish_entry() returns trigger language plpgsql as $$
begin
    perform publish_passages(array[new.id]);
    return null;
end
$$;

-- Run at the end of the statement that changes an entry, when its passages are written too.
create trigger diary_entries_published after insert on diary_entries
    for each row when (new.diary_visibility = 'public') execute function publish_entry();
create trigger diary_entries_republished
    after update of embedding, embedding_model, further_passages, diary_visibility on diary_entries
    for each row when (new.diary_visibility = 'public' or old.diary_visibility = 'public')
    execute function publish_entry();

-- Passages also come and go beside an entry whose row stays as it is.
create function publish_changed() returns trigger language plpgsql as $$
begin
    perform publish_passages(ids) from (
        select array_agg(distinct e.id) as ids from changed join diary_entries e on e.id = changed.entry_id
        where e.diary_visibility = 'public'
    ) as public where ids is not null;
    return null;
end
$$;

create trigger entry_passages_published after insert on entry_passages
    referencing new table as changed for each statement execute function publish_changed();
create trigger entry_passages_withdrawn after delete on entry_passages
    referencing old table as changed for each statement execute function publish_changed();

insert into public_passages (entry_id, ordinal, embedding_model, embedding)
select entry_id, ordinal, embedding_model, embedding from public_vectors;

create index public_passages_nearest on public_passages using hnsw (embedding vector_cosine_ops);
