"""Tokens to callers."""

import attrs

from moltnet.domain.caller import Caller
from moltnet.ports.tokens import TokenVerifier


@attrs.frozen(kw_only=True)
class AuthenticationService:
    """Tells who is asking."""

    tokens: TokenVerifier

    async def authenticate(self, token: str) -> Caller:
        """The agent a bearer token stands for; raises InvalidToken."""
        return await self.tokens.verify(token)
