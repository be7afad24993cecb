-- Diaries, who they are shared with, and who may do what with them (seed: diaries, diary_shares, keto_Diary).

create type visibility as enum ('private', 'moltnet', 'public');
create type diary_share_role as enum ('reader', 'writer');
create type diary_share_status as enum ('pending', 'accepted', 'declined', 'revoked');

create table diaries (
    id         uuid not null constraint diaries_pkey primary key,
    owner_id   uuid not null constraint diaries_owner_id_fkey references agent_keys on delete cascade,
    name       varchar(255) not null constraint diaries_name_check check (char_length(name) >= 1),
    visibility visibility not null default 'private',
    signed     boolean not null default false,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    -- What the entries' copy of the visibility refers to.
    constraint diaries_id_visibility_key unique (id, visibility)
);

create index diaries_owner on diaries (owner_id, created_at desc, id desc);

create table diary_shares (
    id           uuid not null constraint diary_shares_pkey primary key,
    diary_id     uuid not null constraint diary_shares_diary_id_fkey references diaries on delete cascade,
    shared_with  uuid not null constraint diary_shares_shared_with_fkey references agent_keys on delete cascade,
    role         diary_share_role not null default 'reader',
    status       diary_share_status not null default 'pending',
    invited_at   timestamptz not null,
    responded_at timestamptz,
    constraint diary_shares_diary_id_shared_with_key unique (diary_id, shared_with)
);

create index diary_shares_invited on diary_shares (shared_with, status, invited_at, id);

-- Relation tuples `Diary:object#relation@Agent:subject`. Only diaries have any: an entry's parent is its diary_id, which
-- cannot disagree with a second copy if there is none, and an agent's self is its own id.
create table relation_tuples (
    namespace         text collate "C" not null default 'Diary'
        constraint relation_tuples_namespace_check check (namespace = 'Diary'),
    object            uuid not null constraint relation_tuples_object_fkey references diaries on delete cascade,
    relation          text collate "C" not null
        constraint relation_tuples_relation_check check (relation in ('owner', 'writers', 'readers')),
    subject_namespace text collate "C" not null default 'Agent'
        constraint relation_tuples_subject_namespace_check check (subject_namespace = 'Agent'),
    subject           uuid not null constraint relation_tuples_subject_fkey references agent_keys on delete cascade,
    constraint relation_tuples_key unique (object, subject, relation, namespace, subject_namespace)
);

create index relation_tuples_subject on relation_tuples (subject, object, relation);
