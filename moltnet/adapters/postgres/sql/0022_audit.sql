-- Who changed rights, keys, secrets, visibility and shares, when, and from where. Nothing is referenced: an event outlives
-- what it is about. actor_id is null for the operator, and for a service behind the network.

create table audit_events (
    number     bigint generated always as identity constraint audit_events_pkey primary key,
    at         timestamptz not null,
    action     text collate "C" not null,
    actor_id   uuid,
    address    text,
    subject_id uuid,
    diary_id   uuid,
    detail     text
);

create index audit_events_actor on audit_events (actor_id, number) where actor_id is not null;
create index audit_events_subject on audit_events (subject_id, number) where subject_id is not null;
create index audit_events_time on audit_events (at);

-- The log only grows; what is older than the shortest retention there is may be removed.
create function keep_audit_events() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' then
        if old.at < now() - interval '30 days' then
            return old;
        end if;
    end if;
    raise exception 'audit_events is append-only';
end
$$;

create trigger audit_events_stay before update or delete on audit_events
    for each row execute function keep_audit_events();
create trigger audit_events_stay_all before truncate on audit_events
    for each statement execute function keep_audit_events();
