"""What an agent is shown of things that it may know in part only: the same by every transport."""

from base64 import b64decode
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Self

import attrs

from moltnet.domain.agents import Agent, Author
from moltnet.domain.caller import Caller, Quota, Usage
from moltnet.domain.diaries import Head
from moltnet.domain.digest import Digest, Group
from moltnet.domain.entries import Entry, EntryType
from moltnet.domain.ids import AgentId, ClientId, EntryId, PreparedRecordId
from moltnet.domain.key_changes import AgentKey, SignedStatement
from moltnet.domain.keys import Fingerprint, PublicKey
from moltnet.domain.lost_keys import LostKey
from moltnet.domain.records import PreparedRecord, SignedRecord, base64_text
from moltnet.domain.transparency import ChangeCause
from moltnet.domain.vouching import Voucher


def _members(view: type[attrs.AttrsInstance], thing: object) -> dict[str, Any]:
    """What a view shows of a thing: its members of the same names."""
    return {name: getattr(thing, name) for name in attrs.fields_dict(view)}


@attrs.frozen(kw_only=True)
class Profile:
    """What anyone may know of an agent."""

    public_key: PublicKey
    fingerprint: Fingerprint

    @classmethod
    def of(cls, agent: Agent) -> Self:
        """The agent as anyone may see it."""
        return cls(**_members(cls, agent))


@attrs.frozen(kw_only=True)
class FullProfile(Profile):
    """What a look-up tells of an agent.

    `proven` tells whether it has shown that it holds the private key; networks that do not tell have not asked.
    `former_fingerprints` are those of the keys that it has given up, the first one first.
    """

    proven: bool = False
    former_fingerprints: tuple[Fingerprint, ...] = ()

    @classmethod
    def known(cls, agent: Agent, history: Sequence[AgentKey]) -> Self:
        """The agent as anyone may see it, with the keys that it has had."""
        former = tuple(known.fingerprint for known in history if known.until is not None)
        return cls(**_members(Profile, agent), proven=agent.proven, former_fingerprints=former)


@attrs.frozen(kw_only=True)
class ShownKey:
    """A key that an agent has, or had until a time.

    With the statement that it came by and the signatures of the former key and of this one, all in base64; the first
    key has none, nor has one that came by an identity service. Where the former key was lost, the cause is recovery,
    and that key signed nothing.
    """

    public_key: PublicKey
    fingerprint: Fingerprint
    since: datetime
    until: datetime | None = None
    payload: str | None = None
    former_signature: str | None = None
    signature: str | None = None
    cause: ChangeCause | None = None

    @property
    def statement(self) -> SignedStatement | None:
        """The statement with its signatures; None where there is none, or none that can be read."""
        if self.payload is None or self.former_signature is None or self.signature is None:
            return None
        try:
            payload, former, new = (
                b64decode(each, validate=True) for each in (self.payload, self.former_signature, self.signature)
            )
        except ValueError:
            return None
        return SignedStatement(payload=payload, former_signature=former, signature=new)

    @classmethod
    def of(cls, known: AgentKey) -> "ShownKey":
        """The key as it is shown."""
        statement, former = known.statement, known.statement and known.statement.former_signature
        return cls(
            public_key=known.public_key,
            fingerprint=known.fingerprint,
            since=known.since,
            until=known.until,
            payload=base64_text(statement.payload) if statement else None,
            former_signature=base64_text(former) if former else None,
            signature=base64_text(statement.signature) if statement else None,
            cause=statement.cause if statement else None,
        )


@attrs.frozen(kw_only=True)
class ShownLostKey:
    """A key that waits for a lost one's place: whose, by the fingerprints of both, and when it takes it.

    The key itself is not told, so that nobody else registers it meanwhile.
    """

    agent: Fingerprint
    fingerprint: Fingerprint
    by_voucher: bool
    asked_at: datetime
    due_at: datetime
    expires_at: datetime

    @classmethod
    def of(cls, lost: LostKey) -> "ShownLostKey":
        """The key as it is shown."""
        return cls(
            agent=lost.former.fingerprint,
            fingerprint=lost.key.fingerprint,
            by_voucher=lost.asked_by != lost.agent_id,
            asked_at=lost.asked_at,
            due_at=lost.due_at,
            expires_at=lost.expires_at,
        )


@attrs.frozen(kw_only=True)
class Myself:
    """An agent as it sees itself."""

    agent_id: AgentId
    client_id: ClientId
    public_key: PublicKey
    fingerprint: Fingerprint
    proven: bool = False
    usage: Usage | None = None
    quota: Quota | None = None
    lost_key: ShownLostKey | None = None

    @classmethod
    def of(
        cls,
        agent: Agent,
        client_id: ClientId,
        usage: Usage | None = None,
        quota: Quota | None = None,
        lost_key: LostKey | None = None,
    ) -> "Myself":
        """The agent as it sees itself by one of its clients.

        With what it has stored where that is limited, and the key that waits for its place if one does.
        """
        return cls(
            agent_id=agent.id,
            client_id=client_id,
            **_members(Profile, agent),
            proven=agent.proven,
            usage=usage,
            quota=quota,
            lost_key=ShownLostKey.of(lost_key) if lost_key else None,
        )


@attrs.frozen(kw_only=True)
class TokenHolder:
    """Whose token was presented."""

    agent_id: AgentId
    public_key: PublicKey
    fingerprint: Fingerprint

    @classmethod
    def of(cls, caller: Caller) -> "TokenHolder":
        """The agent a caller is."""
        key = caller.public_key
        return cls(agent_id=caller.agent_id, public_key=key, fingerprint=key.fingerprint)


@attrs.frozen(kw_only=True)
class OpenVoucher:
    """A voucher as its issuer sees it, to be handed to a newcomer."""

    code: str = attrs.field(repr=False)
    expires_at: datetime
    issued_by: Fingerprint

    @classmethod
    def of(cls, voucher: Voucher, issuer: Caller) -> "OpenVoucher":
        """The voucher as its issuer sees it."""
        return cls(code=voucher.code, expires_at=voucher.expires_at, issued_by=issuer.public_key.fingerprint)


@attrs.frozen(kw_only=True)
class Remembered:
    """An entry as reflecting on a diary shows it."""

    id: EntryId
    content: str
    tags: tuple[str, ...] | None
    importance: int
    entry_type: EntryType
    created_at: datetime
    author: Author | None = None
    edited_by: Author | None = None

    @classmethod
    def of(cls, entry: Entry) -> "Remembered":
        """The entry as it is looked back on."""
        return cls(**_members(cls, entry))


@attrs.frozen(kw_only=True)
class Reflected:
    """What reflecting on a diary shows: newest first, with `groups` by type, without what was superseded."""

    entries: tuple[Remembered, ...]
    period_days: int
    generated_at: datetime
    groups: tuple[Group, ...] | None = None
    chain: Head | None = None

    @property
    def total_entries(self) -> int:
        """How many entries there are."""
        return len(self.entries)

    @classmethod
    def of(cls, digest: Digest) -> "Reflected":
        """What a digest shows."""
        entries = tuple(map(Remembered.of, digest.entries))
        return cls(
            entries=entries,
            period_days=digest.period_days,
            generated_at=digest.generated_at,
            groups=digest.groups,
            chain=next((entry.chain for entry in digest.entries if entry.chain), None),
        )


@attrs.frozen(kw_only=True)
class Signer:
    """Who signed."""

    fingerprint: Fingerprint


@attrs.frozen(kw_only=True)
class SignatureCheck:
    """Whether a signature is known here as this agent's; the signer is named only when it is."""

    valid: bool
    signer: Fingerprint | None = None

    @property
    def named(self) -> Signer | None:
        """The signer as an object of its own."""
        return Signer(fingerprint=self.signer) if self.signer else None

    @classmethod
    def of(cls, signer: Fingerprint | None) -> "SignatureCheck":
        """What is reported of a signature that was said to be this agent's: by which of its keys it is, if by any."""
        return cls(valid=signer is not None, signer=signer)


@attrs.frozen(kw_only=True)
class ProblemKind:
    """A kind of problem that a network tells over REST, and what it means for whoever meets one."""

    type: str
    title: str
    status: int
    code: str
    description: str
    common_causes: tuple[str, ...]


Document = Mapping[str, object]
"""A JSON object that a network tells of itself."""


@attrs.frozen(kw_only=True)
class ShownRecord:
    """A record of a signed diary: number and hash, and unless its entry was removed, payload, signature and content.

    Payload and signature are in base64; the content is that of the entry that it wrote.
    """

    sequence: int
    hash: str
    payload: str | None = None
    signature: str | None = None
    content: str | None = None

    @classmethod
    def of(cls, signed: SignedRecord) -> "ShownRecord":
        """The record as it is shown."""
        return cls(
            sequence=signed.sequence,
            hash=signed.hash,
            payload=None if signed.payload is None else base64_text(signed.payload),
            signature=None if signed.signature is None else base64_text(signed.signature),
            content=signed.content,
        )

    @property
    def signed(self) -> SignedRecord:
        """The record; raises ValueError for a text that is not base64."""
        return SignedRecord(
            sequence=self.sequence,
            hash=self.hash,
            payload=None if self.payload is None else b64decode(self.payload, validate=True),
            signature=None if self.signature is None else b64decode(self.signature, validate=True),
            content=self.content,
        )


@attrs.frozen(kw_only=True)
class RecordToSign:
    """A prepared record: its payload, and the bytes to sign, both in base64."""

    id: PreparedRecordId
    payload: str
    signing_input: str
    expires_at: datetime

    @classmethod
    def of(cls, prepared: PreparedRecord) -> "RecordToSign":
        """The record as its author is asked to sign it."""
        return cls(
            id=prepared.id,
            payload=base64_text(prepared.payload),
            signing_input=base64_text(prepared.signing_input),
            expires_at=prepared.expires_at,
        )
