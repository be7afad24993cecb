"""Everything that a network in memory keeps: its tables, their rows, and drafts of all of them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import attrs

from moltnet.adapters.memory.drafts import Draft, Table
from moltnet.adapters.memory.vectors import unit
from moltnet.domain.agents import Agent
from moltnet.domain.audit import AuditEvent
from moltnet.domain.credentials import Client
from moltnet.domain.diaries import Diary
from moltnet.domain.entries import Entry
from moltnet.domain.feed import Cursor, Position
from moltnet.domain.idempotency import IdempotencyRecord, IdempotentRequest
from moltnet.domain.ids import (
    AgentId,
    ClientId,
    DiaryId,
    EntryId,
    PreparedRecordId,
    ShareId,
    SigningRequestId,
    WebSessionId,
)
from moltnet.domain.imports import Origin
from moltnet.domain.indexing import EntryIndex, ModelName, ModelPassages, ModelState
from moltnet.domain.key_changes import AgentKey
from moltnet.domain.keys import PublicKey
from moltnet.domain.lost_keys import LostKey
from moltnet.domain.outbox import OutboxMessage
from moltnet.domain.permissions import Relation
from moltnet.domain.ranking import text_length
from moltnet.domain.records import Head, PreparedRecord, SignedRecord
from moltnet.domain.recovery import RecoveryCode
from moltnet.domain.sharing import Refusals, Share
from moltnet.domain.signing import SigningRequest
from moltnet.domain.tiles import Tile
from moltnet.domain.transparency import Leaf
from moltnet.domain.vouching import Voucher
from moltnet.domain.web_sessions import WebSession
from moltnet.ports.credentials import SigningKey
from moltnet.ports.transparency import LogHead, LogKey


@attrs.frozen
class StoredIdentity:
    """An identity; its key in the table is the agent's id."""

    public_key: PublicKey
    created_at: datetime


@attrs.frozen
class RecoverySession:
    """A recovery session; its key is the hash of its token."""

    agent_id: AgentId
    expires_at: datetime


@attrs.frozen
class DiaryRelation:
    """`Diary:diary#relation@Agent:agent`; a row that is its own key."""

    diary_id: DiaryId
    relation: Relation
    agent_id: AgentId


@attrs.frozen(kw_only=True)
class ModelRow:
    """The one row on embedding models: which are used, and who embeds until when."""

    state: ModelState = attrs.field(factory=ModelState)
    leased_by: UUID | None = None
    leased_until: datetime | None = None


@attrs.frozen(kw_only=True)
class StoredIndex(EntryIndex):
    """What an entry of a diary is found by, with its length, and the unit vector of its beginning under each model."""

    entry_id: EntryId
    diary_id: DiaryId
    beginnings: Mapping[ModelName, bytes] = attrs.field(init=False, eq=False, repr=False)
    length: int = attrs.field(init=False, eq=False, repr=False)

    @classmethod
    def of(cls, entry: Entry, index: EntryIndex) -> "StoredIndex":
        """The row of an entry's index."""
        return cls(
            entry_id=entry.id,
            diary_id=entry.diary_id,
            model=index.model,
            passages=index.passages,
            expansion=index.expansion,
            # Of tuples of numbers the collector of garbage keeps no account: thousands of lists hold a program up.
            index_terms={term: tuple(positions) for term, positions in index.index_terms.items()},
            analysis=index.analysis,
            upcoming=index.upcoming,
        )

    @length.default
    def _text_length(self) -> int:
        return text_length(self.index_terms)

    @beginnings.default
    def _first_passages(self) -> Mapping[ModelName, bytes]:
        own = [ModelPassages(model=self.model, passages=self.passages)] if self.model else []
        by_model = [*own, self.upcoming] if self.upcoming else own
        return {
            each.model: unit(passage.vector) for each in by_model for passage in each.passages if passage.ordinal == 0
        }


@attrs.frozen
class StoredRecord:
    """A record of a signed diary, and the entry that it wrote."""

    diary_id: DiaryId
    entry_id: EntryId | None
    signed: SignedRecord


@attrs.frozen
class StoredImport:
    """The origin of what was imported into a diary, and the entry that it is now."""

    diary_id: DiaryId
    entry_id: EntryId | None
    origin: Origin


@attrs.frozen
class ClaimableMessage:
    """An outbox message, and until when somebody has it to deliver."""

    message: OutboxMessage
    claimed_until: datetime | None = None


@attrs.frozen
class IdempotencyRecordKey:
    """What there is one idempotency record of at most."""

    agent_id: AgentId
    operation: str
    key: str

    @classmethod
    def of(cls, request: IdempotentRequest) -> "IdempotencyRecordKey":
        """The key of a request's idempotency record."""
        return cls(request.agent_id, request.operation, request.key)


class Tables:
    """Everything a network keeps."""

    def __init__(self) -> None:
        self.agents: Table[AgentId, Agent] = Table(
            key=lambda agent: agent.public_key, fingerprint=lambda agent: agent.fingerprint
        )
        # Of agents whose key was replaced; the only key of any other is with the agent.
        self.key_history: Table[PublicKey, AgentKey] = Table(
            agent=lambda known: known.agent_id, fingerprint=lambda known: known.fingerprint
        )
        self.lost_keys: Table[PublicKey, LostKey] = Table(
            agent=lambda lost: lost.agent_id, fingerprint=lambda lost: lost.key.fingerprint
        )
        self.identities: Table[AgentId, StoredIdentity] = Table()
        self.clients: Table[ClientId, Client] = Table(agent=lambda client: client.agent_id)
        self.signing_keys: Table[str, SigningKey] = Table()
        self.recovery_codes: Table[str, RecoveryCode] = Table()
        self.sessions: Table[bytes, RecoverySession] = Table()
        self.nonces: Table[str, datetime] = Table()
        self.web_sessions: Table[WebSessionId, WebSession] = Table(
            token_hash=lambda session: session.token_hash, agent=lambda session: session.agent_id
        )
        self.audit: Table[int, AuditEvent] = Table(
            actor=lambda event: event.actor_id, subject=lambda event: event.subject_id
        )
        self.idempotency_records: Table[IdempotencyRecordKey, IdempotencyRecord] = Table(
            agent=lambda record: record.request.agent_id
        )
        self.vouchers: Table[str, Voucher] = Table(
            issuer=lambda voucher: voucher.issuer_id, redeemer=lambda voucher: voucher.redeemed_by
        )
        self.diaries: Table[DiaryId, Diary] = Table(
            owner=lambda diary: diary.owner_id, visibility=lambda diary: diary.visibility
        )
        self.entries: Table[EntryId, Entry] = Table(
            diary=lambda entry: entry.diary_id,
            successor=lambda entry: entry.superseded_by,
            author=lambda entry: entry.writer.id,
            editor=lambda entry: entry.edited_by and entry.edited_by.id,
        )
        self.indexes: Table[EntryId, StoredIndex] = Table(diary=lambda index: index.diary_id)
        self.models: Table[None, ModelRow] = Table()
        self.feed: Table[Position, Cursor] = Table(entry=lambda cursor: cursor.entry_id)
        self.counters: Table[str, int] = Table()  # numbers that are never used again
        self.shares: Table[ShareId, Share] = Table(
            diary=lambda share: share.diary_id, agent=lambda share: share.shared_with
        )
        # By owner and agent; traits are of rows alone, so the few an agent has are looked for.
        self.refusals: Table[tuple[AgentId, AgentId], Refusals] = Table()
        self.relations: Table[DiaryRelation, DiaryRelation] = Table(
            diary=lambda relation_tuple: relation_tuple.diary_id, agent=lambda relation_tuple: relation_tuple.agent_id
        )
        self.heads: Table[DiaryId, Head] = Table()
        self.records: Table[tuple[DiaryId, int], StoredRecord] = Table(
            diary=lambda row: row.diary_id, entry=lambda row: (row.diary_id, row.entry_id)
        )
        self.prepared_records: Table[PreparedRecordId, PreparedRecord] = Table(
            agent=lambda prepared: prepared.agent_id, diary=lambda prepared: prepared.diary_id
        )
        self.log_pending: Table[int, Leaf] = Table()
        self.log_leaves: Table[int, bytes] = Table()
        self.log_subjects: Table[tuple[str, int], tuple[str, int]] = Table(subject=lambda row: row[0])
        self.log_tiles: Table[Tile, bytes] = Table()
        self.log_heads: Table[None, LogHead] = Table()
        self.log_keys: Table[None, LogKey] = Table()
        self.imports: Table[tuple[DiaryId, str], StoredImport] = Table(
            diary=lambda row: row.diary_id, entry=lambda row: row.entry_id
        )
        self.outbox: Table[int, ClaimableMessage] = Table(
            partition_key=lambda row: row.message.change.partition_key, agent=lambda row: row.message.change.agent_id
        )
        self.signing_requests: Table[SigningRequestId, SigningRequest] = Table(
            agent=lambda request: request.agent_id,
            status=lambda request: request.status,
            signature=lambda request: request.signature,
        )

    @property
    def model(self) -> ModelRow:
        """The row on embedding models."""
        return self.models.get(None) or ModelRow()

    def draft(self) -> "DraftTables":
        """The same tables, to be changed without anybody seeing it."""
        return DraftTables(self)


class DraftTables(Tables):
    """Drafts of tables, each made when it is first asked for: most statements look at two or three of thirty."""

    def __init__(self, beneath: Tables) -> None:
        self._beneath = beneath
        self._drafts: dict[str, Draft[Any, Any]] = {}

    def __getattr__(self, name: str) -> Draft[Any, Any]:
        """Makes the draft of a table."""
        draft = self._drafts[name] = Draft(getattr(self._beneath, name))
        setattr(self, name, draft)
        return draft

    def retain(self, draft: "DraftTables") -> None:
        """Keeps everything that another draft is about to change as it is in this one."""
        for name, changes in draft._drafts.items():  # noqa: SLF001  # of its own class
            getattr(self, name).retain(changes)

    def apply(self) -> None:
        """Makes the changes of the draft, all in one step."""
        for draft in self._drafts.values():
            draft.apply()
