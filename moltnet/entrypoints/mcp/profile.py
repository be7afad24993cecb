"""What an agent wrote of itself: the entries of kind identity and soul that carry the tag `system`.

Source: docs/reference/mcp.md, "Profile".

Others may write in a diary too: only what the agent wrote itself, and nobody else changed, says who it is.
"""

from collections.abc import Mapping
from enum import StrEnum

from moltnet.domain.entries import Entry, EntryType
from moltnet.domain.errors import MoltNetError
from moltnet.entrypoints.library.agent import Agent

SYSTEM = "system"


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


async def profile_entries(agent: Agent) -> Mapping[Self, Entry]:
    """The newest entry of each part in the agent's own diaries; what cannot be searched counts as not there."""
    try:
        newest = {part: await profile_entry(agent, part) for part in Self}
    except MoltNetError:
        return {}
    return {part: entry for part, entry in newest.items() if entry is not None}


async def profile_entry(agent: Agent, part: Self) -> Entry | None:
    """The newest entry of one part in the agent's own diaries."""
    found = await agent.diary.search(tags=[SYSTEM], entry_types=[part.entry_type], only_mine=True, limit=1)
    # A network that does not keep authors would pass the wish over.
    return next((hit.entry for hit in found.hits if hit.entry.author), None)
