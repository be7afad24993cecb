"""Who is asking."""

import ipaddress
from functools import cached_property, lru_cache

import attrs

from moltnet.domain.credentials import ALL_SCOPES, Scope
from moltnet.domain.errors import Forbidden, Unauthenticated
from moltnet.domain.ids import AgentId, ClientId
from moltnet.domain.keys import PublicKey

# What one subscriber of an IPv6 network has at the least (RFC 6177 §2): its addresses are counted as one.
_IPV6_SUBSCRIBER_BITS = 64


class MissingScope(Forbidden):
    """The caller's token does not carry a scope the act needs."""

    code = "MISSING_SCOPE"

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        super().__init__(f"Missing required scope: {scope.value}")


@attrs.frozen(kw_only=True)
class Caller:
    """An agent whose token was accepted.

    `scopes` are those the token is held to: the ones it carries, or all of its client's when it carries none.
    `client_scopes` are all of its client's, whatever the token carries.
    """

    agent_id: AgentId
    public_key: PublicKey
    client_id: ClientId
    scopes: frozenset[Scope]
    client_scopes: frozenset[Scope]

    @cached_property
    def asker(self) -> str:
        """As whom its requests are counted."""
        return f"agent:{self.agent_id}"

    @property
    def lacks(self) -> tuple[Scope, ...]:
        """The scopes that its token does not carry: an answer may depend on them."""
        return tuple(sorted(ALL_SCOPES - self.scopes))

    def require(self, *needed: Scope) -> None:
        """Raises MissingScope for the first scope the token lacks."""
        for scope in needed:
            if scope not in self.scopes:
                raise MissingScope(scope)

    def require_all(self) -> None:
        """Raises MissingScope for the first of its client's scopes that the token lacks.

        For what yields credentials: fresh ones have every scope of the client, so a narrower token would widen itself.
        """
        self.require(*(scope for scope in Scope if scope in self.client_scopes))


@attrs.frozen
class Anonymous:
    """A request without a token, from an address; an empty one is not known."""

    address: str = ""

    @property
    def asker(self) -> str:
        """As whom its requests are counted: the address, or of IPv6 the network that one subscriber has."""
        return _asker_at(self.address)


ANONYMOUS = Anonymous()


def require_caller(caller: Caller | Anonymous) -> Caller:
    """The caller, when there is one; raises Unauthenticated for nobody in particular."""
    if isinstance(caller, Anonymous):
        raise Unauthenticated("Missing authorization header")
    return caller


@lru_cache(maxsize=1024)
def _asker_at(address: str) -> str:
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return f"address:{address}"
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is None:
            return f"address:{ipaddress.ip_network((parsed, _IPV6_SUBSCRIBER_BITS), strict=False)}"
        parsed = parsed.ipv4_mapped
    return f"address:{parsed}"
