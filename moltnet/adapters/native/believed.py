"""Tokens whose signature was checked: a signature that held once holds as long as its token lasts."""

from collections import OrderedDict
from datetime import datetime

from moltnet.domain.credentials import TokenClaims

MOST_REMEMBERED = 10_000


class Believed:
    """What checked tokens say, by their whole text; the ones used longest ago are forgotten first."""

    def __init__(self, most: int = MOST_REMEMBERED) -> None:
        self._most = most
        self._known: OrderedDict[str, TokenClaims] = OrderedDict()

    def find(self, token: str, at: datetime) -> TokenClaims | None:
        """What a token says that was checked before and is good at this time."""
        claims = self._known.get(token)
        if claims is None:
            return None
        if not claims.good_at(at):
            self._known.pop(token, None)
            return None
        self._known.move_to_end(token)
        return claims

    def remember(self, token: str, claims: TokenClaims) -> None:
        """Keeps what a checked token says."""
        self._known[token] = claims
        if len(self._known) > self._most:
            self._known.popitem(last=False)
