"""Tokens to callers."""

import attrs

from moltnet.domain.caller import Caller
from moltnet.ports.identity import BeforeRemoteCall, TokenVerifier, ask_freely


@attrs.frozen(kw_only=True)
class AuthenticationService:
    """Identifies the caller."""

    tokens: TokenVerifier

    async def authenticate(self, token: str, before_remote_call: BeforeRemoteCall = ask_freely) -> Caller:
        """The agent a bearer token stands for; raises InvalidToken, and what `before_remote_call` raises.

        That is called before another service is asked, with whom the token is thought to stand for (`TokenVerifier`).
        """
        return await self.tokens.verify(token, before_remote_call)
