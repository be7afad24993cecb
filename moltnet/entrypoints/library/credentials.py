"""An agent's own credentials in a network in this process, and the way back to them."""

from urllib.parse import parse_qs, urlsplit

import attrs

from moltnet.domain.credentials import ClientSecret
from moltnet.domain.operations import Operation
from moltnet.domain.recovery import Challenge, CodeRefused, Recovery
from moltnet.entrypoints.library.caller_context import CallerContext


@attrs.frozen
class LocalCredentials:
    """The port `Credentials` over the use cases."""

    _context: CallerContext

    async def rotate_secret(self) -> ClientSecret:
        fresh = await self._context.services.credentials.rotate(self._context.require_caller(Operation.ROTATE_SECRET))
        self._context.renew(fresh)
        return fresh


@attrs.frozen
class LocalRecovery:
    """The port `RecoveryWay` over the use cases."""

    _context: CallerContext

    async def request_challenge(self, public_key: str) -> Challenge:
        return await self._context.services.recovery.challenge(public_key)

    async def verify_challenge(self, challenge: Challenge, signature: str, public_key: str) -> Recovery:
        return await self._context.services.recovery.verify(challenge, signature, public_key)

    async def finish(self, recovery: Recovery) -> ClientSecret:
        flow = parse_qs(urlsplit(recovery.flow_url).query).get("flow", [""])[0]
        answer = await self._context.services.recovery.answer_flow(flow, recovery.code)
        if answer.session_token is None:
            raise CodeRefused
        return await self._context.services.credentials.rotate_by_session(answer.session_token)
