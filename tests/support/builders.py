"""Things of the network for tests that are about something else: every part has a default, and no two are alike."""

import hashlib
import itertools
import os
import time
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from uuid import UUID

from moltnet.domain.agents import Agent, Author
from moltnet.domain.caller import Caller
from moltnet.domain.credentials import ALL_SCOPES, Client, Scope, hash_secret
from moltnet.domain.diaries import Diary, Visibility
from moltnet.domain.entries import IMPORTANCE_DEFAULT, Entry, EntryType
from moltnet.domain.idempotency import IdempotentRequest
from moltnet.domain.ids import AgentId, ClientId, DiaryId, EntryId, ShareId, SigningRequestId, VoucherId
from moltnet.domain.indexing import DIMENSIONS, EntryIndex, Expansion, IndexedPassage, ModelName, Term, Vector
from moltnet.domain.keys import PublicKey
from moltnet.domain.recovery import CODE_LIFETIME, RecoveryCode
from moltnet.domain.sharing import Share, ShareRole, ShareStatus
from moltnet.domain.signing import SIGNING_LIFETIME, SigningRequest
from moltnet.domain.vouching import VOUCHER_LIFETIME, Voucher
from moltnet.ports.credentials import SigningKey

NOON = datetime(2026, 1, 30, 12, tzinfo=UTC)
MODEL = ModelName("test-model")

# The same in every run, except before real services, which remember what earlier runs made.
NUMBERS = itertools.count(time.time_ns() if any(name.startswith("MOLTNET_TEST_ORY_") for name in os.environ) else 1)
# Whom was made, so that an entry is its diary's owner's unless a test says otherwise.
_keys: dict[AgentId, PublicKey] = {}
_owners: dict[DiaryId, AgentId] = {}


def an_id() -> UUID:
    """An identifier greater than every one before it, in the form of a UUIDv7 (RFC 9562 §5.7)."""
    return UUID(int=(1 << 80) | (7 << 76) | (0b10 << 62) | next(NUMBERS))


def a_public_key() -> PublicKey:
    """32 bytes in the form of a key; a signature under them proves nothing."""
    return PublicKey(_digest("key"))


def an_agent(*, agent_id: AgentId | None = None, public_key: PublicKey | None = None, at: datetime = NOON) -> Agent:
    """A member."""
    agent = Agent(
        id=agent_id or AgentId(an_id()), public_key=public_key or a_public_key(), created_at=at, updated_at=at
    )
    _keys[agent.id] = agent.public_key
    return agent


def an_author(agent: Agent | None = None, *, assumed: bool = False) -> Author:
    """Who wrote something."""
    agent = agent or an_agent()
    return Author(id=agent.id, public_key=agent.public_key, assumed=assumed)


def a_caller(*, agent: Agent | None = None, scopes: frozenset[Scope] = ALL_SCOPES) -> Caller:
    """An agent who is asking."""
    agent = agent or an_agent()
    return Caller(
        agent_id=agent.id,
        public_key=agent.public_key,
        client_id=ClientId(an_id()),
        scopes=scopes,
        client_scopes=ALL_SCOPES,
    )


def a_client(
    *,
    client_id: ClientId | None = None,
    agent_id: AgentId | None = None,
    secret: str = "secret",
    scopes: frozenset[Scope] = ALL_SCOPES,
) -> Client:
    """An OAuth2 client that accepts `secret`."""
    return Client(
        id=client_id or ClientId(an_id()),
        agent_id=agent_id or AgentId(an_id()),
        secret_hash=hash_secret(secret),
        scopes=scopes,
        created_at=NOON,
    )


def a_diary(
    *,
    diary_id: DiaryId | None = None,
    owner: AgentId | None = None,
    name: str = "A diary",
    visibility: Visibility = Visibility.PRIVATE,
    at: datetime = NOON,
) -> Diary:
    """A diary; its owner is nobody unless named."""
    diary = Diary(
        id=diary_id or DiaryId(an_id()),
        owner_id=owner or AgentId(an_id()),
        name=name,
        visibility=visibility,
        created_at=at,
        updated_at=at,
    )
    _owners[diary.id] = diary.owner_id
    return diary


def an_entry(
    *,
    entry_id: EntryId | None = None,
    diary: DiaryId | None = None,
    author: Author | None = None,
    edited_by: Author | None = None,
    title: str | None = None,
    content: str = "What happened",
    tags: tuple[str, ...] | None = None,
    importance: int = IMPORTANCE_DEFAULT,
    entry_type: EntryType = EntryType.SEMANTIC,
    injection_risk: bool = False,
    superseded_by: EntryId | None = None,
    occurred_at: datetime | None = None,
    at: datetime = NOON,
) -> Entry:
    """A memory; its diary is none unless named, and its author the diary's owner."""
    return Entry(
        id=entry_id or EntryId(an_id()),
        diary_id=diary or DiaryId(an_id()),
        author=author or _owner_of(diary),
        edited_by=edited_by,
        title=title,
        content=content,
        tags=tags,
        injection_risk=injection_risk,
        importance=importance,
        entry_type=entry_type,
        superseded_by=superseded_by,
        occurred_at=occurred_at,
        created_at=at,
        updated_at=at,
    )


def _owner_of(diary: DiaryId | None) -> Author:
    owner = _owners.get(diary) if diary else None
    return Author(id=owner, public_key=_keys[owner]) if owner in _keys else an_author()


def a_vector(*numbers: float) -> Vector:
    """The vector that begins with these numbers and goes on with zeros."""
    return Vector.of([*numbers, *[0.0] * (DIMENSIONS - len(numbers))])


def an_index(
    *words: str, vectors: tuple[Vector, ...] = (), expansion: Expansion | None = None, model: ModelName = MODEL
) -> EntryIndex:
    """The index of a text of these words in this order, with a passage for every vector."""
    positions: defaultdict[Term, list[int]] = defaultdict(list)
    for position, word in enumerate(words, start=1):
        positions[Term(word)].append(position)
    passages = tuple(IndexedPassage(ordinal, ordinal, ordinal + 1, vector) for ordinal, vector in enumerate(vectors))
    return EntryIndex(
        model=model if vectors else None, passages=passages, expansion=expansion, index_terms=dict(positions)
    )


def a_share(
    *,
    diary: DiaryId | None = None,
    agent: AgentId | None = None,
    role: ShareRole = ShareRole.READER,
    status: ShareStatus = ShareStatus.PENDING,
    at: datetime = NOON,
) -> Share:
    """An invitation."""
    return Share(
        id=ShareId(an_id()),
        diary_id=diary or DiaryId(an_id()),
        shared_with=agent or AgentId(an_id()),
        role=role,
        status=status,
        invited_at=at,
        responded_at=None if status is ShareStatus.PENDING else at,
    )


def a_voucher(*, issuer: AgentId | None = None, at: datetime = NOON, lifetime: timedelta = VOUCHER_LIFETIME) -> Voucher:
    """An open voucher."""
    return Voucher(
        id=VoucherId(an_id()),
        code=_digest("voucher").hex(),
        issuer_id=issuer or AgentId(an_id()),
        expires_at=at + lifetime,
        created_at=at,
    )


def a_signing_request(
    *,
    agent: AgentId | None = None,
    message: str = "What is said",
    nonce: UUID | None = None,
    at: datetime = NOON,
    lifetime: timedelta = SIGNING_LIFETIME,
) -> SigningRequest:
    """A pending request."""
    return SigningRequest(
        id=SigningRequestId(an_id()),
        agent_id=agent or AgentId(an_id()),
        message=message,
        nonce=nonce or an_id(),
        created_at=at,
        expires_at=at + lifetime,
    )


def a_keyed_request(
    *, agent: AgentId | None = None, operation: str = "POST /things", key: str = "key", fingerprint: bytes = b"asked"
) -> IdempotentRequest:
    """A request that is to be carried out once."""
    return IdempotentRequest(agent_id=agent or AgentId(an_id()), operation=operation, key=key, fingerprint=fingerprint)


def a_recovery_code(
    *, flow: str | None = None, code: str = "12345678", agent: AgentId | None = None, at: datetime = NOON
) -> RecoveryCode:
    """A fresh code in a flow of its own."""
    return RecoveryCode(
        flow=flow or str(an_id()),
        code_hash=hash_secret(code),
        agent_id=agent or AgentId(an_id()),
        expires_at=at + CODE_LIFETIME,
    )


def a_signing_key(*, at: datetime = NOON) -> SigningKey:
    """A sealed key of the token issuer's, that opens nothing."""
    return SigningKey(kid=str(an_id()), sealed=_digest("sealed"), created_at=at)


def _digest(of: str) -> bytes:
    return hashlib.sha256(f"{of} {next(NUMBERS)}".encode()).digest()
