-- What each agent wrote that is stored, in whichever diaries: counted with every change, so that nobody counts anew.
-- A row is locked from the change to the end of its transaction: of writers of one agent each sees what the others wrote.

create table agent_usage (
    agent_id uuid not null
        constraint agent_usage_pkey primary key
        constraint agent_usage_agent_id_fkey references agent_keys on delete cascade,
    entries  bigint not null,
    bytes    bigint not null -- of their contents, in UTF-8
) with (fillfactor = 50);

create function count_written() returns trigger language plpgsql as $$
begin
    insert into agent_usage as usage (agent_id, entries, bytes)
    select author_id, count(*), sum(octet_length(content)) from written group by author_id order by author_id
    on conflict (agent_id) do update
    set entries = usage.entries + excluded.entries, bytes = usage.bytes + excluded.bytes;
    return null;
end
$$;

create function count_rewritten() returns trigger language plpgsql as $$
begin
    update agent_usage set bytes = bytes + octet_length(new.content) - octet_length(old.content)
    where agent_id = new.author_id;
    return null;
end
$$;

-- An agent that is being removed has no row any more. Those of the others are locked in the order of their ids.
create function count_removed() returns trigger language plpgsql as $$
begin
    with gone as (
        select author_id, count(*) as entries, sum(octet_length(content)) as bytes from removed group by author_id
    ), held as (
        select agent_id from agent_usage where agent_id in (select author_id from gone) order by agent_id for update
    )
    update agent_usage usage set entries = usage.entries - gone.entries, bytes = usage.bytes - gone.bytes
    from gone join held on held.agent_id = gone.author_id where usage.agent_id = held.agent_id;
    return null;
end
$$;

create trigger diary_entries_written after insert on diary_entries
    referencing new table as written for each statement execute function count_written();
create trigger diary_entries_rewritten after update of content on diary_entries
    for each row when (new.content <> old.content) execute function count_rewritten();
create trigger diary_entries_removed after delete on diary_entries
    referencing old table as removed for each statement execute function count_removed();

-- From here on nobody else writes entries until this is committed.
insert into agent_usage (agent_id, entries, bytes)
select author_id, count(*), sum(octet_length(content)) from diary_entries group by author_id;
