"""Who is counted together, and in which tier."""

from datetime import timedelta

import pytest

from moltnet.domain.caller import ANONYMOUS, WINDOW, Limits, Tier
from tests.support.network import Member, Network

HERE, THERE = "192.0.2.1", "192.0.2.2"


async def test_a_limit_is_used_up_and_comes_back(network: Network, ada: Member) -> None:
    limit = Limits().signing
    allowances = [
        await network.services.throttling.count(Tier.SIGNING, "sign", ada.caller, HERE) for _ in range(limit + 2)
    ]
    assert [each.remaining for each in allowances] == [*reversed(range(limit)), 0, 0]
    assert [each.allowed for each in allowances] == [True] * limit + [False] * 2
    assert {each.limit for each in allowances} == {limit}
    assert allowances[-1].reset_s == WINDOW / timedelta(seconds=1)
    network.clock.advance(WINDOW)
    assert (await network.services.throttling.count(Tier.SIGNING, "sign", ada.caller, HERE)).allowed


async def test_an_agent_is_one_asker_wherever_it_asks_from(network: Network, ada: Member, bob: Member) -> None:
    for address, remaining in ((HERE, 4), (THERE, 3)):
        allowance = await network.services.throttling.count(Tier.SIGNING, "sign", ada.caller, address)
        assert allowance.remaining == remaining
    assert (await network.services.throttling.count(Tier.SIGNING, "sign", bob.caller, HERE)).remaining == 4


async def test_nobody_in_particular_is_counted_by_address(network: Network, ada: Member) -> None:
    for caller, address, remaining in ((ANONYMOUS, HERE, 29), (ANONYMOUS, THERE, 29), (ANONYMOUS, HERE, 28)):
        allowance = await network.services.throttling.count(Tier.GLOBAL, "read", caller, address)
        assert (allowance.limit, allowance.remaining) == (30, remaining)
    known = await network.services.throttling.count(Tier.GLOBAL, "read", ada.caller, HERE)
    assert (known.limit, known.remaining) == (100, 99)


@pytest.mark.parametrize(("tier", "together"), [(Tier.GLOBAL, True), (Tier.EMBEDDING, False)])
async def test_acts_are_counted_by_themselves_but_for_the_global_tier(
    network: Network, ada: Member, tier: Tier, *, together: bool
) -> None:
    first = await network.services.throttling.count(tier, "one act", ada.caller, HERE)
    second = await network.services.throttling.count(tier, "another", ada.caller, HERE)
    assert (second.remaining < first.remaining) is together
