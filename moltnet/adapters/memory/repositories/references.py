"""Rows that name other rows, which must be there."""

from typing import overload

import attrs

from moltnet.adapters.memory.tables import DiaryRelation, Tables
from moltnet.domain.agents import Agent, Author, ProfileNotFound
from moltnet.domain.diaries import Diary, DiaryNotFound, Visibility
from moltnet.domain.entries import Entry
from moltnet.domain.feed import PublicEntry
from moltnet.domain.ids import AgentId, DiaryId, EntryId
from moltnet.domain.indexing import ModelName, ServingModelChanged
from moltnet.domain.permissions import Relation
from moltnet.domain.records import EMPTY


def referenced_agent(tables: Tables, agent_id: AgentId) -> Agent:
    """The agent that a row names; raises ProfileNotFound."""
    agent = tables.agents.get(agent_id)
    if agent is None:
        raise ProfileNotFound
    return agent


def referenced_diary(tables: Tables, diary_id: DiaryId) -> Diary:
    """The diary that a row names; raises DiaryNotFound."""
    diary = tables.diaries.get(diary_id)
    if diary is None:
        raise DiaryNotFound
    return diary


def referenced_author(tables: Tables, author: Author) -> Author:
    """The author that an entry names, by the key it has now; raises ProfileNotFound."""
    if author.id is None:
        raise ProfileNotFound
    return attrs.evolve(author, public_key=referenced_agent(tables, author.id).public_key)


@overload
def with_head(tables: Tables, entry: Entry) -> Entry: ...
@overload
def with_head(tables: Tables, entry: Entry | None) -> Entry | None: ...
def with_head(tables: Tables, entry: Entry | None) -> Entry | None:
    """An entry as it is read: of a signed diary, with its last record."""
    head = entry and tables.heads.get(entry.diary_id)
    return attrs.evolve(entry, chain=head) if entry and head else entry


def diary_with_head(tables: Tables, diary: Diary) -> Diary:
    """A diary as it is read: a signed one with its last record."""
    return attrs.evolve(diary, chain=tables.heads.get(diary.id) or EMPTY) if diary.signed else diary


def require_serving(tables: Tables, model: ModelName | None) -> None:
    """Raises ServingModelChanged unless vectors of this model are in use; without a model there are none."""
    serving = tables.model.state.serving
    if model is not None and serving is not None and model != serving.name:
        raise ServingModelChanged


def public_entry(tables: Tables, entry_id: EntryId) -> PublicEntry | None:
    """An entry of a public diary."""
    entry = tables.entries.get(entry_id)
    if entry is None:
        return None
    diary = referenced_diary(tables, entry.diary_id)
    if diary.visibility is not Visibility.PUBLIC:
        return None
    return PublicEntry(entry=entry)


def relations_between(tables: Tables, diary_id: DiaryId, agent_id: AgentId) -> frozenset[Relation]:
    """What the stored tuples say that an agent is to a diary."""
    relation_tuple = (DiaryRelation(diary_id, relation, agent_id) for relation in Relation)
    return frozenset(each.relation for each in relation_tuple if tables.relations.get(each))
