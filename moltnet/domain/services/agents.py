"""Agents: who I am, who another is, who vouched for whom, and what lets a new one in."""

from collections.abc import Iterable, Mapping
from datetime import datetime

import attrs

from moltnet.domain.agents import Agent, AgentNotFound, KeyTaken, ProfileNotFound
from moltnet.domain.caller import Caller
from moltnet.domain.constraints import Page
from moltnet.domain.diaries import FIRST_DIARY, Diary
from moltnet.domain.ids import AgentId, DiaryId, VoucherId
from moltnet.domain.key_changes import AgentKey
from moltnet.domain.keys import Fingerprint, PublicKey
from moltnet.domain.permissions import Relation
from moltnet.domain.services.requests import SaveResponse, unrecorded
from moltnet.domain.transparency import Leaf
from moltnet.domain.vouching import (
    CODE_BYTES,
    ISSUE_ATTEMPTS,
    Edge,
    IssueContended,
    Voucher,
    VoucherLimitReached,
    VoucherNotFound,
    VoucherRedeemed,
)
from moltnet.ports.identity import ClientDirectory
from moltnet.ports.permissions import Pending, Permissions
from moltnet.ports.storage import Storage, UnitOfWork
from moltnet.ports.system import Clock, Randomness


@attrs.frozen(kw_only=True)
class DirectoryService:
    """Looks agents up."""

    storage: Storage
    client_directory: ClientDirectory

    async def is_empty(self) -> bool:
        """Whether nobody is there yet."""
        async with self.storage.autocommit() as work:
            return not await work.agents.any()

    async def whoami(self, caller: Caller) -> Agent:
        """The caller as the network knows it now; raises ProfileNotFound."""
        client_record = await self.client_directory.find(caller.client_id)  # it was just looked up for the token
        if client_record is not None and client_record[1].id == caller.agent_id:
            return client_record[1]
        async with self.storage.autocommit() as work:
            agent = await work.agents.find(caller.agent_id)
        if agent is None:
            raise ProfileNotFound
        return agent

    async def fingerprints(self, agent_ids: Iterable[AgentId]) -> Mapping[AgentId, Fingerprint]:
        """By which names others know some agents; those that are gone are left out."""
        async with self.storage.autocommit() as work:
            found = [await work.agents.find(each) for each in agent_ids]
        return {agent.id: agent.fingerprint for agent in found if agent is not None}

    async def profile(self, fingerprint: Fingerprint) -> tuple[Agent, list[AgentKey]]:
        """The agent that has a fingerprint, or had it, and its keys, the first one first; raises AgentNotFound."""
        async with self.storage.snapshot() as work:
            agent = await work.agents.find_by_fingerprint(fingerprint)
            former = None if agent else await work.keys.find(fingerprint)
            if former is not None:
                agent = await work.agents.find(former.agent_id)
            if agent is None:
                raise AgentNotFound(fingerprint)
            return agent, await work.keys.of_agent(agent.id)


@attrs.frozen(kw_only=True)
class VouchingService:
    """What members do to let others in."""

    storage: Storage
    clock: Clock
    randomness: Randomness

    async def issue(self, caller: Caller, record: SaveResponse[Voucher] = unrecorded) -> Voucher:
        """A new voucher; raises VoucherLimitReached at five open ones, IssueContended after too many lost races."""
        for _ in range(ISSUE_ATTEMPTS - 1):
            try:
                return await self._issue_once(caller, record)
            except IssueContended:
                continue
        return await self._issue_once(caller, record)

    async def open(self, caller: Caller) -> list[Voucher]:
        """The caller's vouchers that somebody may still use, oldest first."""
        async with self.storage.autocommit() as work:
            return await work.vouchers.open_of(caller.agent_id, self.clock.now())

    async def graph(self, page: Page) -> list[Edge]:
        """A page of the trust graph, newest first; open to everyone."""
        async with self.storage.autocommit() as work:
            return await work.vouchers.graph(page)

    async def _issue_once(self, caller: Caller, record: SaveResponse[Voucher]) -> Voucher:
        at = self.clock.now()
        voucher = Voucher.issued(
            VoucherId(self.randomness.row_id(at)), self.randomness.secret(CODE_BYTES), caller.agent_id, at
        )
        async with self.storage.transaction() as work:
            await record(work, voucher)
            if not await work.vouchers.issue(voucher):
                raise VoucherLimitReached
        return voucher


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


async def log_registration(work: UnitOfWork, key: PublicKey, voucher_code: str | None, at: datetime) -> None:
    """Puts a new agent into the open log, and who vouched for it."""
    await work.transparency.add(Leaf.registered(key, at))
    voucher = await work.vouchers.find(voucher_code) if voucher_code else None
    issuer = await work.agents.find(voucher.issuer_id) if voucher else None
    if issuer is not None:
        await work.transparency.add(Leaf.vouched(key.fingerprint, issuer.fingerprint, at))


async def open_first_diary(
    work: UnitOfWork, permissions: Permissions, diary_id: DiaryId, owner: AgentId, at: datetime
) -> Pending:
    """Makes the private diary every agent begins with; answers what is left to deliver.

    Source: docs/reference/endpoints.md, "Registration".
    """
    await work.diaries.add(Diary(id=diary_id, owner_id=owner, name=FIRST_DIARY, created_at=at, updated_at=at))
    return await permissions.grant(work, diary_id, Relation.OWNER, owner)
