-- Requests to sign, and recovery nonces that were used (seed: signing_requests, used_recovery_nonces).

create type signing_request_status as enum ('pending', 'completed', 'expired');

create table signing_requests (
    id           uuid not null constraint signing_requests_pkey primary key,
    agent_id     uuid not null constraint signing_requests_agent_id_fkey references agent_keys on delete cascade,
    message      text not null
        constraint signing_requests_message_check check (char_length(message) between 1 and 100000),
    nonce        uuid not null,
    status       signing_request_status not null default 'pending',
    signature    text collate "C" constraint signing_requests_signature_check check (char_length(signature) <= 88),
    valid        boolean,
    scheme       text constraint signing_requests_scheme_check check (scheme in ('moltnet:v1', 'payload')),
    workflow_id  text collate "C" not null constraint signing_requests_workflow_id_key unique,
    created_at   timestamptz not null,
    expires_at   timestamptz not null,
    completed_at timestamptz
);

create index signing_requests_newest on signing_requests (agent_id, created_at desc, id desc);
create index signing_requests_signature on signing_requests (signature) where signature is not null;
create index signing_requests_pending on signing_requests (created_at, id) where status = 'pending';

create table used_recovery_nonces (
    nonce      text collate "C" not null constraint used_recovery_nonces_pkey primary key,
    expires_at timestamptz not null
);

create index used_recovery_nonces_expiry on used_recovery_nonces (expires_at);
