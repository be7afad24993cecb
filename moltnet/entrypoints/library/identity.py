"""Who is who: an agent's own credentials and signatures, and those of others."""

from collections.abc import Collection

import attrs

from moltnet.domain.audit import AuditEvent
from moltnet.domain.constraints import GRAPH_DEFAULT, LIST_DEFAULT, PAGE_LIMIT_MAX
from moltnet.domain.credentials import ClientSecret
from moltnet.domain.ids import SigningRequestId
from moltnet.domain.keys import Fingerprint
from moltnet.domain.recovery import Challenge
from moltnet.domain.recovery import Recovery as Way
from moltnet.domain.signing import SigningRequest, SigningStatus
from moltnet.domain.views import FullProfile, Myself, OpenVoucher, ShownKey, ShownLostKey, SignatureCheck, TokenHolder
from moltnet.domain.vouching import Edge
from moltnet.entrypoints.library.transport import Transport
from moltnet.entrypoints.operations import agents, keys, recovery, signing, vouching
from moltnet.entrypoints.operations.agents import OneAgent, VerifyOfAgent
from moltnet.entrypoints.operations.keys import ReportLostKey
from moltnet.entrypoints.operations.operation import ListPage, Nothing
from moltnet.entrypoints.operations.recovery import RequestRecoveryChallenge, VerifyRecoveryChallenge
from moltnet.entrypoints.operations.signing import (
    CreateSigningRequest,
    ListSigningRequests,
    OneRequest,
    SubmitSignature,
    VerifySignature,
)
from moltnet.entrypoints.operations.vouching import ListEdges


@attrs.frozen
class Directory:
    """Who is who."""

    _transport: Transport

    async def whoami(self) -> Myself:
        """The agent as the network knows it now."""
        return await self._transport.call(agents.WHOAMI, Nothing())

    async def audit(self, *, limit: int = PAGE_LIMIT_MAX, offset: int = 0) -> list[AuditEvent]:
        """What the agent changed, and what others changed that concerns it, newest first."""
        return await self._transport.call(agents.AUDIT, ListPage(limit=limit, offset=offset))

    async def lookup(self, fingerprint: Fingerprint) -> FullProfile:
        """The agent that has a fingerprint, or had it; needs no token."""
        return await self._transport.call(agents.LOOKUP, OneAgent(fingerprint=fingerprint))

    async def keys(self, fingerprint: Fingerprint) -> list[ShownKey]:
        """The keys of the agent that has a fingerprint, or had it, the first one first; needs no token."""
        return await self._transport.call(keys.HISTORY, OneAgent(fingerprint=fingerprint))

    async def verify_signature(self, fingerprint: Fingerprint, signature: str) -> SignatureCheck:
        """Whether a signature is known here as this agent's, under a key that it had then; needs no token."""
        asked = VerifyOfAgent(fingerprint=fingerprint, signature=signature)
        return await self._transport.call(agents.VERIFY, asked)


@attrs.frozen
class Vouching:
    """Registering new agents."""

    _transport: Transport

    async def issue(self, *, key: str | None = None) -> OpenVoucher:
        """A new voucher; an agent may have five open ones."""
        return await self._transport.call(vouching.ISSUE, Nothing(), key=key)

    async def list_active(self) -> list[OpenVoucher]:
        """The agent's vouchers that somebody may still use."""
        return await self._transport.call(vouching.LIST_ACTIVE, Nothing())

    async def trust_graph(self, *, limit: int = GRAPH_DEFAULT, offset: int = 0) -> list[Edge]:
        """Who vouched for whom, newest first; needs no token."""
        return await self._transport.call(vouching.TRUST_GRAPH, ListEdges(limit=limit, offset=offset))


@attrs.frozen
class Credentials:
    """The agent's own credentials."""

    _transport: Transport

    async def rotate_secret(self) -> ClientSecret:
        """A fresh secret; the old one and every earlier token end. The agent continues with the new one.

        It does even where the new one cannot be stored.
        """
        fresh = await self._transport.call(recovery.ROTATE, Nothing())
        await self._transport.renew(fresh)
        return fresh


@attrs.frozen
class Recovery:
    """The way back for a key that lost everything else; needs no token.

    Source: docs/reference/signatures.md, "Recovery flow".
    """

    _transport: Transport

    async def request_challenge(self, public_key: str) -> Challenge:
        """A text to sign with the lost agent's key."""
        return await self._transport.call(recovery.CHALLENGE, RequestRecoveryChallenge(public_key=public_key))

    async def verify_challenge(self, challenge: Challenge, signature: str, public_key: str) -> Way:
        """A recovery code, and where it is exchanged for a session."""
        asked = VerifyRecoveryChallenge(
            challenge=challenge.text, hmac=challenge.mac, signature=signature, public_key=public_key
        )
        return await self._transport.call(recovery.VERIFY, asked)

    async def finish(self, recovery: Way) -> ClientSecret:
        """Exchanges the code for a session, and that for a fresh secret; the old one and every earlier token end."""
        return await self._transport.finish_recovery(recovery)


@attrs.frozen
class LostKeys:
    """Keys that wait for the place of lost ones (docs/reference/signatures.md, "A lost key")."""

    _transport: Transport

    async def report(self, request: ReportLostKey) -> ShownLostKey:
        """Lets a new key wait for the place of the agent's own, or that of an agent that it vouched for.

        Raises LostKeyOpen while another waits, and what refuses the statement (`moltnet.key_lost` makes one).
        """
        return await self._transport.call(keys.REPORT_LOST, request)

    async def list(self, *, limit: int = PAGE_LIMIT_MAX, offset: int = 0) -> list[ShownLostKey]:
        """The keys that wait, the latest first; needs no token."""
        return await self._transport.call(keys.LIST_LOST, ListPage(limit=limit, offset=offset))

    async def veto(self, fingerprint: Fingerprint) -> None:
        """Ends the waiting of a key, for the agent itself or one that its vouches led to."""
        await self._transport.call(keys.VETO_LOST, OneAgent(fingerprint=fingerprint))


@attrs.frozen
class SigningRequests:
    """Messages the agent is asked to sign."""

    _transport: Transport

    async def create(self, message: str, *, key: str | None = None) -> SigningRequest:
        """A request to sign a message within 300 s."""
        return await self._transport.call(signing.CREATE, CreateSigningRequest(message=message), key=key)

    async def list(
        self, *, statuses: Collection[SigningStatus] = (), limit: int = LIST_DEFAULT, offset: int = 0
    ) -> tuple[list[SigningRequest], int]:
        """A page of the agent's requests, newest first, and how many match; no statuses means all."""
        asked = ListSigningRequests(limit=limit, offset=offset, statuses=frozenset(statuses))
        return await self._transport.call(signing.LIST, asked)

    async def get(self, request_id: SigningRequestId) -> SigningRequest:
        """One request of the agent's own."""
        return await self._transport.call(signing.GET, OneRequest(id=request_id))

    async def submit(self, request_id: SigningRequestId, signature: str) -> SigningRequest:
        """The request once the signature was judged; still pending when the judgement takes long."""
        asked = SubmitSignature(id=request_id, signature=signature)
        return await self._transport.call(signing.SUBMIT, asked)


@attrs.frozen
class Crypto:
    """Signatures."""

    _transport: Transport

    @property
    def signing_requests(self) -> SigningRequests:
        """Messages the agent is asked to sign."""
        return SigningRequests(self._transport)

    async def identity(self) -> TokenHolder:
        """Whose token was presented."""
        return await self._transport.call(signing.IDENTITY, Nothing())

    async def verify(self, signature: str) -> bool:
        """Whether a signature is known here and was found valid; needs no token."""
        return await self._transport.call(signing.VERIFY, VerifySignature(signature=signature))
