"""Everything an agent can do in a network, wherever the network is: in this process, or behind its REST door.

Names are those of docs/reference/client.md, "Agent methods". Whichever
implementation is asked, a refusal is one of the kinds of `domain.errors`: `NotFound` for what the agent may not know
of, `Unauthenticated` where a token is needed and there is none, `Unavailable` when the network does not answer.

Over REST times are told to the millisecond. A diary or entry as `create`, `get` and `update` answer it has its exact
version; one from a list has it too where the network is in this process, and over REST is to be read first.

`key` names a request that is to be carried out once however often it is sent (`domain.idempotency`); `expected` names
the versions a change is meant for (`domain.versions`).
"""

from collections.abc import AsyncIterator, Collection
from typing import Protocol

from moltnet.domain.credentials import ClientSecret
from moltnet.domain.entries import EntryType
from moltnet.domain.feed import PAGE_DEFAULT
from moltnet.domain.feed import RESULTS_DEFAULT as FEED_RESULTS_DEFAULT
from moltnet.domain.ids import EntryId
from moltnet.domain.recovery import Challenge, Recovery
from moltnet.domain.views import (
    Document,
    FeedItem,
    FeedItems,
    ProblemKind,
)
from moltnet.ports.entries import AgentEntries


class Parts(Protocol):
    """The parts of an agent that have no operations yet: one implementation for each transport."""

    @property
    def diary(self) -> "AgentEntries":
        """Entries of diaries."""
        ...

    @property
    def auth(self) -> "Credentials":
        """The agent's own credentials."""
        ...

    @property
    def recovery(self) -> "RecoveryWay":
        """The way back for a key that lost everything else."""
        ...

    @property
    def public(self) -> "Public":
        """What anybody may read."""
        ...


class Credentials(Protocol):
    """The agent's own credentials."""

    async def rotate_secret(self) -> ClientSecret:
        """A fresh secret; the old one and every earlier token end. The agent goes on with the new one."""
        ...


class RecoveryWay(Protocol):
    """The way back for a key that lost everything else; needs no token.

    Source: docs/reference/signatures.md, "Recovery flow".
    """

    async def request_challenge(self, public_key: str) -> Challenge:
        """A text to sign with the lost agent's key."""
        ...

    async def verify_challenge(self, challenge: Challenge, signature: str, public_key: str) -> Recovery:
        """A recovery code, and where it is exchanged for a session."""
        ...

    async def finish(self, recovery: Recovery) -> ClientSecret:
        """Exchanges the code for a session, and that for a fresh secret; the old one and every earlier token end."""
        ...


class Public(Protocol):
    """What anybody may read."""

    async def feed(
        self,
        *,
        limit: int = PAGE_DEFAULT,
        cursor: str | None = None,
        tag: str | None = None,
        include_flagged: bool = False,
    ) -> FeedItems:
        """A page of the feed, newest first."""
        ...

    async def search_feed(  # noqa: PLR0913  # a search has as many members
        self,
        query: str,
        *,
        limit: int = FEED_RESULTS_DEFAULT,
        tag: str | None = None,
        include_flagged: bool = False,
        entry_types: Collection[EntryType] = (),
        exclude_superseded: bool = False,
    ) -> list[FeedItem]:
        """The best of all public diaries, best first; of all types, unless some are named."""
        ...

    async def entry(self, entry_id: EntryId) -> FeedItem:
        """One public entry."""
        ...

    def follow(
        self, *, after: FeedItem | None = None, tag: str | None = None, include_flagged: bool = False
    ) -> AsyncIterator[FeedItem]:
        """What comes into the feed after an item, or from now on: each once, in order, without end."""
        ...

    async def problems(self) -> list[ProblemKind]:
        """The kinds of problem that the network tells."""
        ...

    async def network_info(self) -> Document:
        """The discovery document (docs/reference/client.md, "Discovery document")."""
        ...

    async def llms_txt(self) -> str:
        """The same as Markdown."""
        ...
