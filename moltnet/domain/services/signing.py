"""Signing requests: a workflow that waits for the signature, prepare and submit, and anyone's check of a signature."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from uuid import UUID

import attrs

from moltnet.domain.agents import Agent, AgentNotFound
from moltnet.domain.caller import Caller
from moltnet.domain.constraints import Page
from moltnet.domain.ids import SigningRequestId
from moltnet.domain.key_changes import AgentKey, keys_at
from moltnet.domain.keys import Fingerprint, PublicKey, decode_signature
from moltnet.domain.services.requests import SaveResponse, unrecorded
from moltnet.domain.signing import (
    SIGNING_LIFETIME,
    Scheme,
    SigningRequest,
    SigningRequestNotFound,
    SigningStatus,
    pasted_forms,
    signing_bytes,
)
from moltnet.ports.keys import Signatures
from moltnet.ports.storage import Storage, together
from moltnet.ports.system import Clock, Randomness
from moltnet.ports.workflows import (
    UNLIMITED_ATTEMPTS,
    Json,
    JsonObject,
    Steps,
    WorkflowNotFound,
    Workflows,
)

REQUEST_SIGNATURE = "requestSignature"
SIGNATURE = "signature"


@attrs.frozen
class Judgement:
    """The key and the scheme by which a signature is valid."""

    key: PublicKey
    scheme: Scheme


@attrs.frozen
class SignatureCheck:
    """What a signature is worth."""

    signatures: Signatures

    def judged(
        self, request: SigningRequest, history: Sequence[AgentKey], signature: str, at: datetime
    ) -> "Judgement | None":
        """By which key and scheme a signature that came in at a time is one of this request; None by none.

        `history` are the keys of the request's agent: a signature is valid by a key that the agent had then.
        """
        raw = decode_signature(signature)
        if raw is None:
            return None
        signed = {Scheme.FRAMED: request.framed, Scheme.PAYLOAD: request.payload.encode("utf-8")}
        return next(
            (
                Judgement(key, scheme)
                for key in keys_at(history, at)
                for scheme, text in signed.items()
                if self.signatures.verify(key, text, raw)
            ),
            None,
        )

    def completed(
        self, request: SigningRequest, history: Sequence[AgentKey], signature: str, at: datetime
    ) -> SigningRequest:
        """A request once a signature that came in at a time was judged; raises as `SigningRequest.complete`."""
        judged = self.judged(request, history, signature, at)
        return request.complete(signature, judged.scheme if judged else None, at)

    def is_by(self, key: PublicKey, message: str, nonce: str, signature: str) -> bool:
        """Whether a signature is a key's over a message that was pasted and its nonce, under either scheme."""
        raw = decode_signature(signature)
        signed = (
            each for text in pasted_forms(message) for each in (signing_bytes(text, nonce), f"{text}.{nonce}".encode())
        )
        return raw is not None and any(self.signatures.verify(key, each, raw) for each in signed)


@attrs.frozen(kw_only=True)
class Signed:
    """Whose signature one is, and since when it is known; whether it is of a message, where that was asked."""

    agent: Agent
    at: datetime
    is_of_message: bool | None


@attrs.frozen(kw_only=True)
class SigningWorkflow:
    """The body of `requestSignature` (docs/reference/signatures.md, "Signing requests")."""

    storage: Storage
    check: SignatureCheck
    clock: Clock

    async def run(self, steps: Steps, argument: JsonObject) -> Json:
        """Waits for the signature as long as the request has time, judges it, and keeps what came of it."""
        request_id = SigningRequestId(UUID(str(argument["request_id"])))
        remaining = datetime.fromisoformat(str(argument["expires_at"])) - self.clock.now()
        submitted = await steps.receive(SIGNATURE, max(remaining.total_seconds(), 0))
        await steps.step("settle", partial(self._complete, request_id, submitted), UNLIMITED_ATTEMPTS)
        return None

    async def _complete(self, request_id: SigningRequestId, submitted: JsonObject | None) -> Json:
        async with self.storage.autocommit() as work:
            request = await work.signing_requests.find(request_id)
            history = await work.keys.of_agent(request.agent_id) if request else []
            # None: it went with its agent. Settled already: by this step, taken again, or by the end of its time.
            if request is not None and request.status is SigningStatus.PENDING:
                await work.signing_requests.complete(self._completed(request, history, submitted))
        return None

    def _completed(
        self, request: SigningRequest, history: Sequence[AgentKey], submitted: JsonObject | None
    ) -> SigningRequest:
        if submitted is None:
            return request.expire(self.clock.now())
        # By the time it came in, not by now: a signature in time is judged even if that takes a restart.
        at = datetime.fromisoformat(str(submitted["at"]))
        return self.check.completed(request, history, str(submitted["signature"]), at)


@attrs.frozen(kw_only=True)
class SigningService:
    """Hands out what is to be signed, and judges what comes back."""

    storage: Storage
    workflows: Workflows
    check: SignatureCheck
    clock: Clock
    randomness: Randomness

    async def prepare(
        self, caller: Caller, message: str, record: SaveResponse[SigningRequest] = unrecorded
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
        async with self.storage.transaction() as work:
            await record(work, request)
            await work.signing_requests.add(request)
        await self._wait_for_signature(request)
        return request

    async def get(self, caller: Caller, request_id: SigningRequestId) -> SigningRequest:
        """The caller's own request; raises SigningRequestNotFound for another's too."""
        async with self.storage.autocommit() as work:
            request = await work.signing_requests.find(request_id)
        if request is None or request.agent_id != caller.agent_id:
            raise SigningRequestNotFound
        return request

    async def list(
        self, caller: Caller, statuses: frozenset[SigningStatus], page: Page
    ) -> tuple[list[SigningRequest], int]:
        """A page of the caller's requests, newest first, and how many match; no statuses means all."""
        async with self.storage.autocommit() as work:
            return await work.signing_requests.of_agent(caller.agent_id, statuses, page)

    async def submit(self, caller: Caller, request_id: SigningRequestId, signature: str) -> SigningRequest:
        """The request once the signature was judged; a wrong one is stored too, with `valid` False, and is final.

        Handed over, it is judged whatever becomes of this process. Raises SigningRequestNotFound,
        SigningRequestExpired, SigningRequestCompleted.
        """
        async with self.storage.snapshot() as work:
            request, history = await together(
                work.signing_requests.find(request_id), work.keys.of_agent(caller.agent_id)
            )
        if request is None or request.agent_id != caller.agent_id:
            raise SigningRequestNotFound
        at = self.clock.now()
        judged = self.check.completed(request, history, signature, at)
        await self._hand_over(request, {"signature": signature, "at": at.isoformat()})
        # As the workflow does it: whichever comes first. Waiting until that has woken up took most of the time.
        async with self.storage.autocommit() as work:
            if await work.signing_requests.complete(judged):
                return judged
        first = await self.get(caller, request_id)
        if first.status is SigningStatus.EXPIRED or first.signature != signature:
            # Another submission, or the end of its time, came first: that outcome is the answer.
            first.check_open(self.clock.now())
        return first

    async def _wait_for_signature(self, request: SigningRequest) -> None:
        argument = {"request_id": str(request.id), "expires_at": request.expires_at.isoformat()}
        await self.workflows.start(REQUEST_SIGNATURE, request.workflow_id, argument)

    async def _hand_over(self, request: SigningRequest, submitted: JsonObject) -> None:
        try:
            await self.workflows.send(request.workflow_id, SIGNATURE, submitted)
        except WorkflowNotFound:
            # The process ended between storing the request and beginning its workflow.
            await self._wait_for_signature(request)
            await self.workflows.send(request.workflow_id, SIGNATURE, submitted)

    async def verify(self, signature: str) -> bool:
        """Whether a signature is known here and was found valid; an unknown one is simply not."""
        async with self.storage.snapshot() as work:
            request = await work.signing_requests.find_by_signature(signature, agent_id=None)
            history = await work.keys.of_agent(request.agent_id) if request else []
        return self._judged(request, history, signature) is not None

    async def find_signer(self, signature: str, message: str | None = None) -> Signed | None:
        """Whose signature it is, when it was judged, and whether it is of a message; None for one not known as valid.

        What was signed is not told: anyone who asks about a message has it.
        """
        async with self.storage.snapshot() as work:
            request = await work.signing_requests.find_by_signature(signature, agent_id=None)
            agent = await work.agents.find(request.agent_id) if request else None
            history = await work.keys.of_agent(agent.id) if agent else []
        if request is None or agent is None or self._judged(request, history, signature) is None:
            return None
        is_of_message = None if message is None else request.is_of(message)
        return Signed(agent=agent, at=request.completed_at or request.created_at, is_of_message=is_of_message)

    async def verify_by(self, fingerprint: Fingerprint, signature: str) -> Fingerprint | None:
        """By which of its keys a signature that is known here is an agent's, None if it is not.

        `fingerprint` is one that the agent has, or had; raises AgentNotFound.
        """
        async with self.storage.snapshot() as work:
            known = await work.keys.find(fingerprint)
            if known is None:
                raise AgentNotFound(fingerprint)
            request = await work.signing_requests.find_by_signature(signature, agent_id=known.agent_id)
            history = await work.keys.of_agent(known.agent_id) if request else []
        judged = self._judged(request, history, signature)
        return judged.key.fingerprint if judged else None

    def _judged(self, request: SigningRequest | None, history: Sequence[AgentKey], signature: str) -> Judgement | None:
        if request is None:
            return None
        return self.check.judged(request, history, signature, request.completed_at or request.created_at)
