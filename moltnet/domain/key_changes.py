"""Another key for an agent: a statement that the former key and the new one sign, and which keys an agent has had.

A statement is JSON in canonical form (RFC 8785), signed as records are; docs/reference/signatures.md, "Another key",
has the bytes.
"""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar, Self
from uuid import UUID

import attrs
import rfc8785

from moltnet.domain.caller import Caller
from moltnet.domain.challenges import NetworkAddress
from moltnet.domain.credentials import CLOCK_SKEW, ClientSecret
from moltnet.domain.errors import Conflict, Forbidden, Invalid
from moltnet.domain.ids import AgentId, ClientId
from moltnet.domain.keys import Fingerprint, PublicKey
from moltnet.domain.record_parsing import UNREADABLE
from moltnet.domain.records import signed_bytes, time_text
from moltnet.domain.transparency import ChangeCause

STATEMENT_TYPE = "application/vnd.moltnet.key-change.v1+json"
STATEMENT_MAX = 4096
# How far the time in a statement may be from the network's own.
STATEMENT_TOLERANCE = timedelta(minutes=5)


class MalformedStatement(Invalid):
    """A payload that is no statement in canonical form."""

    code = "MALFORMED_KEY_STATEMENT"
    sentence = "The payload must be a statement of another key in canonical form (docs/reference/signatures.md)"


class StatementRefused(Invalid):
    """A well-formed statement that does not hold here; the sentence says why."""

    code = "KEY_STATEMENT_REFUSED"


class StatementNotSigned(Forbidden):
    """A statement without the good signatures of both keys."""

    code = "KEY_STATEMENT_NOT_SIGNED"
    sentence = "A statement of another key must be signed by the key that the agent has and by the new one"


class KeyMoved(Conflict):
    """The agent has another key by now than the one that the statement ends."""

    code = "KEY_MOVED"
    sentence = "The statement ends a key that is not the agent's present one: it was replaced already"


@attrs.frozen(kw_only=True)
class Statement:
    """That one key is to take another's place, in one network."""

    kind: ClassVar[str]
    network: str
    former: PublicKey
    key: PublicKey
    created_at: datetime

    @classmethod
    def parse(cls, payload: bytes) -> Self:
        """The statement that a payload is; raises MalformedStatement for anything but its one canonical form."""
        try:
            statement = cls(**cls._values(json.loads(payload) if len(payload) <= STATEMENT_MAX else {}))
            is_canonical = statement.payload == payload
        except UNREADABLE:
            raise MalformedStatement from None
        if not is_canonical:
            raise MalformedStatement
        return statement

    @property
    def payload(self) -> bytes:
        """Its canonical form, which is signed."""
        return rfc8785.dumps(self._members)

    @classmethod
    def _values(cls, members: Any) -> dict[str, Any]:
        return {
            "network": members["network"],
            "former": PublicKey.parse(members["from"]),
            "key": PublicKey.parse(members["to"]),
            "created_at": datetime.fromisoformat(members["createdAt"]),
        }

    @property
    def _members(self) -> dict[str, str]:
        return {
            "kind": self.kind,
            "network": self.network,
            "from": self.former.text,
            "to": self.key.text,
            "createdAt": time_text(self.created_at),
        }


@attrs.frozen(kw_only=True)
class KeyStatement(Statement):
    """That an agent gives up one key for another."""

    kind = "key-change"
    agent_id: AgentId

    @classmethod
    def _values(cls, members: Any) -> dict[str, Any]:
        return {**super()._values(members), "agent_id": AgentId(UUID(members["agent"]))}

    @property
    def _members(self) -> dict[str, str]:
        return {**super()._members, "agent": str(self.agent_id)}

    def check(self, caller: Caller, network: NetworkAddress, at: datetime) -> None:
        """Raises StatementRefused unless the caller may state this here and now, and KeyMoved for a former key."""
        if self.network != network.text:
            raise StatementRefused(f"The statement is for another network than {network.text}")
        if self.agent_id != caller.agent_id:
            raise StatementRefused("The statement is about another agent than the caller")
        if abs(at - self.created_at) > STATEMENT_TOLERANCE:
            raise StatementRefused("createdAt is more than 5 minutes from now: sign another one, or set your clock")
        if self.key == self.former:
            raise StatementRefused("The new key is the one that the agent has")
        if self.former != caller.public_key:
            raise KeyMoved


def statement_bytes(payload: bytes) -> bytes:
    """The bytes that the signatures of a statement cover: DSSE's pre-authentication encoding of its payload."""
    return signed_bytes(payload, STATEMENT_TYPE)


@attrs.frozen(kw_only=True)
class SignedStatement:
    """A statement as it was signed, by the key that takes another's place, and by that one unless it was lost."""

    payload: bytes
    former_signature: bytes | None
    signature: bytes

    @property
    def cause(self) -> ChangeCause:
        """Why there is another key: one that was lost has signed nothing."""
        return ChangeCause.RECOVERY if self.former_signature is None else ChangeCause.ROTATION


@attrs.frozen(kw_only=True)
class KeyChange:
    """An agent's key that takes the place of another."""

    agent_id: AgentId
    former: PublicKey
    key: PublicKey
    at: datetime
    statement: SignedStatement


@attrs.frozen(kw_only=True)
class AgentKey:
    """A key that an agent has, or had until a time; `statement` is what it came by, where it was not the first."""

    agent_id: AgentId
    public_key: PublicKey
    since: datetime
    until: datetime | None = None
    statement: SignedStatement | None = None

    @property
    def fingerprint(self) -> Fingerprint:
        """The short name of the key."""
        return self.public_key.fingerprint

    def was_good_at(self, at: datetime) -> bool:
        """Whether the agent had the key at a time; the clocks of a network's hosts may differ a little."""
        return self.since - CLOCK_SKEW <= at and (self.until is None or at < self.until + CLOCK_SKEW)


def keys_at(history: Sequence[AgentKey], at: datetime) -> list[PublicKey]:
    """The keys that an agent had at a time; before all that is known of, the first one."""
    return [each.public_key for each in history if each.was_good_at(at)] or [
        each.public_key for each in history[:1] if at < each.since
    ]


@attrs.frozen(kw_only=True)
class ChangedKey:
    """The key that an agent has now, and its fresh credentials, which are returned this once."""

    public_key: PublicKey
    fingerprint: Fingerprint
    client_id: ClientId
    client_secret: str = attrs.field(repr=False)

    @classmethod
    def of(cls, key: PublicKey, credentials: ClientSecret) -> "ChangedKey":
        """The key with the credentials that came with it."""
        return cls(
            public_key=key,
            fingerprint=key.fingerprint,
            client_id=credentials.client_id,
            client_secret=credentials.secret,
        )

    @property
    def credentials(self) -> ClientSecret:
        """The credentials alone."""
        return ClientSecret(client_id=self.client_id, secret=self.client_secret)
