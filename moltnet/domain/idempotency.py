"""Requests that are carried out once however often they are sent (draft-ietf-httpapi-idempotency-key-header).

Anyone who asks names the request by a key of its own choice. What was answered is stored as an idempotency record,
together with what the request changed; the same request again gets that answer, another request under the same key is
refused.
"""

import re
from datetime import datetime, timedelta

import attrs

from moltnet.domain.errors import Conflict, Invalid
from moltnet.domain.ids import AgentId

KEY_MAX = 255
IDEMPOTENCY_RECORD_LIFETIME = timedelta(hours=24)

_KEY = re.compile(rf"[\x21-\x7e]{{1,{KEY_MAX}}}")


class MalformedIdempotencyKey(Invalid):
    """A key is short and can be seen: nothing in it depends on how it is written down."""

    code = "MALFORMED_IDEMPOTENCY_KEY"
    sentence = f"Idempotency-Key must be one text of 1 to {KEY_MAX} visible ASCII characters"


class IdempotencyKeyReused(Invalid):
    """The key names another request of the caller's, which was carried out; this one was not."""

    code = "IDEMPOTENCY_KEY_REUSED"
    sentence = "This Idempotency-Key was used for another request; use a new key, or repeat that request unchanged"


class AlreadyCarriedOut(Conflict):
    """The same request was carried out at the same moment; this time nothing was."""

    code = "ALREADY_CARRIED_OUT"
    sentence = "The same request was carried out at the same moment; repeat it to get its answer"


def check_key(key: str) -> None:
    """Raises MalformedIdempotencyKey for a text that is not a key."""
    if not _KEY.fullmatch(key):
        raise MalformedIdempotencyKey


@attrs.frozen(kw_only=True)
class IdempotentRequest:
    """A request that is to be carried out once.

    `fingerprint` stands for everything it asks of its operation. Keys of different agents, or of one agent for
    different operations, have nothing to do with one another.
    """

    agent_id: AgentId
    operation: str
    key: str = attrs.field()
    fingerprint: bytes

    @key.validator
    def _well_formed(self, _: object, key: str) -> None:
        check_key(key)


@attrs.frozen(kw_only=True)
class IdempotencyRecord:
    """That a request was carried out, and its answer, as the transport rendered it."""

    request: IdempotentRequest
    answer: bytes = attrs.field(repr=False)
    created_at: datetime
    expires_at: datetime

    @classmethod
    def of(
        cls,
        request: IdempotentRequest,
        answer: bytes,
        at: datetime,
        lifetime: timedelta = IDEMPOTENCY_RECORD_LIFETIME,
    ) -> "IdempotencyRecord":
        """The idempotency record of a request that is being carried out."""
        return cls(request=request, answer=answer, created_at=at, expires_at=at + lifetime)

    def answer_to(self, request: IdempotentRequest) -> bytes:
        """The answer to the same request; raises IdempotencyKeyReused for another under the same key."""
        if request.fingerprint != self.request.fingerprint:
            raise IdempotencyKeyReused
        return self.answer
