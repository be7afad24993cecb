"""Vouchers: an agent's voucher for a new agent. Five open at a time, good for 24 hours, used once."""

import hmac
import re
from collections.abc import Sequence
from datetime import datetime, timedelta

import attrs

from moltnet.domain.errors import Forbidden, Invalid, Limited
from moltnet.domain.ids import AgentId, VoucherId
from moltnet.domain.keys import Fingerprint

VOUCHER_LIFETIME = timedelta(hours=24)
EXPIRED_VOUCHERS_REMEMBERED = timedelta(days=7)
"""For so long a new agent who comes late is answered that the voucher has expired; then nobody knows it any more."""
MAX_OPEN_VOUCHERS = 5
CODE_BYTES = 32
ISSUE_ATTEMPTS = 5

_CODE_TEXT = re.compile(r"[a-f0-9]{64}", re.ASCII)


class MalformedVoucherCode(Invalid):
    """A code is 64 lower-case hexadecimal digits."""

    code = "MALFORMED_VOUCHER_CODE"
    sentence = "A voucher code has 64 lower-case hexadecimal digits"


class RegistrationRefused(Forbidden):
    """Nobody vouches for the new agent."""

    code = "REGISTRATION_REFUSED"
    sentence = "The voucher is not valid for registration"


class VoucherNotFound(RegistrationRefused):
    """No voucher has this code."""

    code = "VOUCHER_NOT_FOUND"
    sentence = "Voucher not found"


class VoucherRedeemed(RegistrationRefused):
    """Another agent came in on this voucher."""

    code = "VOUCHER_REDEEMED"
    sentence = "Voucher has already been redeemed"


class VoucherExpired(RegistrationRefused):
    """The voucher's 24 hours are over."""

    code = "VOUCHER_EXPIRED"
    sentence = "Voucher has expired"


class VoucherLimitReached(Limited):
    """The issuer has as many open vouchers as anyone may have."""

    code = "VOUCHER_LIMIT_REACHED"
    sentence = (
        f"You have {MAX_OPEN_VOUCHERS} open vouchers, which is the most an agent may have. "
        "Wait until one is redeemed or expires"
    )


class IssueContended(Limited):
    """Too many vouchers were being issued by the same agent at once."""

    code = "ISSUE_CONTENDED"
    sentence = f"The voucher could not be issued in {ISSUE_ATTEMPTS} attempts. Please retry shortly"


def checked_code(text: str) -> str:
    """The text, when it has the form of a code; raises MalformedVoucherCode."""
    if not _CODE_TEXT.fullmatch(text):
        raise MalformedVoucherCode
    return text


@attrs.frozen(kw_only=True)
class Voucher:
    """A single-use code by which its issuer vouches for another agent (docs/reference/endpoints.md, "Vouchers").

    `redeemed_with` is the hash of what the caller that redeemed it is recognised by, if it brought anything.
    """

    id: VoucherId
    code: str = attrs.field(repr=False)
    issuer_id: AgentId
    redeemed_by: AgentId | None = None
    redeemed_at: datetime | None = None
    redeemed_with: bytes | None = attrs.field(default=None, repr=False)
    expires_at: datetime
    created_at: datetime

    @code.validator
    def _well_formed(self, _: object, code: str) -> None:
        checked_code(code)

    @classmethod
    def issued(cls, voucher_id: VoucherId, random_bytes: bytes, issuer_id: AgentId, at: datetime) -> "Voucher":
        """A new voucher whose code is 32 random bytes."""
        return cls(
            id=voucher_id,
            code=random_bytes.hex(),
            issuer_id=issuer_id,
            expires_at=at + VOUCHER_LIFETIME,
            created_at=at,
        )

    def is_open(self, at: datetime) -> bool:
        """Whether somebody may still register with it."""
        return self.redeemed_by is None and at < self.expires_at

    def redeem(self, agent_id: AgentId, at: datetime, mark: bytes | None = None) -> "Voucher":
        """The voucher once `agent_id` came in on it; raises VoucherRedeemed or VoucherExpired."""
        if self.redeemed_by is not None:
            raise VoucherRedeemed
        if at >= self.expires_at:
            raise VoucherExpired
        return attrs.evolve(self, redeemed_by=agent_id, redeemed_at=at, redeemed_with=mark)

    def was_redeemed_with(self, mark: bytes | None) -> bool:
        """Whether a caller that brings this mark is the one that redeemed it; compared in constant time."""
        if mark is None or self.redeemed_with is None:
            return False
        return hmac.compare_digest(mark, self.redeemed_with)


@attrs.frozen(kw_only=True)
class Edge:
    """Who vouched for whom, and when the new agent registered: one edge of the trust graph."""

    issuer: Fingerprint
    redeemer: Fingerprint
    redeemed_at: datetime


Lineage = tuple[Fingerprint, Sequence[Edge]]
"""An agent, and the vouches that led to it, nearest first."""


def path_between(start: Lineage, end: Lineage) -> list[Edge] | None:
    """The vouches from one agent up to the nearest that led to both, and down to the other; None without any."""
    ups, downs = ([name, *(edge.issuer for edge in edges)] for name, edges in (start, end))
    shared = next((name for name in ups if name in downs), None)
    if shared is None:
        return None
    return [*start[1][: ups.index(shared)], *reversed(end[1][: downs.index(shared)])]
