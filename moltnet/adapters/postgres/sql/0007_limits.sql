-- How often each asker did what within a minute. Unlogged: counting costs no write-ahead log, and after a crash every
-- window begins anew. Without an index on ends_at, and with room on each page, a hit rewrites its row in place.

create unlogged table rate_limit_windows (
    bucket  text collate "C" not null,
    key     text collate "C" not null,
    hits    integer not null,
    ends_at timestamptz not null,
    constraint rate_limit_windows_pkey primary key (bucket, key)
) with (fillfactor = 50);
