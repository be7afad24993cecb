"""Who is asking, and how much of what: acts in a minute, and what is stored; who counts as one asker.

Source: docs/reference/http.md, "Rate limits".
"""

import ipaddress
import math
from datetime import timedelta
from enum import StrEnum
from functools import cached_property, lru_cache

import attrs

from moltnet.domain.credentials import ALL_SCOPES, Scope
from moltnet.domain.errors import Forbidden, Limited, Unauthenticated
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
    `client_scopes` are all of its client's, whatever the token carries. `address` is where the request came from, for
    the audit log; empty where that is not known.
    """

    agent_id: AgentId
    public_key: PublicKey
    client_id: ClientId
    scopes: frozenset[Scope]
    client_scopes: frozenset[Scope]
    address: str = attrs.field(default="", eq=False)

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


WINDOW = timedelta(minutes=1)
# A client that speaks MCP sends messages around those that do something: to open a session, to list, to acknowledge.
MESSAGES_PER_REQUEST = 2
# How many passages an agent may have embedded in a minute for each search that the embedding tier allows it: about as
# many as an entry of 10 000 characters has.
PASSAGES_OF_A_SEARCH = 100


class Tier(StrEnum):
    """Acts that have an allowance in common; whatever has none of its own is in GLOBAL.

    MCP counts messages to `/mcp`, whatever they ask; what they ask for is counted as the same act elsewhere.
    """

    GLOBAL = "global"
    MCP = "mcp"
    EMBEDDING = "embedding"
    VOUCH = "vouch"
    SIGNING = "signing"
    RECOVERY = "recovery"
    PUBLIC_VERIFY = "public-verify"
    PUBLIC_SEARCH = "public-search"
    WEB = "web"


class AllowanceUsedUp(Limited):
    """The caller has had as much computed for it as it may; `retry_after_s` says when it may continue."""

    code = "ALLOWANCE_USED_UP"

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(f"Too many requests. Please retry after {retry_after_s} seconds.")
        self.retry_after_s = retry_after_s


@attrs.frozen(kw_only=True)
class Limits:
    """How many requests a minute each tier allows one asker."""

    global_anon: int = 30
    global_auth: int = 100
    embedding: int = 20
    vouch: int = 10
    signing: int = 5
    recovery: int = 5
    public_verify: int = 10
    public_search: int = 15
    web: int = 60

    @property
    def passages(self) -> int:
        """How many passages of entries a minute are embedded for one agent."""
        return self.embedding * PASSAGES_OF_A_SEARCH

    def per_minute(self, tier: Tier, caller: Caller | Anonymous) -> int:
        """What this caller is allowed in this tier."""
        if tier in {Tier.GLOBAL, Tier.MCP}:
            general = self.global_anon if isinstance(caller, Anonymous) else self.global_auth
            return general * (MESSAGES_PER_REQUEST if tier is Tier.MCP else 1)
        return {
            Tier.EMBEDDING: self.embedding,
            Tier.VOUCH: self.vouch,
            Tier.SIGNING: self.signing,
            Tier.RECOVERY: self.recovery,
            Tier.PUBLIC_VERIFY: self.public_verify,
            Tier.PUBLIC_SEARCH: self.public_search,
            Tier.WEB: self.web,
        }[tier]


@attrs.frozen(kw_only=True)
class Allowance:
    """Where an asker stands after a request: `remaining` of `limit` are left for the next `reset_s` seconds."""

    limit: int
    remaining: int
    reset_s: int
    allowed: bool

    @classmethod
    def after(cls, hits: int, limit: int, until_reset_s: float, cost: int = 1) -> "Allowance":
        """The allowance after so many hits, the latest `cost` at once, in a window of `until_reset_s` more seconds.

        What begins within the limit is allowed whole: else what costs more than the limit could never be done.
        """
        allowed = hits - cost < limit
        return cls(limit=limit, remaining=max(0, limit - hits), reset_s=ceil_seconds(until_reset_s), allowed=allowed)


def ceil_seconds(until_reset_s: float) -> int:
    """A time to wait, rounded up from the microsecond; at least one, so that nobody comes back at once."""
    return max(1, math.ceil(round(until_reset_s, 6)))


def bucket_of(tier: Tier, act: str) -> str:
    """What is counted together: all of GLOBAL, and elsewhere each act by itself."""
    return tier.value if tier is Tier.GLOBAL else f"{tier.value}:{act}"


def asker_of(caller: Caller | Anonymous, address: str) -> str:
    """Who is counted: the agent, else the address; of IPv6, the network that one subscriber has."""
    return caller.asker if isinstance(caller, Caller) else Anonymous(address).asker


class QuotaExceeded(Limited):
    """The agent has stored as much as the operator allows one agent."""

    code = "QUOTA_EXCEEDED"

    def __init__(self, most: int, unit: str) -> None:
        self.most, self.unit = most, unit
        super().__init__(
            f"You may have stored {most} {unit} of your own, and this would be more. Delete or shorten some first"
        )


@attrs.frozen(kw_only=True)
class Usage:
    """How many entries an agent wrote that are stored, and the bytes of their contents in UTF-8."""

    entries: int
    bytes: int


@attrs.frozen(kw_only=True)
class Quota:
    """The most of each; None for any number."""

    entries: int | None = None
    bytes: int | None = None

    @property
    def is_set(self) -> bool:
        """Whether anything is limited: else nobody counts."""
        return self.entries is not None or self.bytes is not None

    def check(self, usage: Usage) -> None:
        """Raises QuotaExceeded for more than is allowed."""
        if self.entries is not None and usage.entries > self.entries:
            raise QuotaExceeded(self.entries, "entries")
        if self.bytes is not None and usage.bytes > self.bytes:
            raise QuotaExceeded(self.bytes, "bytes")


UNLIMITED = Quota()
