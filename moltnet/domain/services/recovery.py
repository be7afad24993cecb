"""Recovery: an agent that lost everything but its key comes back without a human.

Source: docs/reference/signatures.md, "Recovery challenge".
"""

from datetime import datetime

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
from moltnet.domain.services.lost_keys import LostKeyService
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
    lost_keys: LostKeyService
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

        A key that waited for a lost one's place takes it here, once its time has come; raises as
        `LostKeyService.complete`. The key that an agent has ends, with this proof of it, what waits for its place.
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
        key = _key(key_text)
        if key is None or not is_proven:
            raise InvalidProof
        if agent is None:
            agent = await self.lost_keys.complete(key)
        else:
            await self._shown(agent, at)
        if agent is None:
            raise InvalidProof
        return await self.identities.begin_recovery(agent.id, agent.public_key)

    async def answer_flow(self, flow: str, code: str) -> FlowAnswer:
        """A recovery code's try in its flow; raises FlowNotFound, FlowOver and CodeSpent."""
        return await self.flows.answer_flow(flow, code)

    async def _shown(self, agent: Agent, at: datetime) -> None:
        """Records that an agent has shown its key, which is not lost then."""
        async with self.storage.autocommit() as work:
            if not agent.proven:
                await work.agents.mark_proven(agent.id, agent.public_key)
            await work.lost_keys.end_of_agent(agent.id, at)

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
