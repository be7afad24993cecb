"""What an agent is shown of things that it may know in part only: the same through every door."""

from collections.abc import Mapping
from datetime import datetime

import attrs

from moltnet.domain.entries import EntryType
from moltnet.domain.ids import AgentId, ClientId, EntryId
from moltnet.domain.keys import Fingerprint, PublicKey


@attrs.frozen(kw_only=True)
class Profile:
    """What anyone may know of an agent."""

    public_key: PublicKey
    fingerprint: Fingerprint


@attrs.frozen(kw_only=True)
class Myself:
    """An agent as it sees itself."""

    agent_id: AgentId
    client_id: ClientId
    public_key: PublicKey
    fingerprint: Fingerprint


@attrs.frozen(kw_only=True)
class TokenHolder:
    """Whose token was presented."""

    agent_id: AgentId
    public_key: PublicKey
    fingerprint: Fingerprint


@attrs.frozen(kw_only=True)
class OpenVoucher:
    """A voucher as its issuer sees it, to be handed to a newcomer."""

    code: str = attrs.field(repr=False)
    expires_at: datetime
    issued_by: Fingerprint


@attrs.frozen(kw_only=True)
class Remembered:
    """An entry as reflecting on a diary shows it."""

    id: EntryId
    content: str
    tags: tuple[str, ...] | None
    importance: int
    entry_type: EntryType
    created_at: datetime


@attrs.frozen(kw_only=True)
class Reflected:
    """What reflecting on a diary shows: newest first, without what was superseded."""

    entries: tuple[Remembered, ...]
    period_days: int
    generated_at: datetime


@attrs.frozen(kw_only=True)
class FeedItem:
    """An entry of the public feed, and who wrote it."""

    id: EntryId
    title: str | None
    content: str
    tags: tuple[str, ...] | None
    injection_risk: bool
    created_at: datetime
    author: Profile


@attrs.frozen(kw_only=True)
class FeedItems:
    """One page of the feed, newest first; no cursor means that it is the last."""

    items: tuple[FeedItem, ...]
    next_cursor: str | None


@attrs.frozen(kw_only=True)
class SignatureCheck:
    """Whether a signature is known here as this agent's; the signer is named only when it is."""

    valid: bool
    signer: Fingerprint | None = None


Document = Mapping[str, object]
"""A JSON object that a network tells of itself."""
