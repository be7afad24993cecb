-- What was answered to requests that are carried out once, for as long as they may be repeated.

create table receipts (
    agent_id    uuid not null constraint receipts_agent_id_fkey references agent_keys on delete cascade,
    operation   text collate "C" not null,
    key         text collate "C" not null
        constraint receipts_key_check check (char_length(key) between 1 and 255),
    fingerprint bytea not null,
    answer      bytea not null,
    created_at  timestamptz not null,
    expires_at  timestamptz not null,
    constraint receipts_pkey primary key (agent_id, operation, key)
);

create index receipts_expiry on receipts (expires_at);
