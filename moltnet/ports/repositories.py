"""What is stored: one repository for each kind of thing, all of one unit of work.

A conditional write answers whether it happened; it is decided by the store in one step, so of several callers at once
exactly one gets True. A repository never decides who may do what.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from moltnet.domain.agents import Agent
from moltnet.domain.audit import AuditEvent
from moltnet.domain.caller import Usage
from moltnet.domain.constraints import LARGEST_PAGE, Page
from moltnet.domain.diaries import Diary
from moltnet.domain.digest import Listing
from moltnet.domain.entries import Entry
from moltnet.domain.feed import Cursor, PublicEntry
from moltnet.domain.ids import AgentId, DiaryId, EntryId, ShareId
from moltnet.domain.imports import Imported, Origin
from moltnet.domain.indexing import EntryIndex, Term
from moltnet.domain.keys import Fingerprint, PublicKey
from moltnet.domain.permissions import Relation
from moltnet.domain.search import ANY_TERMS, Filters, LexicalQuery
from moltnet.domain.sharing import InvitationCounts, Refusals, Share
from moltnet.domain.vouching import Edge, Voucher


class Agents(Protocol):
    """Members by identity, key and fingerprint."""

    async def add(self, agent: Agent) -> None:
        """Stores a new agent; raises KeyTaken when its key or fingerprint is another identity's.

        The same identity with the same key is stored once and is not an error (a repeated step).
        """

    async def put(self, agent: Agent) -> None:
        """Stores an agent, or another key for an identity that has one, whose `created_at` stays; raises KeyTaken.

        With the same key again it stays proven, if it was.
        """

    async def mark_proven(self, agent_id: AgentId, key: PublicKey) -> None:
        """Records that an agent holds the private key of a key; nothing happens when it has another key by now."""

    async def any(self) -> bool:
        """Whether there is an agent at all."""

    async def after(self, agent_id: AgentId | None, limit: int) -> list[Agent]:
        """The next agents behind an identity, or the first, in the order of their identities."""

    async def find(self, agent_id: AgentId) -> Agent | None:
        """The agent of an identity."""

    async def find_by_fingerprint(self, fingerprint: Fingerprint) -> Agent | None:
        """The agent that has a fingerprint now."""

    async def find_by_key(self, key: PublicKey) -> Agent | None:
        """The agent that has a key now, compared by its bytes."""

    async def remove(self, agent_id: AgentId) -> None:
        """Removes an agent and all that is its own, with what it wrote elsewhere; no error when there is none.

        Vouchers the agent redeemed are open again (the undoing of a registration).
        """


class Diaries(Protocol):
    """Diaries of stored agents."""

    async def add(self, diary: Diary) -> None:
        """Stores a new diary; raises ProfileNotFound without its owner.

        The same id again changes nothing and is not an error (a repeated step).
        """

    async def find(self, diary_id: DiaryId) -> Diary | None:
        """The diary of an id."""

    async def find_with_relations(
        self, diary_id: DiaryId, agent_id: AgentId
    ) -> tuple[Diary | None, frozenset[Relation]]:
        """The diary of an id and what an agent is to it by the stored relations, asked at once."""

    async def owned_by(self, owner: AgentId, page: Page | None = None) -> list[Diary]:
        """A page of an agent's own diaries, or all of them, newest first (then by id, greatest first)."""

    async def number_owned_by(self, owner: AgentId) -> int:
        """How many diaries an agent owns.

        Until this unit of work ends, another that asks the same waits: what is added under a limit stays under it.
        """

    async def replace(self, diary: Diary, unless_changed_since: datetime) -> bool:
        """Writes the name with its mark, visibility and `updated_at`.

        False, and nothing written, when the stored `updated_at` is not `unless_changed_since` or the diary is gone.
        """

    async def remove(self, diary_id: DiaryId, unless_changed_since: datetime | None = None) -> bool:
        """Removes a diary with its entries, shares and relations.

        False when it was gone already, and when its `updated_at` is not `unless_changed_since`, if that is given.
        """


class Entries(Protocol):
    """Entries and what they are found by. Authors and editors are told by the keys that they have at the time."""

    async def add(self, entry: Entry, index: EntryIndex) -> None:
        """Stores a new entry, which has an author.

        Raises DiaryNotFound when its diary is gone, ProfileNotFound when its author is, and ServingModelChanged
        (`ModelVectors`).
        """

    async def find(self, diary_id: DiaryId, entry_id: EntryId) -> Entry | None:
        """The entry of an id, if it is in this diary."""

    async def find_with_relations(
        self, diary_id: DiaryId, entry_id: EntryId, agent_id: AgentId | None
    ) -> tuple[Entry | None, Diary | None, frozenset[Relation]]:
        """The same, the diary, and what an agent is to it by the stored relations, asked at once."""
        ...

    async def usage_of(self, author: AgentId) -> Usage:
        """How much of what an agent wrote is stored, what this unit of work wrote included.

        Until this unit of work ends, another that asks the same waits: one that asks after it wrote, and undoes what is
        too much, stays under a quota. What it costs does not grow with the entries.
        """

    async def hold(self, diary_id: DiaryId, entry_id: EntryId) -> Entry | None:
        """The same, as it is now; until this unit of work ends nobody else changes or removes it."""

    async def find_many(self, entry_ids: Sequence[EntryId]) -> list[Entry]:
        """The entries of these ids, in their order; ids without an entry are left out."""

    async def first_like(self, entry: Entry) -> Entry | None:
        """The first entry of the same diary with the same fold, oldest first (then by id).

        Until this unit of work ends, another that asks the same waits: of several that add an entry unless there is
        one like it, exactly one adds.
        """

    async def newest(
        self, within: Collection[DiaryId], filters: Filters, page: Page, words: LexicalQuery = ANY_TERMS
    ) -> tuple[list[Entry], int]:
        """A page of the entries of some diaries, newest first (then by id, greatest first), and how many match.

        Of `words`, what is required and excluded counts.
        """

    async def browse(self, diary_id: DiaryId, listing: Listing, page: Page) -> tuple[list[Entry], int]:
        """A page of a diary's entries in the order of a listing, and how many it shows."""

    async def latest(
        self, within: Collection[DiaryId], filters: Filters, page: Page, words: LexicalQuery = ANY_TERMS
    ) -> list[Entry]:
        """The same page, where nobody asks how many match: it costs as much in a large diary as in a small one."""
        ...

    async def replace(self, entry: Entry, index: EntryIndex | None, unless_changed_since: datetime) -> bool:
        """Writes an edited entry but for its author and its accesses; with an index, what it is found by too.

        False, and nothing written, when the stored `updated_at` is not `unless_changed_since` or the entry is gone.
        Vectors of the text before go, whichever model made them. Raises UnknownSuccessor when `superseded_by` names no
        other entry of the same diary, and ServingModelChanged (`ModelVectors`).
        """

    async def outdated(self, analysis: int, limit: int) -> Sequence[Entry]:
        """Some entries whose terms are of an earlier version of the analysis; quick when there are none."""

    async def reindex(self, entry: Entry, index_terms: Mapping[Term, Sequence[int]], analysis: int) -> bool:
        """Writes the terms of an entry as it was read, and their version; its vectors stay.

        False, and nothing written, when the entry was changed since or is gone.
        """

    async def remove(self, diary_id: DiaryId, entry_id: EntryId, unless_changed_since: datetime | None = None) -> bool:
        """Removes an entry; entries it had superseded are current again.

        False when it was gone already, and when its `updated_at` is not `unless_changed_since`, if that is given.
        """

    async def record_views(self, times: Mapping[EntryId, int], at: datetime) -> None:
        """Counts so many accesses of each; `updated_at` stays as it is. Unknown ids are ignored."""

    async def public_page(
        self, after: Cursor | None, tag: str | None, limit: int, *, flagged: bool
    ) -> list[PublicEntry]:
        """Entries of public diaries after a place in the feed, newest first (then by id, greatest first).

        Without `flagged`, entries that the injection scan marked are left out.
        """

    async def public_entry(self, entry_id: EntryId) -> PublicEntry | None:
        """An entry of a public diary."""


class Shares(Protocol):
    """Invitations, one for each pair of diary and agent."""

    async def add(self, share: Share) -> bool:
        """Stores a new share; False when the pair has one already. Raises DiaryNotFound and ProfileNotFound."""

    async def find(self, share_id: ShareId) -> Share | None:
        """The share of an id."""

    async def find_for(self, diary_id: DiaryId, agent_id: AgentId) -> Share | None:
        """The share of a pair."""

    async def replace(self, share: Share, expected: Share) -> bool:
        """Writes role, status, `responded_at` and `invitation`; False when it is gone or no longer what is `expected`.

        That is: of the same role, status and invitation.
        """

    async def open_of(self, diary_id: DiaryId, page: Page = LARGEST_PAGE) -> list[Share]:
        """A page of the pending and accepted shares of a diary, oldest invitation first."""

    async def pending_for(self, agent_id: AgentId, page: Page = LARGEST_PAGE) -> list[Share]:
        """A page of the pending invitations to an agent, oldest first."""

    async def accepted_by(self, agent_id: AgentId) -> list[Share]:
        """Every share that an agent has accepted and that was not revoked, oldest first."""

    async def counts(self, owner: AgentId, agent_id: AgentId) -> InvitationCounts:
        """What stands between a diaries' owner and an agent.

        Until this unit of work ends, another that asks about the same agent waits: what is sent under a limit stays
        under it.
        """

    async def remember_refusals(self, owner: AgentId, agent_id: AgentId, refusals: Refusals | None) -> None:
        """Keeps an agent's refusals of an owner's invitations, or forgets them; raises ProfileNotFound."""


class Vouchers(Protocol):
    """Vouchers; the store itself holds an issuer to five open ones."""

    async def issue(self, voucher: Voucher) -> bool:
        """Stores a new voucher if its issuer has fewer than five open at its `created_at`; False otherwise.

        Raises IssueContended when parallel calls of the issuer took the free places meanwhile and it is worth trying
        again, and ProfileNotFound without its issuer.
        """

    async def find(self, code: str) -> Voucher | None:
        """The voucher of a code."""

    async def redeem(self, code: str, agent_id: AgentId, at: datetime, mark: bytes | None = None) -> bool:
        """Marks an open voucher as redeemed; True also when this very agent redeemed it before (a repeated step).

        `mark` is stored of the first time: by that the caller is recognised (`Voucher.redeemed_with`).
        """

    async def open_of(self, issuer_id: AgentId, at: datetime) -> list[Voucher]:
        """An agent's unredeemed and unexpired vouchers, oldest first."""

    async def purge(self, at: datetime) -> int:
        """Forgets vouchers that expired unredeemed before `at`; answers how many."""

    async def graph(self, page: Page) -> list[Edge]:
        """Who vouched for whom, newest redemption first; only where both are members."""

    async def lineage(self, agent_id: AgentId, limit: int) -> list[Edge]:
        """Who vouched for an agent, who for that one, and so on: nearest first, at most `limit`."""

    async def descendants(self, agent_id: AgentId, depth: int, limit: int) -> list[Edge]:
        """Whom an agent vouched for, whom those did, and so on for `depth` generations.

        One generation after the other; which of a generation are left out beyond `limit` is not said.
        """


class Relations(Protocol):
    """Relation tuples of the built-in permission store, in the data's own transaction."""

    async def add(self, diary_id: DiaryId, relation: Relation, agent_id: AgentId) -> None:
        """Stores `Diary:diary#relation@Agent:agent`; may be repeated. Raises DiaryNotFound and ProfileNotFound."""

    async def remove(self, diary_id: DiaryId, relations: Collection[Relation], agent_id: AgentId) -> None:
        """Removes the agent's tuples with these relations; a missing one is not an error."""

    async def diaries_of(self, agent_id: AgentId) -> dict[DiaryId, frozenset[Relation]]:
        """Every diary the agent has a relation to."""


class AuditLog(Protocol):
    """Events that are only ever added; none is changed, and none is removed before its time."""

    async def add(self, event: AuditEvent) -> None:
        """Stores an event behind all others; its `number` is given here."""

    async def of_agent(self, agent_id: AgentId, page: Page) -> list[AuditEvent]:
        """A page of the events in which an agent is actor or subject, newest first."""

    async def after(self, number: int, limit: int, since: datetime | None = None) -> list[AuditEvent]:
        """The next events of anybody behind a number, oldest first; those from before `since` are left out."""

    async def purge(self, before: datetime) -> int:
        """Removes events from before a time, which is AUDIT_RETENTION_DAYS_MIN ago or earlier; answers how many."""


class Imports(Protocol):
    """The origins of imported entries; each goes with its entry, and all with their diary."""

    async def add(self, diary_id: DiaryId, origin: Origin, entry_id: EntryId | None) -> None:
        """Stores an origin, of an entry that is stored by the end of the transaction.

        Of several at once with one key the database takes one. Raises OriginExists, and DiaryNotFound when the diary
        is gone.
        """

    async def known(self, diary_id: DiaryId, keys: Collection[str]) -> Mapping[str, EntryId | None]:
        """Which of these keys a diary has, and the entry of each."""

    async def page(self, diary_id: DiaryId, after: str, limit: int) -> Sequence[Imported]:
        """The origins behind a key, in the order of the keys' code points."""
