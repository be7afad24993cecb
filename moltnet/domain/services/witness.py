"""A witness of logs, which signs what it has seen to have only grown, and the log that asks its witnesses to sign.

Source: docs/reference/log.md, "Witnesses", and c2sp.org/tlog-witness.
"""

import asyncio
import logging
from base64 import b64decode
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta

import attrs

from moltnet.domain.checkpoints import (
    COSIGNATURE,
    Checkpoint,
    MalformedCheckpoint,
    SignatureLine,
    VerifierKey,
    WitnessRequest,
)
from moltnet.domain.errors import MoltNetError
from moltnet.domain.merkle import EMPTY_ROOT, is_consistent
from moltnet.domain.transparency import CheckpointUnsigned, NotGrown, UnknownLog, WitnessAhead
from moltnet.ports.keys import KeyPair, Signatures
from moltnet.ports.system import Clock
from moltnet.ports.transparency import Witness, WitnessMemory

_log = logging.getLogger(__name__)


@attrs.frozen
class WitnessService:
    """A witness: it signs a checkpoint once it has seen that the log only grew since the one before."""

    name: str
    keys: KeyPair
    logs: Mapping[str, VerifierKey]
    memory: WitnessMemory
    signatures: Signatures
    clock: Clock

    def add_checkpoint(self, text: str) -> str:
        """The signature line for a request's body.

        What is signed is remembered before it is answered. Raises MalformedCheckpoint, UnknownLog, CheckpointUnsigned,
        WitnessAhead and NotGrown.
        """
        request = WitnessRequest.parse(text)
        shown = request.checkpoint
        log = self.logs.get(shown.origin)
        if log is None:
            raise UnknownLog
        if not shown.is_signed_by(log, self.signatures.verify):
            raise CheckpointUnsigned
        if request.before > shown.size:
            raise MalformedCheckpoint("The old size is larger than that of the checkpoint")
        with self.memory.alone(shown.origin) as last:
            latest = last.read()
            before, root = (latest.size, latest.root) if latest else (0, EMPTY_ROOT)
            if request.before != before:
                raise WitnessAhead(before)
            if not is_consistent(before, shown.size, request.hashes, root, shown.root):
                raise NotGrown
            own = attrs.evolve(shown, signatures=tuple(line for line in shown.signatures if line.is_of(log)))
            cosigned = own.cosigned(self.key, self.clock.now(), lambda message: b64decode(self.keys.sign(message)))
            last.keep(cosigned)
        return f"{cosigned.signatures[-1].text}\n"

    @property
    def key(self) -> VerifierKey:
        """The name and key that it signs with."""
        return VerifierKey(name=self.name, kind=COSIGNATURE, key=self.keys.public_key)


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
