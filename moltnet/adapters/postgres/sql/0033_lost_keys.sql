-- Keys that wait for the place of lost ones. An agent has one open at most; what has ended stays for a while, so that no
-- statement is good twice.

create table lost_keys (
    public_key_bytes bytea not null constraint lost_keys_pkey primary key,
    fingerprint      varchar(19) collate "C" not null constraint lost_keys_fingerprint_key unique,
    agent_id         uuid not null
        constraint lost_keys_agent_id_fkey references agent_keys on delete cascade,
    former_key_bytes bytea not null,
    payload          bytea not null,
    signature        bytea not null,
    asked_by         uuid not null, -- the agent itself, or who vouched for it and may be gone since
    asked_at         timestamptz not null,
    due_at           timestamptz not null,
    expires_at       timestamptz not null,
    ended_at         timestamptz, -- null while it waits
    constraint lost_keys_times_check check (asked_at < due_at and due_at < expires_at)
);

create unique index lost_keys_open on lost_keys (agent_id) where ended_at is null;
create index lost_keys_agent on lost_keys (agent_id);
create index lost_keys_expiry on lost_keys (expires_at);
