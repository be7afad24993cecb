"""Rows that name other rows, which must be there."""

from moltnet.adapters.memory.tables import RelationTuple, Tables
from moltnet.domain.agents import Agent, ProfileNotFound
from moltnet.domain.diaries import Diary, DiaryNotFound
from moltnet.domain.ids import AgentId, DiaryId
from moltnet.domain.permissions import Relation


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


def relations_between(tables: Tables, diary_id: DiaryId, agent_id: AgentId) -> frozenset[Relation]:
    """What the stored tuples say that an agent is to a diary."""
    held = (RelationTuple(diary_id, relation, agent_id) for relation in Relation)
    return frozenset(each.relation for each in held if tables.relations.get(each))
