-- The order in which entries of public diaries came to be seen, and the announcement of each.

create table feed (
    position   bigint generated always as identity constraint feed_pkey primary key,
    entry_id   uuid not null
        constraint feed_entry_id_key unique
        constraint feed_entry_id_fkey references diary_entries on delete cascade,
    -- The entry's, for finding the place of an entry that is gone.
    created_at timestamptz not null
);

create index feed_time on feed (created_at, entry_id);
create index diaries_public on diaries (id) where visibility = 'public';

insert into feed (entry_id, created_at)
select id, created_at from diary_entries where diary_visibility = 'public' order by created_at, id;

-- Runs as the last thing before the commit. Whoever holds the lock has its number before anybody else can have one, and
-- keeps the lock until its entry can be seen; so who sees a number sees all that are smaller. It waits for nothing
-- while it holds the lock but the server's own lock for notifications, which orders them in the same way.
-- The key of the lock: the first bytes of the SHA-256 of "moltnet feed".
create function place_in_feed() returns trigger language plpgsql as $$
declare
    placed bigint;
begin
    perform pg_advisory_xact_lock(-2240731125525238226);
    insert into feed (entry_id, created_at)
    select id, created_at from diary_entries where id = new.id and diary_visibility = 'public'
    returning position into placed;
    if placed is not null then
        perform pg_notify('moltnet_feed', placed::text);
    end if;
    return null;
end
$$;

create constraint trigger diary_entries_feed after insert on diary_entries
    deferrable initially deferred
    for each row when (new.diary_visibility = 'public') execute function place_in_feed();
