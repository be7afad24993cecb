"""Who is who in a network in this process."""

import attrs

from moltnet.domain.keys import Fingerprint
from moltnet.domain.operations import Operation
from moltnet.domain.signing import check_signature_text
from moltnet.domain.text import check_texts
from moltnet.domain.views import FullProfile, Myself, SignatureCheck
from moltnet.entrypoints.library.given import fingerprint_of
from moltnet.entrypoints.library.seat import Seat


@attrs.frozen
class LocalDirectory:
    """The port `Directory` over the use cases."""

    _seat: Seat

    async def whoami(self) -> Myself:
        caller = self._seat.acting(Operation.WHOAMI)
        return Myself.of(await self._seat.services.directory.whoami(caller), caller.client_id)

    async def lookup(self, fingerprint: Fingerprint) -> FullProfile:
        return FullProfile.of(await self._seat.services.directory.profile(fingerprint_of(fingerprint)))

    async def verify_signature(self, fingerprint: Fingerprint, signature: str) -> SignatureCheck:
        check_signature_text(signature)
        check_texts(signature)
        signer = fingerprint_of(fingerprint)
        return SignatureCheck.of(signer, valid=await self._seat.services.signing.verify_by(signer, signature))
