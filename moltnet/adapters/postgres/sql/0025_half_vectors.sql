-- Vectors in half precision: half the bytes, and the same answers (ADR-55). Each table is written anew once, and is locked
-- meanwhile.

drop view entry_vectors;
drop view public_vectors;
drop trigger diary_entries_republished on diary_entries;
drop trigger diary_entries_large_again on diary_entries;
drop index public_passages_nearest;

alter table diary_entries
    alter column embedding type halfvec(384) using embedding::halfvec(384),
    alter column embedding set storage plain;
alter table entry_passages
    alter column embedding type halfvec(384) using embedding::halfvec(384),
    alter column embedding set storage plain;
alter table public_passages
    alter column embedding type halfvec(384) using embedding::halfvec(384),
    alter column embedding set storage plain;

create index public_passages_nearest on public_passages using hnsw (embedding halfvec_cosine_ops);

-- As they were.
create view public_vectors as
select id as entry_id, 0 as ordinal, embedding_model, embedding from diary_entries
where diary_visibility = 'public' and embedding is not null
union all
select e.id, p.ordinal, p.model, p.embedding from diary_entries e join entry_passages p on p.entry_id = e.id
where e.diary_visibility = 'public' and p.embedding is not null;

create view entry_vectors as
select id as entry_id, diary_id, 0 as ordinal, embedding_model, embedding from diary_entries where embedding is not null
union all
select e.id, e.diary_id, p.ordinal, p.model, p.embedding from diary_entries e join entry_passages p on p.entry_id = e.id
where p.embedding is not null;

create trigger diary_entries_republished
    after update of embedding, embedding_model, further_passages, diary_visibility on diary_entries
    for each row when (new.diary_visibility = 'public' or old.diary_visibility = 'public')
    execute function publish_entry();
create trigger diary_entries_large_again
    after update of embedding, embedding_model, further_passages, words on diary_entries
    for each row execute function index_large_entry();
