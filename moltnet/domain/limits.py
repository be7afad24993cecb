"""Rate limits: how often an act is allowed in a minute, and who counts as one asker.

Source: docs/reference/http.md, "Rate limits".
"""

import math
from datetime import timedelta
from enum import StrEnum

import attrs

from moltnet.domain.caller import Anonymous, Caller
from moltnet.domain.errors import Limited

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
