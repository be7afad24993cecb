"""Who is counted as one asker, what is counted together, and how much is allowed."""

import attrs
import pytest

from moltnet.domain.caller import ANONYMOUS, Limits, Tier, asker_of, bucket_of, ceil_seconds
from tests.support.builders import a_caller


def test_agent_is_one_asker_from_wherever_it_comes():
    ada, bea = a_caller(), a_caller()
    assert asker_of(ada, "192.0.2.1") == asker_of(ada, "2001:db8::1") != asker_of(bea, "192.0.2.1")


@pytest.mark.parametrize(
    ("address", "asker"),
    [
        ("192.0.2.1", "address:192.0.2.1"),
        ("::ffff:192.0.2.1", "address:192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "address:2001:db8:1:2::/64"),
        ("2001:db8:1:2::ffff", "address:2001:db8:1:2::/64"),
        ("2001:db8:1:3::ffff", "address:2001:db8:1:3::/64"),
        ("fe80::1%eth0", "address:fe80::/64"),
        ("", "address:"),
    ],
)
def test_anonymous_asker_is_its_address_or_its_network(address, asker):
    assert asker_of(ANONYMOUS, address) == asker


def test_only_the_global_tier_is_counted_as_a_whole():
    assert bucket_of(Tier.GLOBAL, "listDiaries") == bucket_of(Tier.GLOBAL, "getDiary")
    assert bucket_of(Tier.RECOVERY, "requestRecoveryChallenge") != bucket_of(Tier.RECOVERY, "verifyRecoveryChallenge")
    assert bucket_of(Tier.VOUCH, "a") != bucket_of(Tier.SIGNING, "a")


def test_figures_are_the_contracts():
    defaults = {tier: Limits().per_minute(tier, ANONYMOUS) for tier in Tier}
    assert defaults == dict(zip(Tier, (30, 60, 20, 10, 5, 5, 10, 15, 60), strict=True))
    assert Limits().per_minute(Tier.GLOBAL, a_caller()) == 100


def test_every_figure_is_some_tiers():
    figures = Limits(**{field.name: number for number, field in enumerate(attrs.fields(Limits), start=1)})
    told = {figures.per_minute(tier, caller) for tier in Tier for caller in (ANONYMOUS, a_caller())}
    messages = {2 * figures.global_anon, 2 * figures.global_auth}
    assert told == set(attrs.astuple(figures)) | messages


@pytest.mark.parametrize(("seconds", "told"), [(60, 60), (59.000001, 60), (59, 59), (0.2, 1), (0, 1), (-3, 1)])
def test_wait_is_whole_seconds_and_at_least_one(seconds, told):
    assert ceil_seconds(seconds) == told
