"""The port `Vouchers`."""

import asyncio
from datetime import timedelta

import attrs
import pytest

from moltnet.domain.agents import Agent, ProfileNotFound
from moltnet.domain.constraints import Page
from moltnet.domain.ids import AgentId
from moltnet.domain.vouching import MAX_OPEN_VOUCHERS, VOUCHER_LIFETIME, Edge, IssueContended, Voucher
from moltnet.ports.storage import Storage
from tests.support.builders import NOON, a_voucher, an_agent
from tests.support.stored import joined

ALL = Page(100)
MICROSECOND = timedelta(microseconds=1)
EXPIRY = NOON + VOUCHER_LIFETIME


async def issued(storage: Storage, *vouchers: Voucher) -> list[bool]:
    answers = []
    for voucher in vouchers:
        async with storage.transaction() as work:
            answers.append(await work.vouchers.issue(voucher))
    return answers


async def redeemed(storage: Storage, voucher: Voucher, agent_id: AgentId, at: timedelta = timedelta()) -> bool:
    async with storage.transaction() as work:
        return await work.vouchers.redeem(voucher.code, agent_id, NOON + at)


async def found(storage: Storage, voucher: Voucher) -> Voucher | None:
    async with storage.snapshot() as work:
        return await work.vouchers.find(voucher.code)


async def test_an_unknown_code_is_none(storage: Storage) -> None:
    assert await found(storage, a_voucher()) is None


async def test_a_voucher_is_found_as_it_was_issued(storage: Storage, agent: Agent) -> None:
    voucher = a_voucher(issuer=agent.id, at=NOON + MICROSECOND)
    assert await issued(storage, voucher) == [True]
    assert await found(storage, voucher) == voucher


async def test_an_issuer_must_be_stored(storage: Storage) -> None:
    voucher = a_voucher()
    with pytest.raises(ProfileNotFound):
        await issued(storage, voucher)
    assert await found(storage, voucher) is None


# Five open ones


async def test_an_issuer_has_five_open_vouchers_at_most(storage: Storage, agent: Agent) -> None:
    vouchers = [a_voucher(issuer=agent.id) for _ in range(MAX_OPEN_VOUCHERS + 1)]
    assert await issued(storage, *vouchers) == [True] * MAX_OPEN_VOUCHERS + [False]
    assert await found(storage, vouchers[-1]) is None


async def test_another_issuers_vouchers_do_not_count(storage: Storage, agent: Agent) -> None:
    other = await joined(storage)
    await issued(storage, *(a_voucher(issuer=other.id) for _ in range(MAX_OPEN_VOUCHERS)))
    assert await issued(storage, a_voucher(issuer=agent.id)) == [True]


async def test_a_redeemed_voucher_no_longer_counts(storage: Storage, agent: Agent) -> None:
    first, *rest = (a_voucher(issuer=agent.id) for _ in range(MAX_OPEN_VOUCHERS))
    await issued(storage, first, *rest)
    await redeemed(storage, first, (await joined(storage)).id)
    assert await issued(storage, *(a_voucher(issuer=agent.id) for _ in range(2))) == [True, False]


@pytest.mark.parametrize(("at", "free"), [(EXPIRY - MICROSECOND, False), (EXPIRY, True)])
async def test_a_voucher_no_longer_counts_in_the_moment_it_expires(
    storage: Storage, agent: Agent, at: object, *, free: bool
) -> None:
    await issued(storage, *(a_voucher(issuer=agent.id) for _ in range(MAX_OPEN_VOUCHERS)))
    late = attrs.evolve(a_voucher(issuer=agent.id), created_at=at, expires_at=EXPIRY + VOUCHER_LIFETIME)
    assert await issued(storage, late) == [free]


async def test_parallel_issues_never_exceed_the_limit(storage: Storage, agent: Agent) -> None:
    await issued(storage, *(a_voucher(issuer=agent.id) for _ in range(MAX_OPEN_VOUCHERS - 1)))

    async def issue() -> bool:
        while True:
            try:
                return (await issued(storage, a_voucher(issuer=agent.id)))[0]
            except IssueContended:
                continue

    assert sum(await asyncio.gather(*(issue() for _ in range(5)))) == 1
    async with storage.snapshot() as work:
        assert len(await work.vouchers.open_of(agent.id, NOON)) == MAX_OPEN_VOUCHERS


# Redeemed once


async def test_a_redeemed_voucher_remembers_by_whom_and_when(storage: Storage, agent: Agent) -> None:
    voucher, newcomer = a_voucher(issuer=agent.id), await joined(storage)
    await issued(storage, voucher)
    assert await redeemed(storage, voucher, newcomer.id, MICROSECOND)
    assert await found(storage, voucher) == voucher.redeem(newcomer.id, NOON + MICROSECOND)


async def test_an_unknown_code_admits_nobody(storage: Storage, agent: Agent) -> None:
    assert not await redeemed(storage, a_voucher(), agent.id)


@pytest.mark.parametrize(("after", "admits"), [(VOUCHER_LIFETIME - MICROSECOND, True), (VOUCHER_LIFETIME, False)])
async def test_a_voucher_admits_until_it_expires(
    storage: Storage, agent: Agent, after: timedelta, *, admits: bool
) -> None:
    voucher, newcomer = a_voucher(issuer=agent.id), await joined(storage)
    await issued(storage, voucher)
    assert await redeemed(storage, voucher, newcomer.id, after) is admits
    assert (await found(storage, voucher) != voucher) is admits


async def test_a_repeated_redemption_succeeds_and_changes_nothing(storage: Storage, agent: Agent) -> None:
    voucher, newcomer = a_voucher(issuer=agent.id), await joined(storage)
    await issued(storage, voucher)
    assert await redeemed(storage, voucher, newcomer.id)
    for later in (MICROSECOND, VOUCHER_LIFETIME):
        assert await redeemed(storage, voucher, newcomer.id, later)
    assert await found(storage, voucher) == voucher.redeem(newcomer.id, NOON)


async def test_a_redeemed_voucher_keeps_the_mark_of_the_first_time(storage: Storage, agent: Agent) -> None:
    marked, unmarked, newcomer = a_voucher(issuer=agent.id), a_voucher(issuer=agent.id), await joined(storage)
    await issued(storage, marked, unmarked)
    async with storage.transaction() as work:
        assert await work.vouchers.redeem(marked.code, newcomer.id, NOON, b"first")
        assert await work.vouchers.redeem(unmarked.code, newcomer.id, NOON)
    async with storage.transaction() as work:
        assert await work.vouchers.redeem(marked.code, newcomer.id, NOON, b"second")
        assert await work.vouchers.redeem(unmarked.code, newcomer.id, NOON, b"second")
    assert await found(storage, marked) == marked.redeem(newcomer.id, NOON, b"first")
    assert await found(storage, unmarked) == unmarked.redeem(newcomer.id, NOON)
    async with storage.transaction() as work:
        await work.agents.remove(newcomer.id)
    assert await found(storage, marked) == marked


async def test_a_voucher_admits_one_agent(storage: Storage, agent: Agent) -> None:
    voucher, first, second = a_voucher(issuer=agent.id), await joined(storage), await joined(storage)
    await issued(storage, voucher)
    assert await redeemed(storage, voucher, first.id)
    assert not await redeemed(storage, voucher, second.id)
    assert await found(storage, voucher) == voucher.redeem(first.id, NOON)


async def test_of_parallel_redemptions_one_succeeds(storage: Storage, agent: Agent) -> None:
    voucher, newcomers = a_voucher(issuer=agent.id), [await joined(storage) for _ in range(4)]
    await issued(storage, voucher)
    answers = await asyncio.gather(*(redeemed(storage, voucher, newcomer.id) for newcomer in newcomers))
    assert sum(answers) == 1
    winner = newcomers[answers.index(True)]
    assert await found(storage, voucher) == voucher.redeem(winner.id, NOON)


# Listed


async def test_open_vouchers_come_oldest_first(storage: Storage, agent: Agent) -> None:
    newer, older = a_voucher(issuer=agent.id, at=NOON + MICROSECOND), a_voucher(issuer=agent.id)
    used, others = a_voucher(issuer=agent.id), a_voucher(issuer=(await joined(storage)).id)
    await issued(storage, newer, older, used, others)
    await redeemed(storage, used, (await joined(storage)).id)
    async with storage.snapshot() as work:
        assert await work.vouchers.open_of(agent.id, NOON) == [older, newer]
        assert await work.vouchers.open_of(agent.id, EXPIRY) == [newer]
        assert await work.vouchers.open_of(agent.id, EXPIRY + MICROSECOND) == []


async def test_the_graph_shows_who_vouched_for_whom_newest_first(storage: Storage, agent: Agent) -> None:
    newcomers = [await joined(storage) for _ in range(3)]
    vouchers = [a_voucher(issuer=agent.id) for _ in newcomers]
    await issued(storage, *vouchers, a_voucher(issuer=agent.id))
    edges = []
    for step, (voucher, newcomer) in enumerate(zip(vouchers, newcomers, strict=True)):
        await redeemed(storage, voucher, newcomer.id, step * MICROSECOND)
        at = NOON + step * MICROSECOND
        edges.append(Edge(issuer=agent.fingerprint, redeemer=newcomer.fingerprint, redeemed_at=at))
    async with storage.snapshot() as work:
        assert await work.vouchers.graph(ALL) == edges[::-1]
        assert await work.vouchers.graph(Page(1, 1)) == [edges[1]]
        assert await work.vouchers.graph(Page(2, 3)) == []


async def test_the_graph_shows_only_members(storage: Storage) -> None:
    issuer, member, leaver = await joined(storage), await joined(storage), await joined(storage)
    vouchers = [*(a_voucher(issuer=issuer.id) for _ in range(3)), a_voucher(issuer=leaver.id)]
    await issued(storage, *vouchers)
    not_yet_a_member = an_agent()
    for voucher, newcomer in zip(vouchers, (member, leaver, not_yet_a_member, await joined(storage)), strict=True):
        await redeemed(storage, voucher, newcomer.id)
    async with storage.transaction() as work:
        await work.agents.remove(leaver.id)
    async with storage.snapshot() as work:
        assert [edge.redeemer for edge in await work.vouchers.graph(ALL)] == [member.fingerprint]


async def test_only_vouchers_that_expired_unredeemed_are_forgotten(storage: Storage, agent: Agent) -> None:
    old, used, later = (a_voucher(issuer=agent.id, at=NOON + at) for at in (timedelta(), timedelta(), MICROSECOND * 2))
    assert await issued(storage, old, used, later) == [True] * 3
    assert await redeemed(storage, used, (await joined(storage)).id)
    async with storage.autocommit() as work:
        assert await work.vouchers.purge(EXPIRY) == 0
        assert await work.vouchers.purge(EXPIRY + MICROSECOND) == 1
    assert await found(storage, old) is None
    assert await found(storage, used)
    assert await found(storage, later)


async def grown(storage: Storage, *parents: int) -> list[Agent]:
    """Agents, each but the first vouched for by an earlier one, a microsecond after the other."""
    agents = [await joined(storage)]
    for number, parent in enumerate(parents, start=1):
        agents.append(await joined(storage))
        voucher = a_voucher(issuer=agents[parent].id)
        await issued(storage, voucher)
        await redeemed(storage, voucher, agents[number].id, MICROSECOND * number)
    return agents


async def test_a_lineage_leads_to_the_first_agent(storage: Storage) -> None:
    agents = await grown(storage, 0, 1, 2, 1)
    async with storage.snapshot() as work:
        lineage = await work.vouchers.lineage(agents[3].id, 9)
        assert await work.vouchers.lineage(agents[3].id, 2) == lineage[:2]
        assert await work.vouchers.lineage(agents[0].id, 9) == []
    assert [edge.issuer for edge in lineage] == [agents[number].fingerprint for number in (2, 1, 0)]
    assert lineage[0].redeemed_at == NOON + MICROSECOND * 3


async def test_descendants_come_a_generation_at_a_time(storage: Storage) -> None:
    agents = await grown(storage, 0, 0, 1, 3)
    async with storage.snapshot() as work:
        within_two = await work.vouchers.descendants(agents[0].id, 2, 9)
        assert await work.vouchers.descendants(agents[0].id, 1, 9) == within_two[:2]
        assert len(await work.vouchers.descendants(agents[0].id, 2, 1)) == 1
        assert await work.vouchers.descendants(agents[4].id, 2, 9) == []
    assert [edge.redeemer for edge in within_two] == [agents[number].fingerprint for number in (2, 1, 3)]
