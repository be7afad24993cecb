-- What came into a diary from elsewhere (docs/reference/archive.md): the key names it there, and is imported into a diary once. An origin
-- without an entry is a record that wrote none, or whose entry was removed.

create table entry_origins (
    diary_id    uuid not null constraint entry_origins_diary_id_fkey references diaries on delete cascade,
    key         text collate "C" not null constraint entry_origins_key_check check (length(key) between 1 and 255),
    -- Checked when the transaction ends: the entry is stored after its origin.
    entry_id    uuid constraint entry_origins_entry_id_fkey references diary_entries on delete cascade
                deferrable initially deferred,
    source      text not null constraint entry_origins_source_check check (length(source) between 1 and 255),
    original_id text constraint entry_origins_original_id_check check (length(original_id) between 1 and 255),
    author_key  bytea,
    editor_key  bytea,
    written_at  timestamptz,
    changed_at  timestamptz,
    sequence    integer,
    hash        bytea,
    payload     bytea,
    signature   bytea,
    constraint entry_origins_pkey primary key (diary_id, key),
    constraint entry_origins_record_check check (
        (sequence is null) = (hash is null) and (payload is null) = (signature is null)
        and (payload is null or hash is not null)
    )
);

create index entry_origins_entry on entry_origins (entry_id);
