"""Rows that name other rows, which must be there."""

from moltnet.adapters.memory.tables import Tables
from moltnet.domain.agents import Agent, ProfileNotFound
from moltnet.domain.diaries import Diary, DiaryNotFound
from moltnet.domain.ids import AgentId, DiaryId


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
