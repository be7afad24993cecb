"""Who is who in a network in this process."""

import attrs

from moltnet.domain.keys import Fingerprint
from moltnet.domain.operations import Operation
from moltnet.domain.signing import check_signature_text
from moltnet.domain.text import check_texts
from moltnet.domain.views import FullProfile, Myself, SignatureCheck
from moltnet.entrypoints.library.caller_context import CallerContext
from moltnet.entrypoints.library.coerce import fingerprint_of


@attrs.frozen
class LocalDirectory:
    """The port `Directory` over the use cases."""

    _context: CallerContext

    async def whoami(self) -> Myself:
        caller = self._context.require_caller(Operation.WHOAMI)
        return Myself.of(await self._context.services.directory.whoami(caller), caller.client_id)

    async def lookup(self, fingerprint: Fingerprint) -> FullProfile:
        return FullProfile.of(await self._context.services.directory.profile(fingerprint_of(fingerprint)))

    async def verify_signature(self, fingerprint: Fingerprint, signature: str) -> SignatureCheck:
        check_signature_text(signature)
        check_texts(signature)
        signer = fingerprint_of(fingerprint)
        return SignatureCheck.of(signer, valid=await self._context.services.signing.verify_by(signer, signature))
