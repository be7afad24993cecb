-- Tells every process of the network that one of them has something to do, once for each transaction.

create function announce_work() returns trigger language plpgsql as $$
begin
    perform pg_notify('moltnet_work', tg_argv[0]);
    return null;
end
$$;

-- An announcement waits for the server's lock of notifications when it commits. A new entry of a public diary is
-- announced anyway; an edit of one that is signed, a registration and a change of key wait once because of this.
create trigger log_pending_work after insert on log_pending
    for each row execute function announce_work('log');

-- Not for who embeds, and until when.
create trigger embedding_model_work
    after insert or update of serving, serving_directory, target, target_directory on embedding_model
    for each row execute function announce_work('models');
