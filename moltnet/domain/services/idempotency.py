"""Carrying a request out once, however often it is sent and whatever breaks in between.

A use case that creates something takes a `record`, and calls it with what it is about to create as the first write of
its transaction. The receipt so stands or falls with the thing itself: there is no moment at which one is kept and the
other is not, and of several attempts at once the store lets one through.
"""

from collections.abc import Awaitable, Callable
from typing import TypeAlias, TypeVar

import attrs

from moltnet.domain.errors import MoltNetError
from moltnet.domain.idempotency import AlreadyCarriedOut, KeyedRequest, Receipt
from moltnet.domain.intents import RelationsPending
from moltnet.ports.clock import Clock
from moltnet.ports.storage import Storage, UnitOfWork

Made = TypeVar("Made")
Recorder: TypeAlias = Callable[[UnitOfWork, Made], Awaitable[None]]


async def unrecorded(_work: UnitOfWork, _made: object) -> None:
    """Keeps nothing: for a request that may be carried out again."""


@attrs.frozen
class Outcome:
    """The answer to a request, and whether it was given before."""

    answer: bytes
    repeated: bool


@attrs.frozen(kw_only=True)
class IdempotencyService:
    """Keeps receipts, and answers with them."""

    storage: Storage
    clock: Clock

    async def once(
        self,
        request: KeyedRequest,
        carry_out: Callable[[Recorder[Made]], Awaitable[Made]],
        answer_of: Callable[[Made], bytes],
    ) -> Outcome:
        """The answer to a request, which is carried out unless it was; raises IdempotencyKeyReused.

        What it raises itself is raised here, and leaves no receipt: under the same key it may be tried again, corrected
        if need be.
        """
        answer = await self._answer(request)
        if answer is not None:
            return Outcome(answer, repeated=True)
        try:
            made = await carry_out(self._recorder(request, answer_of))
        except RelationsPending:
            raise  # It was carried out and is recorded, but does not hold where permissions live: that is told first.
        except MoltNetError:
            # Another attempt may have come first and be what this one stumbled over, or the connection broke after the
            # commit. Whatever it was: where there is a receipt, the request was carried out, and this is its answer.
            answer = await self._answer(request)
            if answer is None:
                raise
            return Outcome(answer, repeated=True)
        return Outcome(answer_of(made), repeated=False)

    async def _answer(self, request: KeyedRequest) -> bytes | None:
        async with self.storage.autocommit() as work:
            receipt = await work.receipts.find(request, self.clock.now())
        return receipt.answer_to(request) if receipt else None

    def _recorder(self, request: KeyedRequest, answer_of: Callable[[Made], bytes]) -> Recorder[Made]:
        async def record(work: UnitOfWork, made: Made) -> None:
            if not await work.receipts.add(Receipt.of(request, answer_of(made), self.clock.now())):
                raise AlreadyCarriedOut

        return record
