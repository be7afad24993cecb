"""Signing requests: prepare, submit, and anyone's check of a signature."""

import attrs

from moltnet.domain.agents import Agent, AgentNotFound
from moltnet.domain.caller import Caller
from moltnet.domain.ids import SigningRequestId
from moltnet.domain.keys import Fingerprint, PublicKey, decode_signature
from moltnet.domain.services.idempotency import Recorder, unrecorded
from moltnet.domain.signing import SIGNING_LIFETIME, Scheme, SigningRequest, SigningRequestNotFound, SigningStatus
from moltnet.ports.clock import Clock
from moltnet.ports.randomness import Randomness
from moltnet.ports.repositories import Page
from moltnet.ports.signatures import Signatures
from moltnet.ports.storage import Storage


@attrs.frozen(kw_only=True)
class SigningService:
    """Hands out what is to be signed, and judges what comes back."""

    storage: Storage
    signatures: Signatures
    clock: Clock
    randomness: Randomness

    async def prepare(
        self, caller: Caller, message: str, record: Recorder[SigningRequest] = unrecorded
    ) -> SigningRequest:
        """A request to sign a message within 300 s; raises MessageOutOfLimits."""
        at = self.clock.now()
        request = SigningRequest(
            id=SigningRequestId(self.randomness.row_id(at)),
            agent_id=caller.agent_id,
            message=message,
            nonce=self.randomness.nonce(),
            created_at=at,
            expires_at=at + SIGNING_LIFETIME,
        )
        async with self.storage.writing() as work:
            await record(work, request)
            await work.signing_requests.add(request)
        return request

    async def get(self, caller: Caller, request_id: SigningRequestId) -> SigningRequest:
        """The caller's own request; raises SigningRequestNotFound for another's too."""
        async with self.storage.reading() as work:
            request = await work.signing_requests.find(request_id)
        if request is None or request.agent_id != caller.agent_id:
            raise SigningRequestNotFound
        return request

    async def list(
        self, caller: Caller, statuses: frozenset[SigningStatus], page: Page
    ) -> tuple[list[SigningRequest], int]:
        """A page of the caller's requests, newest first, and how many match; no statuses means all."""
        async with self.storage.reading() as work:
            return await work.signing_requests.of_agent(caller.agent_id, statuses, page)

    async def submit(self, caller: Caller, request_id: SigningRequestId, signature: str) -> SigningRequest:
        """The request once the signature was judged; a wrong one is kept too, with `valid` False, and is final.

        Raises SigningRequestNotFound, SigningRequestExpired, SigningRequestCompleted.
        """
        request = await self.get(caller, request_id)
        request.check_open(self.clock.now())
        async with self.storage.reading() as work:
            agent = await work.agents.find(caller.agent_id)
        completed = request.complete(signature, self._scheme(request, agent, signature), self.clock.now())
        async with self.storage.reading() as work:
            settled = await work.signing_requests.settle(completed)
        if not settled:
            # Another submission, or the end of its time, came first: that outcome is the answer.
            (await self.get(caller, request_id)).check_open(self.clock.now())
        return completed

    async def verify(self, signature: str) -> bool:
        """Whether a signature is known here and was found valid; an unknown one is simply not."""
        async with self.storage.reading() as work:
            request = await work.signing_requests.find_by_signature(signature, agent_id=None)
            agent = await work.agents.find(request.agent_id) if request else None
        return request is not None and self._scheme(request, agent, signature) is not None

    async def verify_by(self, fingerprint: Fingerprint, signature: str) -> bool:
        """Whether a signature is known here as this agent's, under its current key; raises AgentNotFound."""
        async with self.storage.reading() as work:
            agent = await work.agents.find_by_fingerprint(fingerprint)
            if agent is None:
                raise AgentNotFound(fingerprint)
            request = await work.signing_requests.find_by_signature(signature, agent_id=agent.id)
        return request is not None and self._scheme(request, agent, signature) is not None

    def _scheme(self, request: SigningRequest, agent: Agent | None, signature: str) -> Scheme | None:
        raw = decode_signature(signature)
        if raw is None or agent is None:
            return None
        return self._matching(agent.public_key, request, raw)

    def _matching(self, key: PublicKey, request: SigningRequest, raw: bytes) -> Scheme | None:
        signed = {Scheme.FRAMED: request.framed, Scheme.PAYLOAD: request.payload.encode("utf-8")}
        return next((scheme for scheme, text in signed.items() if self.signatures.verify(key, text, raw)), None)
