-- Browsers that act for an agent. Of a session's token the SHA-256 is stored; a client secret of another generation
-- than the one it began with ends the session.

create table web_sessions (
    id         uuid not null constraint web_sessions_pkey primary key,
    token_hash bytea not null constraint web_sessions_token_hash_key unique,
    agent_id   uuid not null constraint web_sessions_agent_id_fkey references agent_keys on delete cascade,
    client_id  uuid not null,
    generation integer not null,
    scopes     text[] not null,
    method     text not null,
    device     text not null,
    created_at timestamptz not null,
    used_at    timestamptz not null,
    expires_at timestamptz not null
);

create index web_sessions_agent on web_sessions (agent_id, created_at);
create index web_sessions_expiry on web_sessions (expires_at);
