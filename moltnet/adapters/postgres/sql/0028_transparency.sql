-- The open log (ADR-58): leaves are committed with what they are about, and put into the tree afterwards, by one process
-- at a time. Nothing of the tree is ever changed.

-- Leaves that are in no tree yet.
create table log_pending (
    number   bigint generated always as identity constraint log_pending_pkey primary key,
    leaf     bytea not null constraint log_pending_leaf_check check (octet_length(leaf) <= 65535),
    subjects text[] collate "C" not null
);

create table log_leaves (
    index bigint not null constraint log_leaves_pkey primary key,
    leaf  bytea not null
);

-- What leaves are about: fingerprints, diaries and ids of keys.
create table log_subjects (
    subject text collate "C" not null,
    index   bigint not null,
    constraint log_subjects_pkey primary key (subject, index)
);

-- The hashes of each tile, of those at the right edge as many as there are.
create table log_tiles (
    level  smallint not null,
    index  bigint not null,
    hashes bytea not null,
    constraint log_tiles_pkey primary key (level, index)
);

-- The last checkpoint that was signed, and the one that anybody may see.
create table log_head (
    one       boolean not null default true constraint log_head_pkey primary key
        constraint log_head_one_check check (one),
    signed    text,
    published text,
    size      bigint not null default 0 -- of the published one
);

insert into log_head default values;

-- The one key that checkpoints are signed with.
create table log_key (
    one        boolean not null default true constraint log_key_pkey primary key
        constraint log_key_one_check check (one),
    origin     text not null,
    public_key bytea not null,
    sealed     bytea not null,
    created_at timestamptz not null
);

-- What is there already is logged once, as what was there when the log began: canonical JSON (docs/reference/log.md).
with beginning as (
    select to_char(now() at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as at
), present as (
    select 1 as part, created_at as time, identity_id as id, array[fingerprint::text] as subjects,
        format('{"agent":"%s","at":"%s","initial":true,"key":"%s","kind":"agent_registered"}',
            fingerprint, at, 'ed25519:' || translate(encode(public_key_bytes, 'base64'), E'\n', '')) as leaf
    from agent_keys, beginning
    union all
    select 2, v.redeemed_at, v.id, array[redeemers.fingerprint::text, issuers.fingerprint::text],
        format('{"agent":"%s","at":"%s","by":"%s","initial":true,"kind":"agent_vouched"}',
            redeemers.fingerprint, at, issuers.fingerprint)
    from agent_vouchers v
    join agent_keys issuers on issuers.identity_id = v.issuer_id
    join agent_keys redeemers on redeemers.identity_id = v.redeemed_by, beginning
    union all
    select 3, d.created_at, d.id, array[owners.fingerprint::text, d.id::text],
        format('{"agent":"%s","at":"%s","diary":"%s","initial":true,"kind":"diary_published"}',
            owners.fingerprint, at, d.id)
    from diaries d join agent_keys owners on owners.identity_id = d.owner_id, beginning
    where d.visibility = 'public'
    union all
    select 4, d.created_at, d.id, array[d.id::text],
        format('{"at":"%s","diary":"%s","hash":"%s","initial":true,"kind":"diary_head","sequence":%s}',
            at, d.id, encode(last.hash, 'hex'), last.sequence)
    from diaries d
    join lateral (
        select sequence, hash from diary_records r where r.diary_id = d.id order by sequence desc limit 1
    ) last on true, beginning
    where d.visibility = 'public'
    union all
    select 5, k.created_at, null, array[k.kid],
        format('{"alone":false,"at":"%s","initial":true,"kid":"%s","kind":"network_key"}', at, k.kid)
    from token_keys k, beginning
)
insert into log_pending (leaf, subjects)
select convert_to(leaf, 'UTF8'), subjects from present order by part, time, id;
