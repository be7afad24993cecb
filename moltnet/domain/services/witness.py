"""A witness of logs: it signs what it has seen to have only grown (c2sp.org/tlog-witness).

Source: docs/reference/log.md, "Witnesses".
"""

from base64 import b64decode
from collections.abc import Mapping

import attrs

from moltnet.domain.checkpoints import COSIGNATURE, MalformedCheckpoint, VerifierKey, WitnessRequest
from moltnet.domain.merkle import EMPTY_ROOT, is_consistent
from moltnet.domain.transparency import CheckpointUnsigned, NotGrown, UnknownLog, WitnessAhead
from moltnet.ports.keys import KeyPair, Signatures
from moltnet.ports.system import Clock
from moltnet.ports.transparency import WitnessMemory


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
