-- An entry of a signed diary is read with the number and the hash of the last record: diary_records_pkey, once an entry.

create or replace view entries as
select
    e.id, e.diary_id, e.title, e.content, e.tags, e.injection_risk, e.importance, e.entry_type, e.superseded_by,
    e.occurred_at, coalesce(a.accesses, 0) as access_count, a.last_at as last_accessed_at, e.created_at, e.updated_at,
    e.author_id, e.author_assumed, author.public_key as author_key, author.public_key_bytes as author_key_bytes,
    e.edited_by as editor_id, editor.public_key as editor_key, editor.public_key_bytes as editor_key_bytes,
    (
        select sequence || ' ' || encode(hash, 'hex') from diary_records r where r.diary_id = e.diary_id
        order by sequence desc limit 1
    ) as chain
from diary_entries e
join agent_keys author on author.identity_id = e.author_id
left join agent_keys editor on editor.identity_id = e.edited_by
left join entry_accesses a on a.entry_id = e.id;
