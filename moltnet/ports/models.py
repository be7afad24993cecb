"""Which models a network's vectors are of, how the models are had, and how much is stored."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

import attrs

from moltnet.domain.caller import Usage
from moltnet.domain.entries import Entry
from moltnet.domain.ids import EntryId
from moltnet.domain.indexing import ModelCount, ModelMigrationProgress, ModelPassages, ModelReference, ModelState
from moltnet.ports.search import Embedder


class ModelVectors(Protocol):
    """Vectors by the model that made them.

    From the first `adopt` on, what is written (`Entries.add`, `Entries.replace`) and what is asked
    (`CandidateSearch.best`) with vectors of another model than the serving one raises ServingModelChanged.
    """

    async def state(self) -> ModelState:
        """Which model serves, and which is the target."""

    async def adopt(self, reference: ModelReference) -> ModelState:
        """Makes a model the serving one if there is none yet; answers the state then."""

    async def aim(self, reference: ModelReference) -> ModelState:
        """Makes a model the target in the place of any other; the serving one ends the switch. Answers the state then.

        In a network without a serving model it becomes that.
        """

    async def finish_migration(self, reference: ModelReference) -> bool:
        """Makes the target the serving model, at once for everybody, if every entry has been embedded by it.

        False, and nothing changed, when one has not, and when `reference` is the target no longer. Waits for writes
        that have started, and writes that begin meanwhile wait: no entry slips through.
        """

    async def lacking(self, after: EntryId | None, limit: int) -> Sequence[Entry]:
        """Entries that have not been embedded by the target, in the order of their ids, after one of them."""

    async def unserved(self, limit: int) -> Sequence[Entry]:
        """Some of the entries that have not been embedded by the serving model; quick when there are none."""

    async def further_passages(self, entry: Entry) -> Sequence[ModelPassages]:
        """The vectors of an entry as it was read, whichever models made them, but for those of its beginning.

        None when it was edited since, or is gone.
        """

    async def store_passages(self, entry: Entry, model_passages: ModelPassages) -> bool:
        """Adds the vectors of an entry as it was read; those of other models stay.

        False, and nothing written, when the entry was changed since or is gone.
        """

    async def complete(self, limit: int) -> int:
        """Clears up after a switch, `limit` entries at a time: what no search uses any more goes.

        What is found does not change. Answers how many entries were cleared up; 0 while there is a target.
        """

    async def lease(self, worker: UUID, at: datetime, until: datetime) -> bool:
        """Whether `worker` may embed until then: of several, one at a time, until its time is over or it leases on."""

    async def progress(self) -> ModelMigrationProgress:
        """How far the switch is."""

    async def counts(self) -> Sequence[ModelCount]:
        """How many vectors each model has, in the order of the names, entries without any first."""


class ModelLoader(Protocol):
    """Where the embedding models of this machine are."""

    async def load(self, reference: ModelReference) -> Embedder:
        """The model of a name, or else the one that lies in its place now; raises EmbedderUnavailable with advice."""

    async def preferred(self) -> tuple[ModelReference, Embedder]:
        """The model a network begins with; raises EmbedderUnavailable with advice."""


@attrs.frozen(kw_only=True)
class NetworkSizes:
    """Counts of what is stored; `database_bytes` is what the database takes on its disk, None in memory."""

    agents: int
    vouchers_redeemed: int
    diaries: int
    public_diaries: int
    entries: int
    accepted_shares: int
    pending_signing_requests: int
    undelivered_messages: int
    web_sessions: int
    database_bytes: int | None = None


@attrs.frozen(kw_only=True)
class NetworkUsage:
    """How much is stored in all, and the most of each that one agent wrote; maybe different agents."""

    total: Usage
    largest: Usage


@attrs.frozen(kw_only=True)
class Arrivals:
    """How many of those that are still there were created on a day, in UTC; days without any are left out."""

    agents: Mapping[date, int]
    entries: Mapping[date, int]


class Statistics(Protocol):
    """Counts over all that is stored. It reads every row's place in an index: not to be asked for each request."""

    async def sizes(self) -> NetworkSizes:
        """Counts as of one moment."""

    async def usage(self) -> NetworkUsage:
        """What quotas count (`Entries.usage_of`), over all agents. It reads some rows for each agent."""

    async def arrivals(self, since: datetime) -> Arrivals:
        """What was created at this time or later, for each day in UTC."""
