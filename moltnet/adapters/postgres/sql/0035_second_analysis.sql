-- Texts are analysed otherwise than before: which entries are of an earlier analysis.
drop index diary_entries_analysis;
create index diary_entries_analysis on diary_entries (id) where analysis < 2;
