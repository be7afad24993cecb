"""Issuing vouchers, one's open ones, and the graph of who vouched for whom."""

import asyncio
from datetime import timedelta
from itertools import repeat

import pytest

from moltnet.domain.agents import ProfileNotFound
from moltnet.domain.constraints import Page
from moltnet.domain.vouching import (
    ISSUE_ATTEMPTS,
    MAX_OPEN_VOUCHERS,
    VOUCHER_LIFETIME,
    Edge,
    IssueContended,
    Voucher,
    VoucherLimitReached,
)
from tests.support.builders import NOON, a_caller
from tests.support.interruptions import failing
from tests.support.network import Member, Network, a_key_pair

ALL = Page(100)
SECOND = timedelta(seconds=1)
CONTENDED = failing(IssueContended())


async def test_a_voucher_is_open_for_a_day(network: Network, ada: Member) -> None:
    voucher = await network.services.vouching.issue(ada.caller)
    assert (voucher.issuer_id, voucher.created_at) == (ada.agent_id, NOON)
    network.clock.advance(VOUCHER_LIFETIME - timedelta(microseconds=1))
    assert await network.services.vouching.open(ada.caller) == [voucher]
    network.clock.advance(timedelta(microseconds=1))
    assert await network.services.vouching.open(ada.caller) == []


async def test_each_code_is_unlike_the_others(network: Network, ada: Member) -> None:
    codes = {(await network.services.vouching.issue(ada.caller)).code for _ in range(MAX_OPEN_VOUCHERS)}
    assert len(codes) == MAX_OPEN_VOUCHERS
    assert {len(code) for code in codes} == {64}


async def test_my_open_vouchers_stand_oldest_first_and_are_mine_alone(
    network: Network, ada: Member, bob: Member
) -> None:
    issued = []
    for issuer in (ada, bob, ada):
        issued.append(await network.services.vouching.issue(issuer.caller))
        network.clock.advance(SECOND)
    assert await network.services.vouching.open(ada.caller) == [issued[0], issued[2]]


async def test_five_are_open_at_most(network: Network, ada: Member, bob: Member) -> None:
    for _ in range(MAX_OPEN_VOUCHERS):
        first = await network.services.vouching.issue(ada.caller)
    with pytest.raises(VoucherLimitReached):
        await network.services.vouching.issue(ada.caller)
    assert await network.services.vouching.issue(bob.caller)
    await network.services.registration.register(a_key_pair().public_key.text, first.code)
    assert await network.services.vouching.issue(ada.caller)


async def test_expired_vouchers_leave_room(network: Network, ada: Member) -> None:
    for _ in range(MAX_OPEN_VOUCHERS):
        await network.services.vouching.issue(ada.caller)
    network.clock.advance(VOUCHER_LIFETIME)
    fresh = await network.services.vouching.issue(ada.caller)
    assert await network.services.vouching.open(ada.caller) == [fresh]


async def test_many_at_once_are_five(network: Network, ada: Member) -> None:
    issuing = (network.services.vouching.issue(ada.caller) for _ in range(MAX_OPEN_VOUCHERS + 3))
    answers = await asyncio.gather(*issuing, return_exceptions=True)
    assert [type(answer) for answer in answers].count(Voucher) == MAX_OPEN_VOUCHERS
    assert [type(answer) for answer in answers].count(VoucherLimitReached) == 3


async def test_lost_races_are_run_again(network: Network, ada: Member) -> None:
    network.calls.before("vouchers.issue", repeat(CONTENDED, ISSUE_ATTEMPTS - 1))
    voucher = await network.services.vouching.issue(ada.caller)
    assert network.calls.log.count("vouchers.issue") == ISSUE_ATTEMPTS
    assert await network.services.vouching.open(ada.caller) == [voucher]


async def test_after_too_many_lost_races_the_caller_gets_an_error(network: Network, ada: Member) -> None:
    network.calls.before("vouchers.issue", repeat(CONTENDED, ISSUE_ATTEMPTS))
    with pytest.raises(IssueContended):
        await network.services.vouching.issue(ada.caller)
    assert network.calls.log.count("vouchers.issue") == ISSUE_ATTEMPTS
    assert await network.services.vouching.open(ada.caller) == []


async def test_a_full_number_is_reported_at_once_even_after_a_lost_race(network: Network, ada: Member) -> None:
    for _ in range(MAX_OPEN_VOUCHERS):
        await network.services.vouching.issue(ada.caller)
    network.calls.log.clear()
    network.calls.before("vouchers.issue", [CONTENDED])
    with pytest.raises(VoucherLimitReached):
        await network.services.vouching.issue(ada.caller)
    assert network.calls.log.count("vouchers.issue") == 2


async def test_who_is_no_member_vouches_for_nobody(network: Network) -> None:
    with pytest.raises(ProfileNotFound):
        await network.services.vouching.issue(a_caller())


async def test_the_graph_shows_who_vouched_for_whom_newest_first(network: Network, ada: Member, bob: Member) -> None:
    edges = []
    for issuer in (ada, bob, ada):
        network.clock.advance(SECOND)
        newcomer = a_key_pair().public_key
        voucher = await network.services.vouching.issue(issuer.caller)
        await network.services.registration.register(newcomer.text, voucher.code)
        at = network.clock.now()
        edges.append(Edge(issuer=issuer.fingerprint, redeemer=newcomer.fingerprint, redeemed_at=at))
    await network.services.vouching.issue(ada.caller)  # nobody came by this one
    assert await network.services.vouching.graph(ALL) == edges[::-1]
    assert await network.services.vouching.graph(Page(1, 1)) == [edges[1]]
