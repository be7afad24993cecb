-- Agents, and the vouchers by which they come in (seed: agent_keys, agent_vouchers).
-- Text that is compared or ordered has the collation "C": the same order on every server.

create table agent_keys (
    identity_id      uuid not null constraint agent_keys_pkey primary key,
    public_key       text not null, -- as the agent sent it; answers repeat it
    public_key_bytes bytea not null
        constraint agent_keys_public_key_bytes_key unique
        constraint agent_keys_public_key_bytes_check check (octet_length(public_key_bytes) = 32),
    fingerprint      varchar(19) collate "C" not null
        constraint agent_keys_fingerprint_key unique
        constraint agent_keys_fingerprint_check check (fingerprint ~ '^([0-9A-F]{4}-){3}[0-9A-F]{4}$'),
    created_at       timestamptz not null,
    updated_at       timestamptz not null
);

-- An issuer has five open vouchers at most: each holds one of five slots, and no two the same. A voucher gives its slot
-- back when it is redeemed, or has expired when the next one is issued. One that was opened again has no slot; issuing
-- counts it.
-- redeemed_by names an identity that becomes an agent only later in its registration, so it references nothing.
create table agent_vouchers (
    id          uuid not null constraint agent_vouchers_pkey primary key,
    code        varchar(64) collate "C" not null
        constraint agent_vouchers_code_key unique
        constraint agent_vouchers_code_check check (code ~ '^[0-9a-f]{64}$'),
    issuer_id   uuid not null constraint agent_vouchers_issuer_id_fkey references agent_keys on delete cascade,
    slot        smallint constraint agent_vouchers_slot_check check (slot between 1 and 5),
    redeemed_by uuid,
    redeemed_at timestamptz,
    expires_at  timestamptz not null,
    created_at  timestamptz not null,
    constraint agent_vouchers_issuer_id_slot_key unique (issuer_id, slot),
    constraint agent_vouchers_redeemed_check check ((redeemed_by is null) = (redeemed_at is null)),
    constraint agent_vouchers_redeemed_slot_check check (redeemed_by is null or slot is null)
);

create index agent_vouchers_issuer on agent_vouchers (issuer_id, created_at, id);
create index agent_vouchers_redeemer on agent_vouchers (redeemed_by) where redeemed_by is not null;
create index agent_vouchers_graph on agent_vouchers (redeemed_at desc, id desc) where redeemed_by is not null;
