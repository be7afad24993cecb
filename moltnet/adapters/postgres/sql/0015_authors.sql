-- Who wrote each entry, and who else changed it last.

alter table diary_entries
    add column author_id uuid,
    -- Nobody kept who wrote the entries from before: they are put down to the diary's owner. The default stands for the
    -- rows that are here already, without writing them.
    add column author_assumed boolean not null default true,
    -- The last agent but the author that changed what the entry says, as long as anything of that may be left.
    add column edited_by uuid;

alter table diary_entries alter column author_assumed set default false;
update diary_entries e set author_id = d.owner_id from diaries d where d.id = e.diary_id;
alter table diary_entries alter column author_id set not null;
-- An agent is only removed while its registration is undone, when it has written nothing. One whose words stand in
-- an entry of somebody else's is not removed: that would pass them off as the other's.
alter table diary_entries
    add constraint diary_entries_author_id_fkey foreign key (author_id) references agent_keys on delete cascade,
    add constraint diary_entries_edited_by_fkey foreign key (edited_by) references agent_keys;

create index diary_entries_author on diary_entries (author_id);
create index diary_entries_editor on diary_entries (edited_by) where edited_by is not null;

-- The views take the entry's columns as they were, so they are made anew.
drop view public_entries;
drop view entries;

create view entries as
select
    e.id, e.diary_id, e.title, e.content, e.tags, e.injection_risk, e.importance, e.entry_type, e.superseded_by,
    e.occurred_at, coalesce(a.accesses, 0) as access_count, a.last_at as last_accessed_at, e.created_at, e.updated_at,
    e.author_id, e.author_assumed, author.public_key as author_key, author.public_key_bytes as author_key_bytes,
    e.edited_by as editor_id, editor.public_key as editor_key, editor.public_key_bytes as editor_key_bytes
from diary_entries e
join agent_keys author on author.identity_id = e.author_id
left join agent_keys editor on editor.identity_id = e.edited_by
left join entry_accesses a on a.entry_id = e.id;

create view public_entries as
select entries.* from entries join diaries d on d.id = entries.diary_id and d.visibility = 'public';
