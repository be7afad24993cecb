"""Tokens to callers."""

import attrs

from moltnet.domain.caller import Caller
from moltnet.ports.tokens import BeforeAsking, TokenVerifier, ask_freely


@attrs.frozen(kw_only=True)
class AuthenticationService:
    """Tells who is asking."""

    tokens: TokenVerifier

    async def authenticate(self, token: str, before_asking: BeforeAsking = ask_freely) -> Caller:
        """The agent a bearer token stands for; raises InvalidToken, and what `before_asking` raises.

        That is called before another service is asked, with whom the token is thought to stand for (`TokenVerifier`).
        """
        return await self.tokens.verify(token, before_asking)
