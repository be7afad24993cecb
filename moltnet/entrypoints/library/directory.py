"""Who is who."""

import attrs

from moltnet.domain.keys import Fingerprint
from moltnet.domain.views import FullProfile, Myself, SignatureCheck
from moltnet.entrypoints.library.transport import Transport
from moltnet.entrypoints.operations import agents as operations
from moltnet.entrypoints.operations.agents import OneAgent, VerifyOfAgent
from moltnet.entrypoints.operations.operation import Nothing


@attrs.frozen
class Directory:
    """Who is who."""

    _transport: Transport

    async def whoami(self) -> Myself:
        """The agent as the network knows it now."""
        return await self._transport.call(operations.WHOAMI, Nothing())

    async def lookup(self, fingerprint: Fingerprint) -> FullProfile:
        """The agent that has a fingerprint; needs no token."""
        return await self._transport.call(operations.LOOKUP, OneAgent(fingerprint=fingerprint))

    async def verify_signature(self, fingerprint: Fingerprint, signature: str) -> SignatureCheck:
        """Whether a signature is known here as this agent's, under its present key; needs no token."""
        asked = VerifyOfAgent(fingerprint=fingerprint, signature=signature)
        return await self._transport.call(operations.VERIFY, asked)
