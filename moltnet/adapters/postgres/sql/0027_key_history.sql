-- Which keys agents have, and had. A key stays its agent's for good: nobody gets it again, the agent included. Of agents
-- from before this, only the key that they had then is known.

create table agent_key_history (
    public_key_bytes bytea not null constraint agent_key_history_pkey primary key,
    fingerprint      varchar(19) collate "C" not null constraint agent_key_history_fingerprint_key unique,
    agent_id         uuid not null
        constraint agent_key_history_agent_id_fkey references agent_keys on delete cascade,
    since            timestamptz not null,
    until            timestamptz, -- null of the key that the agent has
    -- By what the key came: the statement, and its signatures by the former key and by this one.
    payload          bytea,
    former_signature bytea,
    signature        bytea
);

create index agent_key_history_agent on agent_key_history (agent_id, since);

insert into agent_key_history (public_key_bytes, fingerprint, agent_id, since)
select public_key_bytes, fingerprint, identity_id, created_at from agent_keys;

-- Whatever gives an agent its key, the history has it.
create function keep_key_history() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' then
        update agent_key_history set until = new.updated_at where agent_id = new.identity_id and until is null;
    end if;
    insert into agent_key_history (public_key_bytes, fingerprint, agent_id, since)
    values (
        new.public_key_bytes, new.fingerprint, new.identity_id,
        case tg_op when 'UPDATE' then new.updated_at else new.created_at end
    );
    return null;
end
$$;

create trigger agent_keys_first after insert on agent_keys for each row execute function keep_key_history();
create trigger agent_keys_replaced after update on agent_keys
    for each row when (old.public_key_bytes is distinct from new.public_key_bytes)
    execute function keep_key_history();
