-- Entries, and what they are found by (seed: diary_entries).

create type entry_type as enum ('episodic', 'semantic', 'procedural', 'reflection', 'identity', 'soul');

-- The columns a search reads for every entry of a diary come first, the long texts last.
create table diary_entries (
    id               uuid not null constraint diary_entries_pkey primary key,
    diary_id         uuid not null,
    created_at       timestamptz not null,
    updated_at       timestamptz not null,
    -- A copy of the diary's, kept true by diary_entries_diary_id_fkey: with it the public feed reads public entries only.
    diary_visibility visibility not null,
    entry_type       entry_type not null default 'semantic',
    importance       smallint not null default 5
        constraint diary_entries_importance_check check (importance between 1 and 10),
    -- How many passages of the entry are in entry_passages; a search looks there only for an entry that has some.
    further_passages smallint not null default 0,
    injection_risk   boolean not null default false,
    superseded_by    uuid,
    -- The model of the entry's vectors, those in entry_passages included; none, no vectors.
    embedding_model  text collate "C",
    -- The beginning of the text. A search compares it in place: fetched from elsewhere it takes several times as long.
    embedding        vector(384),
    -- Each lexeme's weight at the hash of the lexeme, so that the inner product with a query is BM25.
    terms            sparsevec(1000000000) not null default '{}/1000000000',
    tags             text[] constraint diary_entries_tags_check check (cardinality(tags) <= 20),
    title            varchar(255),
    -- The lexemes and their positions, for runs of words that must or must not stand in an entry.
    words            tsvector not null default '',
    content          text not null
        constraint diary_entries_content_check check (char_length(content) between 1 and 100000),
    constraint diary_entries_diary_id_id_key unique (diary_id, id),
    constraint diary_entries_diary_id_fkey foreign key (diary_id, diary_visibility)
        references diaries (id, visibility) on update cascade on delete cascade,
    constraint diary_entries_superseded_by_check check (superseded_by <> id),
    constraint diary_entries_superseded_by_fkey foreign key (diary_id, superseded_by)
        references diary_entries (diary_id, id) on delete set null (superseded_by),
    constraint diary_entries_embedding_check check (embedding is null or embedding_model is not null)
);

alter table diary_entries alter column embedding set storage plain;
alter table diary_entries alter column terms set storage main;
-- Two entries fill a page: those of usual length stay whole, and longer ones move their texts out.
alter table diary_entries set (toast_tuple_target = 4080);

create index diary_entries_newest on diary_entries (diary_id, created_at desc, id desc);
create index diary_entries_feed on diary_entries (created_at desc, id desc) where diary_visibility = 'public';
create index diary_entries_successor on diary_entries (superseded_by) where superseded_by is not null;

-- The vectors of a long text after its beginning.
create table entry_passages (
    entry_id  uuid not null constraint entry_passages_entry_id_fkey references diary_entries on delete cascade,
    ordinal   integer not null constraint entry_passages_ordinal_check check (ordinal >= 1),
    starts_at integer not null, -- characters of the text, from 0
    ends_at   integer not null, -- the character after the last
    embedding vector(384) not null,
    constraint entry_passages_pkey primary key (entry_id, ordinal)
);

alter table entry_passages alter column embedding set storage plain;

-- How often an entry was looked at: apart, so that reading does not write the entry (and its vector) anew.
create table entry_accesses (
    entry_id uuid not null
        constraint entry_accesses_pkey primary key
        constraint entry_accesses_entry_id_fkey references diary_entries on delete cascade,
    accesses integer not null,
    last_at  timestamptz not null
);

-- How many entries of a diary hold a lexeme: BM25's document frequency. Only rows of 1 and more outlast a transaction;
-- there is no check of that, since taking one away is written as adding -1.
create table diary_terms (
    diary_id uuid not null constraint diary_terms_diary_id_fkey references diaries on delete cascade,
    lexeme   text collate "C" not null,
    holding  integer not null,
    constraint diary_terms_pkey primary key (diary_id, lexeme)
);

-- An entry as the network knows it, with its accesses.
create view entries as
select
    e.id, e.diary_id, e.title, e.content, e.tags, e.injection_risk, e.importance, e.entry_type, e.superseded_by,
    coalesce(a.accesses, 0) as access_count, a.last_at as last_accessed_at, e.created_at, e.updated_at
from diary_entries e
left join entry_accesses a on a.entry_id = e.id;

-- An entry of a public diary with its author, who is the diary's owner.
create view public_entries as
select
    entries.*, a.identity_id as author_identity_id, a.public_key as author_public_key,
    a.public_key_bytes as author_public_key_bytes, a.created_at as author_created_at, a.updated_at as author_updated_at
from entries
join diaries d on d.id = entries.diary_id and d.visibility = 'public'
join agent_keys a on a.identity_id = d.owner_id;
