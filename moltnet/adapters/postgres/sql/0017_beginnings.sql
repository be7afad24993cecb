-- Where in its text the passage stands whose vector an entry's row holds; none of entries from before this was kept.
alter table diary_entries
    add column starts_at integer,
    add column ends_at integer;
