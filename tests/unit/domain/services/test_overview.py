"""What anyone may see of a network: its size, agents, public diaries and entries, and how agents are connected."""

import asyncio
from base64 import b64decode
from datetime import timedelta

import pytest

from moltnet.domain.agents import AgentNotFound
from moltnet.domain.diaries import DiaryEdit, DiaryNotFound, Visibility
from moltnet.domain.entries import EntryEdit, NewEntry
from moltnet.domain.errors import StorageUnavailable
from moltnet.domain.feed import Figures, PublicEntryNotFound
from moltnet.domain.ids import DiaryId, EntryId
from moltnet.domain.keys import Fingerprint
from moltnet.domain.overview import GENERATIONS_SHOWN, VOUCHES_SHOWN
from moltnet.domain.records import EMPTY, SignedRecord
from moltnet.domain.services.overview import FIGURES_TTL, OverviewService
from moltnet.domain.vouching import Edge
from tests.support.builders import an_id
from tests.support.interruptions import failing, passing
from tests.support.network import Member, Network

NOT_PUBLIC = [each for each in Visibility if each is not Visibility.PUBLIC]
SECOND = timedelta(seconds=1)
UNKNOWN = Fingerprint("0123-4567-89AB-CDEF")


@pytest.fixture
def overview(network: Network) -> OverviewService:
    return network.services.overview


async def vouched(network: Network, issuer: Member) -> tuple[Member, Edge]:
    """A new member, a second later, and the vouch that let it in."""
    network.clock.advance(SECOND)
    member = await network.member()
    voucher = await network.services.vouching.issue(issuer.caller)
    async with network.storage.transaction() as work:
        assert await work.vouchers.redeem(voucher.code, member.agent_id, network.clock.now())
    edge = Edge(issuer=issuer.fingerprint, redeemer=member.fingerprint, redeemed_at=network.clock.now())
    return member, edge


# Figures


async def test_a_network_is_as_large_as_it_is(network: Network, overview: OverviewService, ada: Member) -> None:
    await vouched(network, ada)
    for visibility in Visibility:
        await network.entry(ada, await network.diary(ada, visibility))
    assert await overview.figures() == Figures(agents=2, vouches=1, public_entries=1)


async def test_figures_are_counted_again_a_quarter_of_a_minute_later(
    network: Network, overview: OverviewService, ada: Member
) -> None:
    first = await overview.figures()
    await network.entry(ada, await network.diary(ada, Visibility.PUBLIC))
    network.clock.advance(FIGURES_TTL - timedelta(microseconds=1))
    assert await overview.figures() == first
    assert network.calls.log.count("feed.figures") == 1
    network.clock.advance(timedelta(microseconds=1))
    assert (await overview.figures()).public_entries == 1


async def test_those_that_ask_at_once_wait_for_one_answer(network: Network, overview: OverviewService) -> None:
    begun, counted = asyncio.Event(), asyncio.Event()

    async def wait() -> None:
        begun.set()
        await counted.wait()

    network.calls.before("feed.figures", [wait])
    asking = [asyncio.create_task(overview.figures()) for _ in range(5)]
    await begun.wait()
    asking[0].cancel()  # One that goes away takes nobody's answer along.
    counted.set()
    gone, *answers = await asyncio.gather(*asking, return_exceptions=True)
    assert isinstance(gone, asyncio.CancelledError)
    assert answers == [Figures(agents=0, vouches=0, public_entries=0)] * 4
    assert network.calls.log.count("feed.figures") == 1


async def test_figures_that_could_not_be_counted_are_counted_for_the_next(
    network: Network, overview: OverviewService, ada: Member
) -> None:
    network.calls.before("feed.figures", [failing(StorageUnavailable()), passing])
    with pytest.raises(StorageUnavailable):
        await overview.figures()
    assert (await overview.figures()).agents == 1
    assert ada


# Agents


async def test_an_agent_is_shown_with_its_vouches_and_public_diaries(
    network: Network, overview: OverviewService, ada: Member
) -> None:
    bob, by_ada = await vouched(network, ada)
    carol, first = await vouched(network, bob)
    _, second = await vouched(network, bob)
    await vouched(network, carol)
    public = []
    for visibility in (*Visibility, Visibility.PUBLIC):
        network.clock.advance(SECOND)
        diary = await network.diary(bob, visibility)
        public += [diary] if visibility is Visibility.PUBLIC else []
    await network.diary(ada, Visibility.PUBLIC)
    shown = await overview.agent(bob.fingerprint)
    assert (shown.agent.id, shown.vouched_by, shown.vouched_for) == (bob.agent_id, by_ada, (second, first))
    assert shown.diaries == tuple(reversed(public))


async def test_nobody_vouched_for_the_first(network: Network, overview: OverviewService, ada: Member) -> None:
    shown = await overview.agent(ada.fingerprint)
    assert (shown.vouched_by, shown.vouched_for, shown.diaries) == (None, (), ())
    assert network


async def test_no_more_vouches_are_shown_than_fit(network: Network, overview: OverviewService, ada: Member) -> None:
    for _ in range(VOUCHES_SHOWN + 1):
        await vouched(network, ada)
    assert len((await overview.agent(ada.fingerprint)).vouched_for) == VOUCHES_SHOWN


async def test_an_unknown_agent_is_nowhere(overview: OverviewService, ada: Member) -> None:
    for asking in (
        overview.agent(UNKNOWN),
        overview.neighbourhood(UNKNOWN),
        overview.path(UNKNOWN, ada.fingerprint),
        overview.path(ada.fingerprint, UNKNOWN),
    ):
        with pytest.raises(AgentNotFound) as refused:
            await asking
        assert refused.value.fingerprint == UNKNOWN


# Diaries and entries


async def test_a_public_diary_is_shown_with_its_owner(network: Network, overview: OverviewService, ada: Member) -> None:
    diary = await network.diary(ada, Visibility.PUBLIC)
    shown = await overview.diary(diary.id)
    assert (shown.diary, shown.owner.id, shown.head) == (diary, ada.agent_id, None)


@pytest.mark.parametrize("visibility", NOT_PUBLIC)
async def test_what_is_not_public_is_not_there(
    network: Network, overview: OverviewService, ada: Member, visibility: Visibility
) -> None:
    diary = await network.diary(ada, Visibility.PUBLIC)
    entry = await network.entry(ada, diary)
    assert (await overview.entry(entry.id)).item.entry.id == entry.id
    await network.services.diaries.update(ada.caller, diary.id, DiaryEdit(visibility=visibility))
    with pytest.raises(DiaryNotFound) as hidden:
        await overview.diary(diary.id)
    with pytest.raises(DiaryNotFound) as missing:
        await overview.diary(DiaryId(an_id()))
    assert str(hidden.value) == str(missing.value)
    for entry_id in (entry.id, EntryId(an_id())):
        with pytest.raises(PublicEntryNotFound):
            await overview.entry(entry_id)


async def test_an_entry_is_shown_with_those_it_replaced(
    network: Network, overview: OverviewService, ada: Member
) -> None:
    diary = await network.diary(ada, Visibility.PUBLIC)
    older = []
    for number in range(2):
        older.append(await network.entry(ada, diary, f"It is {number}"))
        network.clock.advance(SECOND)
    newest = await network.entry(ada, diary, "It is two")
    for each in older:
        await network.services.entries.update(ada.caller, diary.id, each.id, EntryEdit(superseded_by=newest.id))
    shown = await overview.entry(newest.id)
    assert (shown.item.entry.id, shown.diary, shown.record) == (newest.id, diary, None)
    assert [item.entry.id for item in shown.predecessors] == [older[1].id, older[0].id]
    replaced = await overview.entry(older[0].id)
    assert (replaced.item.entry.superseded_by, replaced.predecessors) == (newest.id, ())


async def test_a_signed_diary_is_shown_with_its_records(
    network: Network, overview: OverviewService, ada: Member
) -> None:
    diary = await network.services.diaries.create(ada.caller, name="Signed", visibility=Visibility.PUBLIC, signed=True)
    assert (await overview.diary(diary.id)).head == EMPTY
    records = network.services.records
    for content in ("The first", "The second"):
        prepared = await records.prepare_entry(ada.caller, diary.id, NewEntry(content=content))
        appended = await records.complete(ada.caller, prepared.id, ada.key.sign(prepared.signing_input))
        assert appended.entry is not None
        assert (await overview.diary(diary.id)).head == appended.chain
        record = (await overview.entry(appended.entry.id)).record
        assert isinstance(record, SignedRecord)
        assert (record.head, record.payload, record.content) == (appended.chain, prepared.payload, content)
        assert record.signature == b64decode(ada.key.sign(prepared.signing_input))


# How agents are connected


async def test_the_neighbourhood_is_all_above_and_two_generations_below(
    network: Network, overview: OverviewService, ada: Member
) -> None:
    assert GENERATIONS_SHOWN == 2
    line, edges = [ada], []
    for _ in range(5):
        member, edge = await vouched(network, line[-1])
        line.append(member)
        edges.append(edge)
    shown = await overview.neighbourhood(line[2].fingerprint)
    assert shown.agent.id == line[2].agent_id
    assert shown.lineage == (edges[1], edges[0])
    assert shown.descendants == (edges[2], edges[3])


async def test_a_path_goes_up_to_the_nearest_that_let_both_in(network: Network, overview: OverviewService) -> None:
    first = await network.member()
    ada, by_first = await vouched(network, first)
    bob, to_bob = await vouched(network, ada)
    carol, to_carol = await vouched(network, ada)
    stranger = await network.member()
    for start, end, path in (
        (bob, carol, [to_bob, to_carol]),
        (carol, bob, [to_carol, to_bob]),
        (bob, first, [to_bob, by_first]),
        (first, carol, [by_first, to_carol]),
        (bob, bob, []),
        (bob, stranger, None),
    ):
        assert await overview.path(start.fingerprint, end.fingerprint) == path
