-- Which version of the analysis of texts an entry's words are of; 0 before there was a version.
alter table diary_entries add column analysis smallint not null default 0;

-- What a later version is to analyse again; the next one brings an index of its own.
create index diary_entries_analysis on diary_entries (id) where analysis < 1;

-- A server of an earlier release writes words without their version: they count as of none. Both triggers run where
-- both columns are written, in the order of their names, and the sign that the first sets is taken back by the second.
create function mark_words() returns trigger language plpgsql as $$
begin
    new.analysis := -abs(new.analysis);
    return new;
end
$$;

create function unmark_words() returns trigger language plpgsql as $$
begin
    new.analysis := abs(new.analysis);
    return new;
end
$$;

create trigger diary_entries_words_1 before update of words on diary_entries for each row execute function mark_words();
create trigger diary_entries_words_2 before update of analysis on diary_entries
    for each row execute function unmark_words();
