-- What the native identity provider and token issuer keep. Elsewhere these are another service's, so nothing here
-- references the network's own tables.

create table identities (
    identity_id uuid not null constraint identities_pkey primary key,
    public_key  text not null,
    created_at  timestamptz not null
);

create table oauth_clients (
    client_id   uuid not null constraint oauth_clients_pkey primary key,
    agent_id    uuid not null,
    secret_hash bytea not null,
    scopes      text[] not null,
    generation  integer not null,
    created_at  timestamptz not null
);

create index oauth_clients_agent on oauth_clients (agent_id, created_at desc, client_id desc);

create table token_keys (
    kid        text collate "C" not null constraint token_keys_pkey primary key,
    sealed     bytea not null,
    created_at timestamptz not null,
    -- True for a key that was stored because there was none; the constraint lets only one be that.
    is_first   boolean
        constraint token_keys_is_first_key unique
        constraint token_keys_is_first_check check (is_first)
);

create table recovery_codes (
    flow       text collate "C" not null constraint recovery_codes_pkey primary key,
    code_hash  bytea not null,
    agent_id   uuid not null,
    attempts   integer not null,
    used       boolean not null,
    expires_at timestamptz not null
);

create index recovery_codes_expiry on recovery_codes (expires_at);

create table recovery_sessions (
    token_hash bytea not null constraint recovery_sessions_pkey primary key,
    agent_id   uuid not null,
    expires_at timestamptz not null
);

create index recovery_sessions_expiry on recovery_sessions (expires_at);
