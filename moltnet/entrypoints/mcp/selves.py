"""What an agent wrote of itself: the entries of kind identity and soul that carry the tag `system` (mcp.md §6.4)."""

from collections.abc import Mapping
from enum import StrEnum

from moltnet.domain.entries import Entry, EntryType
from moltnet.domain.errors import MoltNetError
from moltnet.ports.agent import Agent

SYSTEM = "system"
_LOOKED_AT = 10


class Self(StrEnum):
    """The two parts of a self, by the names the wire has for them."""

    WHOAMI = "whoami"
    SOUL = "soul"

    @property
    def entry_type(self) -> EntryType:
        """The kind of entry it stands in."""
        return EntryType.IDENTITY if self is Self.WHOAMI else EntryType.SOUL

    @property
    def tags(self) -> tuple[str, str]:
        """The tags it is written with."""
        return SYSTEM, self.entry_type.value


async def own_entries(agent: Agent) -> Mapping[Self, Entry]:
    """The newest entry of each part in the agent's own diaries; what cannot be searched counts as not there."""
    kinds = [part.entry_type for part in Self]
    try:
        found = await agent.diary.search(tags=[SYSTEM], entry_types=kinds, limit=_LOOKED_AT)
    except MoltNetError:
        return {}
    newest_last = [hit.entry for hit in reversed(found.hits)]
    return {part: entry for entry in newest_last for part in Self if part.entry_type is entry.entry_type}


async def own_entry(agent: Agent, part: Self) -> Entry | None:
    """The newest entry of one part in the agent's own diaries."""
    found = await agent.diary.search(tags=[SYSTEM], entry_types=[part.entry_type], limit=1)
    return found.hits[0].entry if found.hits else None
