"""A lost key: another one waits for its place, and takes it unless somebody who should know objects in time.

A statement is JSON in canonical form (RFC 8785) that the new key signs; docs/reference/signatures.md, "A lost key", has
the bytes.
"""

from datetime import datetime, timedelta

import attrs

from moltnet.domain.challenges import NetworkAddress
from moltnet.domain.errors import Conflict, Forbidden, NotFound
from moltnet.domain.ids import AgentId
from moltnet.domain.key_changes import (
    STATEMENT_TOLERANCE,
    KeyChange,
    SignedStatement,
    Statement,
    StatementRefused,
)
from moltnet.domain.keys import PublicKey
from moltnet.domain.records import signed_bytes, time_text

LOST_KEY_TYPE = "application/vnd.moltnet.key-lost.v1+json"
WAITING_DAYS = 7
WAITING_DAYS_MIN = 1
WAITING_DAYS_MAX = 90
# A statement goes from the agent to its voucher by some other way, as a voucher's code does the other way round.
STATEMENT_LIFETIME = timedelta(hours=24)
# After the waiting time, how long the new key may still take the place: what is forgotten does not stay a danger.
COMPLETED_WITHIN = timedelta(days=30)
VETO_GENERATIONS = 16
"""How far up the vouches that led to an agent those stand who may object."""


class LostKeyNotSigned(Forbidden):
    """A statement of a lost key without the good signature of the new one."""

    code = "LOST_KEY_NOT_SIGNED"
    sentence = "A statement of a lost key must be signed by the key that takes its place"


class LostKeyOfAnother(Forbidden):
    """Somebody asks or objects who has no say for the agent."""

    code = "LOST_KEY_OF_ANOTHER"
    sentence = "Only the agent and who vouched for it have a say when its key is lost"


class LostKeyOpen(Conflict):
    """Another key waits for the agent's place already."""

    code = "LOST_KEY_OPEN"
    sentence = "Another key waits for this agent's place already: veto that one first, or let it have its time"


class LostKeyNotFound(NotFound):
    """No key with this fingerprint waits, or waited lately."""

    code = "LOST_KEY_NOT_FOUND"
    sentence = "No key with this fingerprint waits for an agent's place"


class LostKeyOver(Conflict):
    """The new key waits no more: it has the place, it was vetoed, or its time is over."""

    code = "LOST_KEY_OVER"
    sentence = "The key waits no more: it has taken the place, it was vetoed, or its time is over"


class LostKeyWaits(Conflict):
    """The new key was proven before its waiting time was over."""

    code = "LOST_KEY_WAITS"

    def __init__(self, due_at: datetime) -> None:
        self.due_at = due_at
        super().__init__(f"The key takes its agent's place no earlier than {time_text(due_at)}: recover with it then")


@attrs.frozen(kw_only=True)
class LostKeyStatement(Statement):
    """That a key is lost, and which is to take its place."""

    kind = "key-lost"

    @property
    def signing_input(self) -> bytes:
        """The bytes that its signature covers."""
        return signed_bytes(self.payload, LOST_KEY_TYPE)

    def check(self, network: NetworkAddress, at: datetime) -> None:
        """Raises StatementRefused unless it holds here and now."""
        if self.network != network.text:
            raise StatementRefused(f"The statement is for another network than {network.text}")
        if not -STATEMENT_TOLERANCE <= at - self.created_at <= STATEMENT_LIFETIME:
            raise StatementRefused("createdAt is not of the last 24 hours: make another statement, or set your clock")
        if self.key == self.former:
            raise StatementRefused("The new key is the one that was lost")


@attrs.frozen(kw_only=True)
class LostKey:
    """A key that waits for the place of a lost one; open until it has it, is vetoed or has expired."""

    agent_id: AgentId
    former: PublicKey
    key: PublicKey
    payload: bytes
    signature: bytes
    asked_by: AgentId
    asked_at: datetime
    due_at: datetime
    expires_at: datetime
    ended_at: datetime | None = None

    @classmethod
    def reported(  # noqa: PLR0913  # what is said, of whom, by whom, when
        cls,
        statement: LostKeyStatement,
        signature: bytes,
        *,
        agent_id: AgentId,
        asked_by: AgentId,
        at: datetime,
        waiting: timedelta,
    ) -> "LostKey":
        """The key of a statement, which begins to wait."""
        return cls(
            agent_id=agent_id,
            former=statement.former,
            key=statement.key,
            payload=statement.payload,
            signature=signature,
            asked_by=asked_by,
            asked_at=at,
            due_at=at + waiting,
            expires_at=at + waiting + COMPLETED_WITHIN,
        )

    def is_open(self, at: datetime) -> bool:
        """Whether it may still take the place."""
        return self.ended_at is None and at < self.expires_at

    def change(self, at: datetime) -> KeyChange:
        """The change that it waits for; raises LostKeyWaits before its time."""
        if at < self.due_at:
            raise LostKeyWaits(self.due_at)
        statement = SignedStatement(payload=self.payload, former_signature=None, signature=self.signature)
        return KeyChange(agent_id=self.agent_id, former=self.former, key=self.key, at=at, statement=statement)
