"""The statements that change an entry together with what it is found by: passages and its share in the term counts.

Order of locks, so that no two writers wait for each other: the diary, the entry, the term counts by term, the entries
it had superseded. Those who only add share the diary; those who change or remove an entry hold it one after the other.
"""

from collections.abc import Sequence
from typing import Any

import attrs

from moltnet.adapters.postgres.pool import SparseVector
from moltnet.adapters.postgres.terms import StoredTerms, stored_expansion, stored_terms
from moltnet.domain.entries import Entry, EntryEdit
from moltnet.domain.indexing import EntryIndex, Expansion, IndexedPassage, ModelPassages, Vector

# The columns that an edit changes: those that it names, and what follows. Each takes the parameter of its name.
_EDITED = (*attrs.fields_dict(EntryEdit), "injection_risk", "fold", "updated_at", "author_assumed", "edited_by")
_COLUMNS = ", ".join(_EDITED)
_VALUES = ", ".join(f"%({column})s" for column in _EDITED)
_SET = ", ".join(f"{column} = %({column})s" for column in _EDITED)
# The passages of `entry` that have rows of their own.
ADD_PASSAGES = """insert into entry_passages (entry_id, model, ordinal, starts_at, ends_at, embedding, expansion)
        select entry.id, model, ordinal, starts_at, ends_at, embedding,
            case when ordinal = 0 then %(expansion_beside)s::sparsevec end
        from entry, unnest(
            %(models)s::text[], %(ordinals)s::int[], %(starts)s::int[], %(ends)s::int[], %(embeddings)b::halfvec[]
        ) as passages (model, ordinal, starts_at, ends_at, embedding)"""
# One row, or none when the diary is gone; diaries_pkey. An entry that was stored as in a private diary while the diary
# became a public one would be refused by diary_entries_diary_id_fkey: hence the lock before the look.
ADD = f"""
    with diary as (
        select id, visibility from diaries
        where id = %(diary_id)s and require_serving_until_commit(%(embedding_model)s) for key share
    ), entry as (
        insert into diary_entries (
            id, diary_id, diary_visibility, created_at, author_id, {_COLUMNS},
            embedding_model, embedding, expansion, starts_at, ends_at, further_passages, terms, words, analysis
        )
        select
            %(id)s, id, visibility, %(created_at)s, %(author_id)s, {_VALUES},
            %(embedding_model)s, %(embedding)s, %(expansion)s, %(starts_at)s, %(ends_at)s, %(further_passages)s,
            %(terms)s, %(words)s, %(analysis)s
        from diary
        returning id
    ), further as (
        {ADD_PASSAGES}
    ), counted as (
        insert into diary_terms (diary_id, lexeme, holding)
        select diary.id, lexeme, 1 from diary, unnest(%(lexemes)s::text[]) as lexeme
        order by lexeme collate "C"
        on conflict (diary_id, lexeme) do update set holding = diary_terms.holding + 1
    )
    select from entry
"""  # noqa: S608 - constants
# One row, or none when the entry was changed or is gone; diary_entries_pkey.
REPLACE = f"""
    with diary as (
        select id from diaries where id = %(diary_id)s for no key update
    )
    update diary_entries e
    set {_SET}
    from diary
    where e.diary_id = diary.id and e.id = %(id)s and e.updated_at = %(unless_changed_since)s
"""  # noqa: S608 - constants
# How the term counts of the diary change from `old` words to the given ones.
_CHANGED = """
    changes as (
        select lexeme, sum(change)::int as change from (
            select unnest(tsvector_to_array(words)) collate "C" as lexeme, -1 as change from old
            union all
            select unnest(%(lexemes)s::text[]), 1 from old
        ) as both_ways
        group by lexeme having sum(change) <> 0
    ), counted as (
        insert into diary_terms (diary_id, lexeme, holding)
        select old.diary_id, lexeme, change from old, changes order by lexeme
        on conflict (diary_id, lexeme) do update set holding = diary_terms.holding + excluded.holding
    )
"""
# The same with another index: one row with the terms the entry no longer holds, or none.
REPLACE_WITH_INDEX = f"""
    with diary as (
        select id from diaries
        where id = %(diary_id)s and require_serving_until_commit(%(embedding_model)s) for no key update
    ), old as (
        select e.id, e.diary_id, e.words from diary join diary_entries e on e.diary_id = diary.id
        where e.id = %(id)s and e.updated_at = %(unless_changed_since)s
        for no key update of e
    ), entry as (
        update diary_entries e
        set {_SET},
            embedding_model = %(embedding_model)s, embedding = %(embedding)s, expansion = %(expansion)s,
            starts_at = %(starts_at)s, ends_at = %(ends_at)s, further_passages = %(further_passages)s,
            terms = %(terms)s, words = %(words)s, analysis = %(analysis)s
        from old where e.id = old.id
        returning e.id
    ), further as (
        {ADD_PASSAGES}
        on conflict (entry_id, model, ordinal) do update
        set starts_at = excluded.starts_at, ends_at = excluded.ends_at, embedding = excluded.embedding,
            expansion = excluded.expansion
    ), {_CHANGED}
    select array(select lexeme from changes where change < 0) as lexemes from entry
"""  # noqa: S608 - constants
# Its terms alone: one row with those it no longer holds, or none.
REINDEX = f"""
    with diary as (
        select id from diaries where id = %(diary_id)s for no key update
    ), old as (
        select e.id, e.diary_id, e.words from diary join diary_entries e on e.diary_id = diary.id
        where e.id = %(id)s and e.updated_at = %(updated_at)s
        for no key update of e
    ), edited as (
        update diary_entries e set terms = %(terms)s, words = %(words)s, analysis = %(analysis)s
        from old where e.id = old.id
        returning e.id
    ), {_CHANGED}
    select array(select lexeme from changes where change < 0) as lexemes from edited
"""  # noqa: S608 - constants
# One row with the terms the entry held, or none when it was changed or is gone; diary_entries_pkey. Passages and
# accesses go with it, and those it had superseded are current again, by their foreign keys.
REMOVE = """
    with diary as (
        select id from diaries where id = %(diary_id)s for no key update
    ), gone as (
        delete from diary_entries e using diary
        where e.diary_id = diary.id and e.id = %(id)s
            and e.updated_at = coalesce(%(unless_changed_since)s::timestamptz, e.updated_at)
        returning e.diary_id, e.words
    ), counted as (
        insert into diary_terms (diary_id, lexeme, holding)
        select diary_id, lexeme, -1 from gone, unnest(tsvector_to_array(words)) as lexeme
        order by lexeme collate "C"
        on conflict (diary_id, lexeme) do update set holding = diary_terms.holding - 1
    )
    select tsvector_to_array(words) as lexemes from gone
"""
# The passages of the text before, whichever model made them; entry_passages_pkey. A statement of its own: it sees what
# was added (models.KEEP) while the one before it waited for the entry.
FORGET_PASSAGES = """
    delete from entry_passages p
    where p.entry_id = %(id)s and not exists (
        select from unnest(%(models)s::text[], %(ordinals)s::int[]) as passages (model, ordinal)
        where passages.model = p.model and passages.ordinal = p.ordinal
    )
"""
# The counts that came to nothing; diary_terms_pkey. They were counted down, so their rows are held already.
FORGET_TERMS = """
    delete from diary_terms
    where diary_id = %(diary_id)s and lexeme = any(%(terms)s::text[]) and holding <= 0
"""


@attrs.frozen
class _Beginning:
    """Stands for the beginning of a text without a token: it has been embedded, and there is no vector."""

    ordinal: int = 0
    start: int = 0
    end: int = 0
    vector: Vector | None = None


def entry_values(entry: Entry) -> dict[str, Any]:
    """What the statements take of an entry."""
    own = {name: getattr(entry, name, None) for name in ("id", "diary_id", "created_at", *_EDITED)}
    return own | {
        "tags": None if entry.tags is None else list(entry.tags),
        "author_id": entry.writer.id,
        "author_assumed": entry.writer.assumed,
        "edited_by": entry.edited_by and entry.edited_by.id,
    }


@attrs.frozen(kw_only=True)
class PreparedIndex(EntryIndex):
    """An index whose words have been given their stored form, which takes long for a long text."""

    stored: StoredTerms

    @classmethod
    def of(cls, index: EntryIndex) -> "PreparedIndex":
        """The same index, prepared."""
        members = attrs.asdict(index, recurse=False)
        return index if isinstance(index, cls) else cls(**members, stored=stored_terms(index.index_terms))


def index_values(index: EntryIndex) -> dict[str, Any]:
    """What the statements take of an index: the first passage for the entry itself, the others in columns."""
    stored = PreparedIndex.of(index).stored
    first = next((passage for passage in index.passages if passage.ordinal == 0), None)
    return {
        "embedding_model": index.model,
        "embedding": first and first.vector,
        "expansion": _sparse(index.expansion),
        "starts_at": first and first.start,
        "ends_at": first and first.end,
        "further_passages": sum(passage.ordinal > 0 for passage in index.passages),
        **_passages_of(index),
        "analysis": index.analysis,
        "words": stored.words,
        "terms": stored.terms,
        "lexemes": stored.index_terms,
    }


def passage_values(model_passages: Sequence[ModelPassages], *, beside: bool) -> dict[str, Any]:
    """Passages in columns: those after the beginning, and, `beside` the entry's own model, the beginning too.

    With the beginning under one other model goes the expansion.
    """
    rows = [(each.model, passage) for each in model_passages for passage in _stored_passages(each, beside=beside)]
    return {
        "models": [model for model, _ in rows],
        "ordinals": [passage.ordinal for _, passage in rows],
        "starts": [passage.start for _, passage in rows],
        "ends": [passage.end for _, passage in rows],
        "embeddings": [passage.vector for _, passage in rows],
        "expansion_beside": _sparse(model_passages[0].expansion) if beside and model_passages else None,
    }


def _sparse(expansion: Expansion | None) -> SparseVector | None:
    return None if expansion is None else stored_expansion(expansion.weights)


def _passages_of(index: EntryIndex) -> dict[str, Any]:
    serving_passages = [ModelPassages(model=index.model, passages=index.passages)] if index.model else []
    further = passage_values(serving_passages, beside=False)
    upcoming = passage_values([index.upcoming] if index.upcoming else [], beside=True)
    columns = {name: [*values, *upcoming[name]] for name, values in further.items() if name != "expansion_beside"}
    return columns | {"expansion_beside": upcoming["expansion_beside"]}


def _stored_passages(model_passages: ModelPassages, *, beside: bool) -> Sequence[_Beginning | IndexedPassage]:
    if beside:
        return model_passages.passages or (_Beginning(),)
    return [passage for passage in model_passages.passages if passage.ordinal > 0]
