"""What registers a new agent, within the unit of work of the caller."""

from datetime import datetime

from moltnet.domain.agents import KeyTaken
from moltnet.domain.diaries import FIRST_DIARY, Diary
from moltnet.domain.ids import AgentId, DiaryId
from moltnet.domain.keys import PublicKey
from moltnet.domain.permissions import Relation
from moltnet.domain.vouching import Voucher, VoucherNotFound, VoucherRedeemed
from moltnet.ports.permissions import Pending, Permissions
from moltnet.ports.storage import UnitOfWork


async def check_admission(work: UnitOfWork, code: str, key: PublicKey, at: datetime) -> None:
    """Whether a key may come in on a voucher as things are; raises RegistrationRefused in its kinds, and KeyTaken."""
    voucher = await work.vouchers.find(code)
    if voucher is None:
        raise VoucherNotFound
    voucher.redeem(voucher.issuer_id, at)
    if await work.agents.find_by_key(key):
        raise KeyTaken


async def voucher_of(work: UnitOfWork, code: str, key: PublicKey) -> Voucher | None:
    """The voucher of a code, if it was spent on the agent of this key."""
    voucher, agent = await work.vouchers.find(code), await work.agents.find_by_key(key)
    return voucher if voucher is not None and agent is not None and voucher.redeemed_by == agent.id else None


async def redeem(work: UnitOfWork, code: str, agent_id: AgentId, at: datetime, mark: bytes | None = None) -> None:
    """Spends a voucher on an agent, once; raises RegistrationRefused in its three kinds.

    `mark` is what its caller is recognised by later.
    """
    if await work.vouchers.redeem(code, agent_id, at, mark):
        return
    voucher = await work.vouchers.find(code)
    if voucher is None:
        raise VoucherNotFound
    voucher.redeem(agent_id, at)
    raise VoucherRedeemed  # Open again by now, but somebody else held it at the decisive moment.


async def open_first_diary(
    work: UnitOfWork, permissions: Permissions, diary_id: DiaryId, owner: AgentId, at: datetime
) -> Pending:
    """Makes the private diary every agent begins with; answers what is left to deliver.

    Source: docs/reference/endpoints.md, "Registration".
    """
    await work.diaries.add(Diary(id=diary_id, owner_id=owner, name=FIRST_DIARY, created_at=at, updated_at=at))
    return await permissions.grant(work, diary_id, Relation.OWNER, owner)
