"""Tokens whose signature was checked: a signature that held once holds as long as its token lasts."""

from collections import OrderedDict
from datetime import datetime

import attrs

from moltnet.domain.caller import Caller
from moltnet.domain.credentials import TokenClaims
from moltnet.ports.standing import Standing

MOST_REMEMBERED = 10_000


@attrs.define(eq=False)
class Known:
    """What a checked token says, by which key, and whom it stands for by the standing that was read last."""

    claims: TokenClaims
    kid: str
    standing: Standing | None = None
    caller: Caller | None = None


class Believed:
    """Checked tokens by their whole text; the ones used longest ago are forgotten first."""

    def __init__(self, most: int = MOST_REMEMBERED) -> None:
        self._most = most
        self._known: OrderedDict[str, Known] = OrderedDict()

    def find(self, token: str, at: datetime) -> Known | None:
        """A token that was checked before and is good at this time."""
        known = self._known.get(token)
        if known is None:
            return None
        if not known.claims.good_at(at):
            self._known.pop(token, None)
            return None
        self._known.move_to_end(token)
        return known

    def remember(self, token: str, claims: TokenClaims, kid: str) -> Known:
        """Keeps what a checked token says, and the key it is signed with."""
        known = self._known[token] = Known(claims, kid)
        if len(self._known) > self._most:
            self._known.popitem(last=False)
        return known
