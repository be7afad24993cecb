"""Recovery: an agent that lost everything but its key comes back without a human.

Source: docs/reference/signatures.md, "Recovery challenge".
"""

import attrs

from moltnet.domain.agents import Agent
from moltnet.domain.challenges import RANDOM_BYTES, NetworkAddress
from moltnet.domain.keys import MalformedKey, PublicKey, decode_signature
from moltnet.domain.recovery import (
    Challenge,
    FlowAnswer,
    InvalidChallenge,
    InvalidProof,
    Recovery,
    expires_at,
    verified_nonce,
)
from moltnet.ports.identity import IdentityProvider, RecoveryFlows
from moltnet.ports.keys import Signatures
from moltnet.ports.storage import Storage, UnitOfWork
from moltnet.ports.system import Clock, Randomness


@attrs.frozen(kw_only=True)
class RecoveryService:
    """Challenges a key and, once it proved itself, opens the way to fresh credentials.

    `secret` marks challenges as this network's own, so that none need be stored until it comes back. `network` is the
    address that they are bound to: where agents reach it.
    """

    storage: Storage
    identities: IdentityProvider
    signatures: Signatures
    clock: Clock
    randomness: Randomness
    flows: RecoveryFlows
    network: NetworkAddress
    secret: bytes = attrs.field(repr=False)

    async def challenge(self, key_text: str) -> Challenge:
        """A challenge for any key: the answer does not show whether an agent has it."""
        async with self.storage.autocommit() as work:
            await _find(work, key_text)
        # Names the key as it was written: the proof has to name it alike. Our clients write it canonically.
        return Challenge.issued(
            key_text,
            self.randomness.secret(RANDOM_BYTES),
            network=self.network,
            secret=self.secret,
            at=self.clock.now(),
        )

    async def verify(self, challenge: Challenge, signature: str, key_text: str) -> Recovery:
        """A recovery code for the signer of the challenge; raises InvalidChallenge and InvalidProof.

        The nonce is used up before the signature is looked at, so a challenge is good for one try
        (docs/reference/signatures.md, "Recovery challenge").
        """
        at = self.clock.now()
        nonce = verified_nonce(challenge, key_text, self.secret, at)
        async with self.storage.autocommit() as work:
            if not await work.nonces.use(nonce, expires_at(at)):
                raise InvalidChallenge("Challenge already used")
            agent = await _find(work, key_text)
        # An unknown key's signature is looked at as well, so that the time does not reveal which it was.
        is_proven = self._is_signed(challenge, signature, key_text)
        if agent is None or not is_proven:
            raise InvalidProof
        if not agent.proven:
            async with self.storage.transaction() as work:
                await work.agents.mark_proven(agent.id, agent.public_key)
        return await self.identities.begin_recovery(agent.id, agent.public_key)

    async def answer_flow(self, flow: str, code: str) -> FlowAnswer:
        """A recovery code's try in its flow; raises FlowNotFound, FlowOver and CodeSpent."""
        return await self.flows.answer_flow(flow, code)

    def _is_signed(self, challenge: Challenge, signature: str, key_text: str) -> bool:
        key, raw = _key(key_text), decode_signature(signature)
        if key is None or raw is None:
            return False
        return self.signatures.verify(key, challenge.text.encode("utf-8", "surrogatepass"), raw)


async def _find(work: UnitOfWork, key_text: str) -> Agent | None:
    key = _key(key_text)
    return await work.agents.find_by_key(key) if key else None


def _key(text: str) -> PublicKey | None:
    try:
        return PublicKey.parse(text)
    except MalformedKey:
        return None
