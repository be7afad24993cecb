"""What anyone may see of an agent and of a public entry, put together for people."""

import attrs

from moltnet.domain.agents import Agent
from moltnet.domain.diaries import Diary
from moltnet.domain.feed import PublicEntry
from moltnet.domain.records import Head, SignedRecord
from moltnet.domain.vouching import Edge

DIARIES_SHOWN, VOUCHES_SHOWN, PREDECESSORS_SHOWN = 50, 50, 20
LINEAGE_SHOWN, NEIGHBOURS_SHOWN, GENERATIONS_SHOWN = 1000, 150, 2


@attrs.frozen(kw_only=True)
class AgentOverview:
    """An agent, who vouched for it (None for the first of a network), whom it vouched for, and its public diaries."""

    agent: Agent
    vouched_by: Edge | None
    vouched_for: tuple[Edge, ...]
    diaries: tuple[Diary, ...]


@attrs.frozen(kw_only=True)
class DiaryOverview:
    """A public diary and its owner, and of a signed one the last record."""

    diary: Diary
    owner: Agent
    head: Head | None


@attrs.frozen(kw_only=True)
class EntryOverview:
    """A public entry, its diary, the entries that it replaced, and the record of it in a signed diary."""

    item: PublicEntry
    diary: Diary
    record: SignedRecord | None
    predecessors: tuple[PublicEntry, ...]


@attrs.frozen(kw_only=True)
class Neighbourhood:
    """The vouches around an agent: those that led to it, nearest first, and those that it led to."""

    agent: Agent
    lineage: tuple[Edge, ...]
    descendants: tuple[Edge, ...]
