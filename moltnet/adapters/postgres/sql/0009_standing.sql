-- Tells every process of the network that a token may stand for somebody else by now, or for nobody.
--
-- The payload is the client's id; empty for an agent that changed, which is rare: then everything is read anew.

create function tell_standing() returns trigger language plpgsql as $$
begin
    if tg_table_name = 'oauth_clients' then
        perform pg_notify('moltnet_standing', coalesce(new.client_id, old.client_id)::text);
    else
        perform pg_notify('moltnet_standing', '');
    end if;
    return null;
end
$$;

-- A first use changes nothing that a token says, so it is not told.
create trigger oauth_clients_standing after update on oauth_clients
    for each row when (
        old.generation is distinct from new.generation or old.scopes is distinct from new.scopes
        or old.agent_id is distinct from new.agent_id
    ) execute function tell_standing();
create trigger oauth_clients_gone after delete on oauth_clients
    for each row execute function tell_standing();
create trigger agent_keys_standing after update or delete on agent_keys
    for each row execute function tell_standing();
