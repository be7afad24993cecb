-- Leaves of the open logs of other networks, each with its proof (docs/reference/archive.md): what their diaries' records were signed by.

alter table entry_origins
    add column log_key text,
    add column leaf text,
    add column proof text,
    add constraint entry_origins_proof_check check (
        (log_key is null) = (leaf is null) and (leaf is null) = (proof is null) and (leaf is null or hash is null)
    );
