"""An agent's own credentials, and the way back to them."""

import attrs

from moltnet.domain.credentials import ClientSecret
from moltnet.domain.recovery import Challenge
from moltnet.domain.recovery import Recovery as Way
from moltnet.entrypoints.library.transport import Transport
from moltnet.entrypoints.operations import recovery as operations
from moltnet.entrypoints.operations.operation import Nothing
from moltnet.entrypoints.operations.recovery import RequestRecoveryChallenge, VerifyRecoveryChallenge


@attrs.frozen
class Credentials:
    """The agent's own credentials."""

    _transport: Transport

    async def rotate_secret(self) -> ClientSecret:
        """A fresh secret; the old one and every earlier token end. The agent continues with the new one.

        It does even where the new one cannot be stored.
        """
        fresh = await self._transport.call(operations.ROTATE, Nothing())
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
        return await self._transport.call(operations.CHALLENGE, RequestRecoveryChallenge(public_key=public_key))

    async def verify_challenge(self, challenge: Challenge, signature: str, public_key: str) -> Way:
        """A recovery code, and where it is exchanged for a session."""
        asked = VerifyRecoveryChallenge(
            challenge=challenge.text, hmac=challenge.mac, signature=signature, public_key=public_key
        )
        return await self._transport.call(operations.VERIFY, asked)

    async def finish(self, recovery: Way) -> ClientSecret:
        """Exchanges the code for a session, and that for a fresh secret; the old one and every earlier token end."""
        return await self._transport.finish_recovery(recovery)
