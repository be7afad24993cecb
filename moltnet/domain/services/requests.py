"""What becomes of requests on every transport: counting them, and carrying one out once, however often it is sent.

A use case that creates something takes a `record`, and calls it with what it is about to create as the first write of
its transaction. So the idempotency record exists exactly when the thing does: there is no moment at which one is
stored and the other is not, and of several attempts at once the store lets one through.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeAlias, TypeVar

import attrs

from moltnet.domain.caller import Allowance, AllowanceUsedUp, Anonymous, Caller, Limits, Tier, asker_of, bucket_of
from moltnet.domain.errors import MoltNetError
from moltnet.domain.idempotency import (
    IDEMPOTENCY_RECORD_LIFETIME,
    AlreadyCarriedOut,
    IdempotencyRecord,
    IdempotentRequest,
)
from moltnet.domain.outbox import RelationsPending
from moltnet.ports.requests import RateLimits
from moltnet.ports.storage import Storage, UnitOfWork
from moltnet.ports.system import Clock


@attrs.frozen(kw_only=True)
class ThrottlingService:
    """Says whether an asker may continue."""

    counts: RateLimits
    limits: Limits

    async def count(self, tier: Tier, act: str, caller: Caller | Anonymous, address: str) -> Allowance:
        """The asker's allowance after one more act; raises Unavailable."""
        limit = self.limits.per_minute(tier, caller)
        return await self.counts.hit(bucket_of(tier, act), asker_of(caller, address), limit)

    async def count_passages(self, asker: str, passages: int) -> None:
        """Counts passages that are about to be embedded for an asker; raises AllowanceUsedUp and Unavailable."""
        bucket = bucket_of(Tier.EMBEDDING, "passages")
        allowance = await self.counts.hit(bucket, asker, self.limits.passages, passages)
        if not allowance.allowed:
            raise AllowanceUsedUp(allowance.reset_s)


Result = TypeVar("Result")
SaveResponse: TypeAlias = Callable[[UnitOfWork, Result], Awaitable[None]]


async def unrecorded(_work: UnitOfWork, _result: object) -> None:
    """Keeps nothing: for a request that may be carried out again."""


@attrs.frozen
class IdempotentOutcome:
    """The answer to a request, and whether it was given before."""

    answer: bytes
    repeated: bool


@attrs.frozen(kw_only=True)
class IdempotencyService:
    """Stores answers, and returns them to repetitions."""

    storage: Storage
    clock: Clock
    lifetime: timedelta = IDEMPOTENCY_RECORD_LIFETIME

    async def once(
        self,
        request: IdempotentRequest,
        carry_out: Callable[[SaveResponse[Result]], Awaitable[Result]],
        answer_of: Callable[[Result], bytes],
    ) -> IdempotentOutcome:
        """The answer to a request, which is carried out unless it was; raises IdempotencyKeyReused.

        What it raises itself is raised here, and leaves no idempotency record: under the same key it may be tried
        again, corrected if need be.
        """
        answer = await self._answer(request)
        if answer is not None:
            return IdempotentOutcome(answer, repeated=True)
        try:
            result = await carry_out(self._response_saver(request, answer_of))
        except RelationsPending:
            raise  # It was carried out and is recorded, but does not hold where permissions live: that is told first.
        except MoltNetError:
            # Another attempt may have come first and be what this one stumbled over, or the connection broke after the
            # commit. Whatever it was: where there is an idempotency record, the request was carried out, and this is
            # its answer.
            answer = await self._answer(request)
            if answer is None:
                raise
            return IdempotentOutcome(answer, repeated=True)
        return IdempotentOutcome(answer_of(result), repeated=False)

    async def _answer(self, request: IdempotentRequest) -> bytes | None:
        async with self.storage.autocommit() as work:
            record = await work.idempotency_records.find(request, self.clock.now())
        return record.answer_to(request) if record else None

    def _response_saver(self, request: IdempotentRequest, answer_of: Callable[[Result], bytes]) -> SaveResponse[Result]:
        async def record(work: UnitOfWork, result: Result) -> None:
            if not await work.idempotency_records.add(
                IdempotencyRecord.of(request, answer_of(result), self.clock.now(), self.lifetime)
            ):
                raise AlreadyCarriedOut

        return record
