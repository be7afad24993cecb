-- What an entry calls up in the model of its vectors, beside the vector of its beginning. Added without a look at any row;
-- entries of models that expand no text have none.

alter table diary_entries add column expansion sparsevec;
alter table entry_passages add column expansion sparsevec;
