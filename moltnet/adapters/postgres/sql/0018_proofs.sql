-- A public key has one text form, derived from its bytes: nothing else that was sent along is kept or answered.
update agent_keys set public_key = 'ed25519:' || encode(public_key_bytes, 'base64')
where public_key <> 'ed25519:' || encode(public_key_bytes, 'base64');
update identities set public_key = agent_keys.public_key
from agent_keys where agent_keys.identity_id = identities.identity_id and identities.public_key <> agent_keys.public_key;

alter table agent_keys
    add constraint agent_keys_public_key_check check (public_key = 'ed25519:' || encode(public_key_bytes, 'base64')),
    -- Whether the agent has shown that it holds the private key. Nobody was asked to before.
    add column proven boolean not null default false;

-- By what the caller of a registration is recognised when it repeats it: the SHA-256 of its Idempotency-Key with key
-- and code.
alter table agent_vouchers add column redeemed_with bytea
    constraint agent_vouchers_redeemed_with_check check (redeemed_with is null or redeemed_by is not null);
