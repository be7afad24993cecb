"""The public feed: which entries are in it, in which order they came, and how far it reaches."""

from collections.abc import Sequence
from typing import Protocol

from moltnet.domain.diaries import Diary
from moltnet.domain.feed import Cursor, Figures, Position, PublicEntry, Stretch
from moltnet.domain.ids import AgentId, EntryId


class Feed(Protocol):
    """Entries of public diaries, of all agents.

    An entry that is stored in a diary which is public gets its position with the commit. It keeps it while it exists,
    but is shown only while its diary is public; entries of a diary that is made public later never get one.
    """

    async def find_many(self, entry_ids: Sequence[EntryId]) -> list[PublicEntry]:
        """The entries of these ids, in their order; those that are gone or not public are left out."""

    async def figures(self) -> Figures:
        """How large the network is; costs a look at every agent and public entry, so it is not asked for each time."""

    async def diaries_of(self, owner: AgentId, limit: int) -> list[Diary]:
        """An agent's public diaries, newest first (then by id, greatest first)."""

    async def superseded_by(self, entry_id: EntryId, limit: int) -> list[PublicEntry]:
        """The public entries that name this one as their successor, newest first (then by id, greatest first)."""

    async def end(self) -> Position:
        """The greatest position of an entry, 0 when there is none."""

    async def resume(self, after: Cursor) -> Position:
        """The position of the cursor's entry, whatever time the cursor names.

        Where it has none (it was removed, or was not public at first) the position before all entries of a later date:
        rather one that was seen already than one that is never seen. To keep this cheap only the next 100 by date are
        looked at. Without a later one, the end.
        """

    async def between(self, after: Position, until: Position, limit: int) -> Stretch:
        """What is public beyond `after` and not beyond `until`, from at most `limit` positions.

        If `until` was ever announced or answered by `end`, no entry will ever come into this stretch.
        """


class FeedEvents(Protocol):
    """How far the feed reaches, over all processes of the network.

    Storing an entry announces it: with its commit, not before, and not if it is undone. Nothing but numbers is told.
    """

    async def beyond(self, position: Position) -> Position:
        """Waits until the feed is known to reach beyond a position; answers how far it reaches.

        All followers that wait are woken at once, and cancelling one disturbs no other. An announcement that was
        missed, for example because the connection to the database was lost, is made up for: nobody waits for ever.
        """
