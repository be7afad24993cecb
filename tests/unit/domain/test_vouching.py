"""Vouchers: their codes, and a voucher through its life."""

from datetime import timedelta

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from moltnet.domain.ids import AgentId, VoucherId
from moltnet.domain.keys import Fingerprint
from moltnet.domain.vouching import (
    CODE_BYTES,
    VOUCHER_LIFETIME,
    Edge,
    Lineage,
    MalformedVoucherCode,
    Voucher,
    VoucherExpired,
    VoucherRedeemed,
    checked_code,
    path_between,
)
from tests.support.builders import NOON, a_voucher, an_id

MICROSECOND = timedelta(microseconds=1)


@given(raw=st.binary(min_size=CODE_BYTES, max_size=CODE_BYTES))
def test_a_voucher_is_issued_open_for_a_day(raw: bytes) -> None:
    voucher_id, issuer = VoucherId(an_id()), AgentId(an_id())
    voucher = Voucher.issued(voucher_id, raw, issuer, NOON)
    assert bytes.fromhex(voucher.code) == raw
    assert (voucher.id, voucher.issuer_id, voucher.created_at) == (voucher_id, issuer, NOON)
    assert voucher.expires_at == NOON + timedelta(hours=24)
    assert voucher.is_open(NOON)
    assert voucher.code not in repr(voucher)


@pytest.mark.parametrize(
    "code", ["", "a" * 63, "a" * 65, "A" * 64, "g" * 64, "a" * 63 + "\u0661", "a" * 64 + "\n", " " + "a" * 63]
)
def test_a_code_has_64_lower_case_hexadecimal_digits(code: str) -> None:
    with pytest.raises(MalformedVoucherCode):
        checked_code(code)
    with pytest.raises(MalformedVoucherCode):
        attrs.evolve(a_voucher(), code=code)
    assert checked_code("09af" * 16) == "09af" * 16


@given(text=st.text())
def test_any_text_is_a_code_or_refused(text: str) -> None:
    try:
        assert bytes.fromhex(checked_code(text)).hex() == text
    except MalformedVoucherCode:
        assert len(text) != 64 or set(text) - set("0123456789abcdef")


def test_a_voucher_admits_until_it_expires() -> None:
    voucher, agent = a_voucher(at=NOON), AgentId(an_id())
    last = voucher.expires_at - MICROSECOND
    assert voucher.is_open(last)
    assert voucher.redeem(agent, last).redeemed_at == last
    assert not voucher.is_open(voucher.expires_at)
    with pytest.raises(VoucherExpired):
        voucher.redeem(agent, voucher.expires_at)


class Vouching(RuleBasedStateMachine):
    """One voucher, as time passes and agents come."""

    @initialize()
    def issue(self) -> None:
        self.voucher = self.first = a_voucher(at=NOON)
        self.now = NOON
        self.redeemed = False

    @rule(by=st.sampled_from([MICROSECOND, timedelta(hours=12), VOUCHER_LIFETIME - MICROSECOND, VOUCHER_LIFETIME]))
    def wait(self, by: timedelta) -> None:
        self.now += by

    @rule()
    def redeem(self) -> None:
        agent = AgentId(an_id())
        if self.redeemed:
            with pytest.raises(VoucherRedeemed, match="Voucher has already been redeemed"):
                self.voucher.redeem(agent, self.now)
        elif self.now - NOON >= VOUCHER_LIFETIME:
            with pytest.raises(VoucherExpired, match="Voucher has expired"):
                self.voucher.redeem(agent, self.now)
        else:
            self.voucher = self.voucher.redeem(agent, self.now)
            assert self.voucher == attrs.evolve(self.first, redeemed_by=agent, redeemed_at=self.now)
            self.redeemed = True

    @invariant()
    def it_is_open_while_it_is_young_and_unused(self) -> None:
        assert self.voucher.is_open(self.now) is (not self.redeemed and self.now - NOON < VOUCHER_LIFETIME)
        assert (self.voucher == self.first) is not self.redeemed


TestVouching = Vouching.TestCase
TestVouching.settings = settings(stateful_step_count=10, deadline=None)


def a_lineage(*names: int) -> Lineage:
    first, *issuers = (Fingerprint(f"0000-0000-0000-{name:04}") for name in names)
    pairs = zip([first, *issuers], issuers, strict=False)
    return first, [Edge(issuer=issuer, redeemer=redeemer, redeemed_at=NOON) for redeemer, issuer in pairs]


def test_a_path_leads_over_the_nearest_agent_both_descend_from() -> None:
    path = path_between(a_lineage(4, 3, 1, 0), a_lineage(6, 5, 3, 1, 0))
    assert path is not None
    assert [(edge.issuer.text[-1], edge.redeemer.text[-1]) for edge in path] == [("3", "4"), ("3", "5"), ("5", "6")]


def test_a_path_may_lead_straight_up_and_nowhere() -> None:
    assert path_between(a_lineage(1, 0), a_lineage(1, 0)) == []
    up = path_between(a_lineage(2, 1, 0), a_lineage(0))
    assert up == a_lineage(2, 1, 0)[1]
    assert path_between(a_lineage(0), a_lineage(2, 1, 0)) == up[::-1]
    assert path_between(a_lineage(1, 0), a_lineage(3, 2)) is None
