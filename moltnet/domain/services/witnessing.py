"""The witnesses of a network's log: asked for their signatures before a checkpoint is shown.

Source: docs/reference/log.md, "Witnesses".
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

import attrs

from moltnet.domain.checkpoints import Checkpoint, MalformedCheckpoint, SignatureLine, VerifierKey, WitnessRequest
from moltnet.domain.errors import MoltNetError
from moltnet.domain.transparency import WitnessAhead
from moltnet.ports.keys import Signatures
from moltnet.ports.system import Clock
from moltnet.ports.transparency import Witness

_log = logging.getLogger(__name__)

WITHIN_S = 4.0
ATTEMPTS = 3
ASKED_AGAIN_AFTER = timedelta(seconds=60)

# The hashes that prove that the tree of the second size begins with that of the first.
Growth = Callable[[int, int], Awaitable[tuple[bytes, ...]]]


@attrs.define
class Witnessing:
    """Has checkpoints signed by the witnesses of a network; one that does not answer in time is left out."""

    witnesses: Sequence[Witness]
    signatures: Signatures
    clock: Clock
    within_s: float = WITHIN_S
    _sizes: dict[str, int] = attrs.field(factory=dict, init=False)
    _asked_at: datetime | None = attrs.field(default=None, init=False)

    def is_wanting(self, checkpoint: Checkpoint) -> bool:
        """Whether a witness has not signed, and is to be asked again."""
        is_late = self._asked_at is None or self.clock.now() >= self._asked_at + ASKED_AGAIN_AFTER
        return is_late and not all(self._has_signed(checkpoint, each.key) for each in self.witnesses)

    async def cosigned(self, checkpoint: Checkpoint, growth: Growth) -> Checkpoint:
        """The checkpoint with the signatures of those witnesses that answer."""
        self._asked_at = self.clock.now()
        asked = [each for each in self.witnesses if not self._has_signed(checkpoint, each.key)]
        for line in await asyncio.gather(*(self._asked(each, checkpoint, growth) for each in asked)):
            if line is not None:
                checkpoint = checkpoint.adding(line)
        return checkpoint

    async def _asked(self, witness: Witness, checkpoint: Checkpoint, growth: Growth) -> SignatureLine | None:
        try:
            async with asyncio.timeout(self.within_s):
                return await self._line(witness, checkpoint, growth)
        except (TimeoutError, MoltNetError) as failure:
            _log.warning("the witness %s has not signed the open log: %r", witness.key.name, failure)
            return None

    async def _line(self, witness: Witness, checkpoint: Checkpoint, growth: Growth) -> SignatureLine:
        for _ in range(ATTEMPTS):
            before = self._sizes.get(witness.key.name, 0)
            if before > checkpoint.size:
                break
            hashes = await growth(before, checkpoint.size)
            request = WitnessRequest(before=before, hashes=hashes, checkpoint=checkpoint)
            try:
                line = await witness.add_checkpoint(request)
            except WitnessAhead as ahead:
                self._sizes[witness.key.name] = ahead.size
                continue
            if not checkpoint.adding(line).is_signed_by(witness.key, self.signatures.verify):
                raise MalformedCheckpoint("Its signature is not good")
            self._sizes[witness.key.name] = checkpoint.size
            return line
        raise WitnessAhead(self._sizes.get(witness.key.name, 0))

    def _has_signed(self, checkpoint: Checkpoint, key: VerifierKey) -> bool:
        return checkpoint.is_signed_by(key, self.signatures.verify)
