"""Rate limits: how often an act is allowed in a minute, and who counts as one asker (rest.md §4)."""

import ipaddress
import math
from datetime import timedelta
from enum import StrEnum
from functools import lru_cache

import attrs

from moltnet.domain.caller import Anonymous, Caller

WINDOW = timedelta(minutes=1)
# A client that speaks MCP sends messages around those that do something: to open a session, to list, to acknowledge.
MESSAGES_PER_REQUEST = 2
# What one subscriber of an IPv6 network has at the least (RFC 6177 §2): its addresses are one asker's.
_IPV6_SUBSCRIBER_BITS = 64


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
        }[tier]


@attrs.frozen(kw_only=True)
class Allowance:
    """Where an asker stands after a request: `remaining` of `limit` are left for the next `reset_s` seconds."""

    limit: int
    remaining: int
    reset_s: int
    allowed: bool

    @classmethod
    def after(cls, hits: int, limit: int, left_s: float) -> "Allowance":
        """The allowance after so many requests of a window that goes on for `left_s` seconds."""
        return cls(limit=limit, remaining=max(0, limit - hits), reset_s=whole_seconds(left_s), allowed=hits <= limit)


def whole_seconds(left_s: float) -> int:
    """A time to wait, rounded up from the microsecond; at least one, so that nobody comes back at once."""
    return max(1, math.ceil(round(left_s, 6)))


def bucket_of(tier: Tier, act: str) -> str:
    """What is counted together: all of GLOBAL, and elsewhere each act by itself."""
    return tier.value if tier is Tier.GLOBAL else f"{tier.value}:{act}"


def asker_of(caller: Caller | Anonymous, address: str) -> str:
    """Who is counted: the agent, else the address; of IPv6, the network that one subscriber has."""
    if isinstance(caller, Caller):
        return caller.asker
    return _asker_at(address)


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
