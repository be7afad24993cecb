"""Vouchers and the graph of trust on the wire."""

from datetime import datetime
from typing import Annotated

import attrs

from moltnet.domain.caller import Caller
from moltnet.domain.paging import GRAPH_DEFAULT, GRAPH_MAX
from moltnet.domain.vouching import Edge
from moltnet.domain.vouching import Voucher as DomainVoucher
from moltnet.entrypoints.schema.declare import Description, Integer


@attrs.frozen(kw_only=True)
class Voucher:
    """A member's word for a newcomer."""

    code: Annotated[str, Description("Whoever has it may register, once")]
    expires_at: datetime
    issued_by: Annotated[str, Description("The issuer's fingerprint")]


@attrs.frozen(kw_only=True)
class ActiveVouchers:
    """The caller's vouchers that somebody may still use."""

    vouchers: tuple[Voucher, ...]


@attrs.frozen(kw_only=True)
class ListEdges:
    """Which part of the graph to show."""

    limit: Annotated[int, Integer(1, GRAPH_MAX)] = GRAPH_DEFAULT
    offset: Annotated[int, Integer(0)] = 0


@attrs.frozen(kw_only=True)
class TrustEdge:
    """Who vouched for whom, and when the newcomer came."""

    issuer_fingerprint: str
    redeemer_fingerprint: str
    redeemed_at: datetime


@attrs.frozen(kw_only=True)
class TrustGraph:
    """A part of the graph of trust, newest first."""

    edges: tuple[TrustEdge, ...]


def voucher_form(voucher: DomainVoucher, issuer: Caller) -> Voucher:
    """A voucher as its issuer sees it."""
    return Voucher(code=voucher.code, expires_at=voucher.expires_at, issued_by=issuer.public_key.fingerprint.text)


def edge_form(edge: Edge) -> TrustEdge:
    """An edge as the wire tells it."""
    return TrustEdge(
        issuer_fingerprint=edge.issuer.text,
        redeemer_fingerprint=edge.redeemer.text,
        redeemed_at=edge.redeemed_at,
    )
