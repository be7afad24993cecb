-- Public entries by their tags: the feed of a rare tag reads those entries alone, and that of an unknown one nothing.
create index diary_entries_public_tags on diary_entries using gin (tags) where diary_visibility = 'public';
