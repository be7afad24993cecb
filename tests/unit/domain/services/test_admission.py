"""What lets a newcomer in, within whoever's unit of work."""

import pytest

from moltnet.adapters.builtin.permissions import BuiltinPermissions
from moltnet.adapters.memory.storage import MemoryStorage
from moltnet.domain.agents import Agent
from moltnet.domain.diaries import Visibility
from moltnet.domain.ids import AgentId, DiaryId
from moltnet.domain.permissions import Relation
from moltnet.domain.services.agents import open_first_diary, redeem
from moltnet.domain.vouching import (
    VOUCHER_LIFETIME,
    RegistrationRefused,
    Voucher,
    VoucherExpired,
    VoucherNotFound,
    VoucherRedeemed,
)
from tests.support.builders import NOON, a_voucher, an_id
from tests.support.interruptions import Calls, InterruptedStorage
from tests.support.stored import joined


@pytest.fixture
def calls() -> Calls:
    return Calls()


@pytest.fixture
def storage(calls: Calls) -> InterruptedStorage:
    return InterruptedStorage(MemoryStorage(), calls)


@pytest.fixture
async def newcomer(storage: InterruptedStorage) -> Agent:
    return await joined(storage)


@pytest.fixture
async def voucher(storage: InterruptedStorage) -> Voucher:
    """An open voucher of a member's."""
    voucher = a_voucher(issuer=(await joined(storage)).id)
    async with storage.transaction() as work:
        assert await work.vouchers.issue(voucher)
    return voucher


async def redeemed_by(storage: InterruptedStorage, voucher: Voucher) -> AgentId | None:
    async with storage.snapshot() as work:
        kept = await work.vouchers.find(voucher.code)
    assert kept is not None
    return kept.redeemed_by


async def test_a_voucher_is_spent_on_one_agent(storage: InterruptedStorage, newcomer: Agent, voucher: Voucher) -> None:
    for _ in range(2):  # a step that is taken twice
        async with storage.transaction() as work:
            await redeem(work, voucher.code, newcomer.id, NOON)
    async with storage.autocommit() as work:
        with pytest.raises(VoucherRedeemed):
            await redeem(work, voucher.code, AgentId(an_id()), NOON)
    assert await redeemed_by(storage, voucher) == newcomer.id


async def test_what_is_no_open_voucher_is_refused_by_its_reason(
    storage: InterruptedStorage, newcomer: Agent, voucher: Voucher
) -> None:
    async with storage.autocommit() as work:
        with pytest.raises(VoucherNotFound):
            await redeem(work, "0" * 64, newcomer.id, NOON)
        with pytest.raises(VoucherExpired):
            await redeem(work, voucher.code, newcomer.id, NOON + VOUCHER_LIFETIME)
    assert await redeemed_by(storage, voucher) is None
    assert {VoucherNotFound.__base__, VoucherExpired.__base__, VoucherRedeemed.__base__} == {RegistrationRefused}


async def test_a_voucher_that_somebody_held_at_the_decisive_moment_counts_as_redeemed(
    storage: InterruptedStorage, newcomer: Agent, voucher: Voucher, calls: Calls
) -> None:
    other = await joined(storage)
    async with storage.transaction() as work:
        await redeem(work, voucher.code, other.id, NOON)

    async def the_other_is_undone() -> None:
        async with storage.transaction() as work:
            await work.agents.remove(other.id)

    calls.before("vouchers.find", [the_other_is_undone])
    async with storage.autocommit() as work:
        with pytest.raises(VoucherRedeemed):
            await redeem(work, voucher.code, newcomer.id, NOON)
    assert await redeemed_by(storage, voucher) is None


async def test_the_first_diary_is_private_and_the_newcomers_own(storage: InterruptedStorage, newcomer: Agent) -> None:
    diary_id = DiaryId(an_id())
    for _ in range(2):
        async with storage.transaction() as work:
            await open_first_diary(work, BuiltinPermissions(), diary_id, newcomer.id, NOON)
    async with storage.snapshot() as work:
        (diary,) = await work.diaries.owned_by(newcomer.id)
        assert (diary.id, diary.name, diary.visibility) == (diary_id, "Private", Visibility.PRIVATE)
        assert (await work.diaries.find_with_relations(diary_id, newcomer.id))[1] == {Relation.OWNER}
