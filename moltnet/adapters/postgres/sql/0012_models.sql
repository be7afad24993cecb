-- Which embedding model serves, which one the network switches to, and the vectors of both meanwhile.

-- One row, from the first model on. A directory of null is the model that installs as a package.
create table embedding_model (
    only_row          boolean not null default true
        constraint embedding_model_pkey primary key
        constraint embedding_model_only_row_check check (only_row),
    serving           text collate "C" not null,
    serving_directory text,
    target            text collate "C" constraint embedding_model_target_check check (target <> serving),
    target_directory  text,
    -- Who embeds what is lacking, and until when nobody else does.
    held_by           uuid,
    held_until        timestamptz
);

-- Every passage remembers its model. Passage 0 stands here only beside the entry's own model: while a switch goes on,
-- and after it until the entry's row has been written anew. Its vector is null for a text without a token.
alter table entry_passages add column model text collate "C";
update entry_passages p set model = e.embedding_model from diary_entries e where e.id = p.entry_id;
alter table entry_passages alter column model set not null;
alter table entry_passages drop constraint entry_passages_pkey;
alter table entry_passages add constraint entry_passages_pkey primary key (entry_id, model, ordinal);
alter table entry_passages drop constraint entry_passages_ordinal_check;
alter table entry_passages add constraint entry_passages_ordinal_check check (ordinal >= 0);
alter table entry_passages alter column embedding drop not null;
alter table entry_passages
    add constraint entry_passages_embedding_check check (embedding is not null or ordinal = 0);

create index entry_passages_beside on entry_passages (model, entry_id) where ordinal = 0;
create index diary_entries_model on diary_entries (embedding_model);

-- True, or an error for vectors of a model that serves no longer. It sees what the statement that asks sees.
create function require_serving(model text) returns boolean language plpgsql stable as $$
begin
    if exists (select from embedding_model where serving <> model) then
        raise exception 'another embedding model serves'
            using errcode = 'object_not_in_prerequisite_state', constraint = 'serving_model';
    end if;
    return true;
end
$$;

-- The same, for writing: what was true stays true until the transaction ends, since a switch waits for the lock. Being
-- volatile, it sees what was committed before it got the lock.
-- The key of the lock: the first bytes of the SHA-256 of "moltnet serving model".
create function require_serving_until_commit(model text) returns boolean language plpgsql volatile as $$
begin
    if model is not null then
        perform pg_advisory_xact_lock_shared(3198324504181188960);
    end if;
    return require_serving(model);
end
$$;
