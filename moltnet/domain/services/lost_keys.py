"""A key that is lost: another one asks for its place, waits, and takes it unless it is vetoed.

Source: docs/reference/signatures.md, "A lost key".
"""

import hashlib
from datetime import datetime, timedelta

import attrs

from moltnet.domain.agents import Agent, KeyTaken
from moltnet.domain.audit import AuditAction, AuditEvent
from moltnet.domain.caller import Caller
from moltnet.domain.challenges import NetworkAddress
from moltnet.domain.constraints import Page
from moltnet.domain.ids import AgentId
from moltnet.domain.key_changes import KeyMoved
from moltnet.domain.keys import Fingerprint, PublicKey, UnusableKey, decode_signature
from moltnet.domain.lost_keys import (
    VETO_GENERATIONS,
    LostKey,
    LostKeyNotFound,
    LostKeyNotSigned,
    LostKeyOfAnother,
    LostKeyOver,
    LostKeyStatement,
)
from moltnet.domain.services.keys import ANSWER_WITHIN_S, CHANGE_KEY, change_argument
from moltnet.ports.keys import Signatures
from moltnet.ports.storage import Storage, UnitOfWork
from moltnet.ports.system import Clock
from moltnet.ports.workflows import Workflows


@attrs.frozen(kw_only=True)
class LostKeyService:
    """Lets a new key wait for a lost one's place, lets those object who should know, and gives it the place.

    `waiting` is how long a key waits.
    """

    storage: Storage
    workflows: Workflows
    signatures: Signatures
    clock: Clock
    network: NetworkAddress
    waiting: timedelta

    async def report(self, caller: Caller, payload: bytes, signature: str) -> LostKey:
        """The key of a statement begins to wait; the caller is the agent that lost its key, or who vouched for it.

        Raises MissingScope for a token that was narrowed, MalformedStatement, StatementRefused, UnusableKey,
        LostKeyNotSigned, LostKeyOfAnother, KeyMoved where the lost key is no agent's present one, LostKeyOpen and
        KeyTaken.
        """
        caller.require_all()
        statement, at = LostKeyStatement.parse(payload), self.clock.now()
        statement.check(self.network, at)
        if not self.signatures.is_usable(statement.key):
            raise UnusableKey
        raw = decode_signature(signature)
        if raw is None or not self.signatures.verify(statement.key, statement.signing_input, raw):
            raise LostKeyNotSigned
        async with self.storage.transaction() as work:
            agent = await work.agents.find_by_key(statement.former)
            # Held, so that a rotation comes first, and this is refused, or second, and ends this.
            if agent is None or not await work.keys.hold(agent.id, statement.former):
                raise KeyMoved
            voucher = next(iter(await _vouched(work, agent.id, 1)), None)
            await _check_own(work, caller, agent.id, [voucher] if voucher else [])
            if await work.keys.find(statement.key.fingerprint):
                raise KeyTaken
            lost = LostKey.reported(
                statement, raw, agent_id=agent.id, asked_by=caller.agent_id, at=at, waiting=self.waiting
            )
            await work.lost_keys.add(lost)
            # Each learns of it whom it concerns and who did not ask.
            other = voucher if agent.id == caller.agent_id else agent
            await work.audit.add(_event(caller, AuditAction.KEY_LOST, lost, at, other.id if other else None))
        return lost

    async def waiting_keys(self, page: Page) -> list[LostKey]:
        """A page of the keys that wait, the latest first; open to everyone."""
        async with self.storage.autocommit() as work:
            return await work.lost_keys.open(self.clock.now(), page)

    async def of_caller(self, caller: Caller) -> LostKey | None:
        """The key that waits for the caller's place."""
        async with self.storage.autocommit() as work:
            return await work.lost_keys.of_agent(caller.agent_id, self.clock.now())

    async def veto(self, caller: Caller, fingerprint: Fingerprint) -> None:
        """Ends the waiting of a key, at the word of its agent, or of those whose vouches led to the agent.

        Raises MissingScope for a token that was narrowed, LostKeyNotFound, LostKeyOfAnother, and LostKeyOver.
        """
        caller.require_all()
        at = self.clock.now()
        async with self.storage.transaction() as work:
            lost = await work.lost_keys.find(fingerprint)
            if lost is None:
                raise LostKeyNotFound
            await _check_own(work, caller, lost.agent_id, await _vouched(work, lost.agent_id, VETO_GENERATIONS))
            if not await work.lost_keys.end(lost.key, at):
                raise LostKeyOver
            other = lost.asked_by if lost.agent_id == caller.agent_id else lost.agent_id
            await work.audit.add(_event(caller, AuditAction.LOST_KEY_VETOED, lost, at, other))

    async def complete(self, key: PublicKey) -> Agent | None:
        """The agent whose place a key has that was just proven, if it waited for one; None if it did not.

        Raises LostKeyWaits before its time, LostKeyOver where a veto came first, KeyTaken where another agent has the
        key by now, and WorkflowUnfinished as a rotation does.
        """
        at = self.clock.now()
        async with self.storage.autocommit() as work:
            lost = await work.lost_keys.find(key.fingerprint)
        if lost is None or lost.key != key or not lost.is_open(at):
            return None
        workflow_id = f"key-{hashlib.sha256(lost.payload).hexdigest()}"
        await self.workflows.start(CHANGE_KEY, workflow_id, change_argument(lost.change(at)))
        await self.workflows.result(workflow_id, ANSWER_WITHIN_S)
        async with self.storage.autocommit() as work:
            return await work.agents.find_by_key(key)


async def _vouched(work: UnitOfWork, agent_id: AgentId, generations: int) -> list[Agent]:
    """Who vouched for an agent, then who vouched for that one, and so on."""
    edges = await work.vouchers.lineage(agent_id, generations)
    found = [await work.agents.find_by_fingerprint(edge.issuer) for edge in edges]
    return [agent for agent in found if agent is not None]


async def _check_own(work: UnitOfWork, caller: Caller, agent_id: AgentId, vouched: list[Agent]) -> None:
    """Raises LostKeyOfAnother unless the caller is the agent, or one of those, with the key that it has now."""
    if caller.agent_id not in {agent_id, *(each.id for each in vouched)}:
        raise LostKeyOfAnother
    if not await work.keys.hold(caller.agent_id, caller.public_key):
        raise KeyMoved


def _event(caller: Caller, action: AuditAction, lost: LostKey, at: datetime, other: AgentId | None) -> AuditEvent:
    detail = f"{lost.former.fingerprint} to {lost.key.fingerprint}"
    return AuditEvent.by(caller, action, at, subject_id=other, detail=detail)
