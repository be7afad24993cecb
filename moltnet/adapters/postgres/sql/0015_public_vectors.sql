-- The vectors of public entries by model: while a switch goes on, and until the entries' rows have been written anew, an
-- entry has vectors of two models, and all that is public must be found by either.

alter table public_passages drop constraint public_passages_pkey;
alter table public_passages add constraint public_passages_pkey primary key (entry_id, embedding_model, ordinal);

drop trigger diary_entries_published on diary_entries;
drop trigger diary_entries_republished on diary_entries;
drop function publish_passages();

-- Makes what is public of some entries what they have. A vector that stays is left alone: to take it out of its index
-- and put it there again is dear.
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

create view public_vectors as
select id as entry_id, 0 as ordinal, embedding_model, embedding from diary_entries
where diary_visibility = 'public' and embedding is not null
union all
select e.id, p.ordinal, p.model, p.embedding from diary_entries e join entry_passages p on p.entry_id = e.id
where e.diary_visibility = 'public' and p.embedding is not null;

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

do $$ begin
    perform publish_passages(array(select id from diary_entries where diary_visibility = 'public'));
end $$;
