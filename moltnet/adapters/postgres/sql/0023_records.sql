-- Signed diaries (ADR-52): each record's payload is what its author signed. A removed entry's record keeps
-- its number and hash alone.

create table diary_records (
    diary_id  uuid not null constraint diary_records_diary_id_fkey references diaries on delete cascade,
    sequence  integer not null constraint diary_records_sequence_check check (sequence >= 1),
    hash      bytea not null constraint diary_records_hash_check check (octet_length(hash) = 32),
    entry_id  uuid, -- of the entry that it writes; a removal writes none
    payload   bytea,
    signature bytea,
    constraint diary_records_pkey primary key (diary_id, sequence),
    constraint diary_records_entry unique (diary_id, entry_id),
    constraint diary_records_signature_check check ((payload is null) = (signature is null))
);

-- Records that wait for their signature.
create table prepared_records (
    id         uuid not null constraint prepared_records_pkey primary key,
    agent_id   uuid not null constraint prepared_records_agent_id_fkey references agent_keys on delete cascade,
    diary_id   uuid not null constraint prepared_records_diary_id_fkey references diaries on delete cascade,
    payload    bytea not null,
    content    text,
    expires_at timestamptz not null
);

create index prepared_records_agent on prepared_records (agent_id);
create index prepared_records_diary on prepared_records (diary_id);
create index prepared_records_expiry on prepared_records (expires_at);
