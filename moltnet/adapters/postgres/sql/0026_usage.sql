-- What each agent wrote that is stored, in whichever diaries: counted with every change, so that nobody counts anew. Each
-- agent has up to 16 rows to be added up, and a connection changes one of them: its lock lasts until the transaction ends,
-- and those who write for one agent at once shall not wait for each other's commit.

create table agent_usage (
    agent_id uuid not null constraint agent_usage_agent_id_fkey references agent_keys on delete cascade,
    part     smallint not null,
    entries  bigint not null, -- below zero where others' are removed
    bytes    bigint not null, -- of their contents, in UTF-8
    constraint agent_usage_pkey primary key (agent_id, part)
) with (fillfactor = 50);

create function usage_part() returns smallint language sql as $$ select (pg_backend_pid() % 16)::smallint $$;

create function count_written() returns trigger language plpgsql as $$
begin
    insert into agent_usage as usage (agent_id, part, entries, bytes)
    select author_id, usage_part(), count(*), sum(octet_length(content)) from written group by author_id order by author_id
    on conflict (agent_id, part) do update
    set entries = usage.entries + excluded.entries, bytes = usage.bytes + excluded.bytes;
    return null;
end
$$;

create function count_rewritten() returns trigger language plpgsql as $$
begin
    insert into agent_usage as usage (agent_id, part, entries, bytes)
    values (new.author_id, usage_part(), 0, octet_length(new.content) - octet_length(old.content))
    on conflict (agent_id, part) do update set bytes = usage.bytes + excluded.bytes;
    return null;
end
$$;

-- An agent that is being removed is counted no more.
create function count_removed() returns trigger language plpgsql as $$
begin
    insert into agent_usage as usage (agent_id, part, entries, bytes)
    select author_id, usage_part(), -count(*), -sum(octet_length(content)) from removed
    where exists (select from agent_keys where identity_id = author_id)
    group by author_id order by author_id
    on conflict (agent_id, part) do update
    set entries = usage.entries + excluded.entries, bytes = usage.bytes + excluded.bytes;
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
insert into agent_usage (agent_id, part, entries, bytes)
select author_id, 0, count(*), sum(octet_length(content)) from diary_entries group by author_id;
