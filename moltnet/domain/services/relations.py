"""Delivery of outbox messages to an external permission store: at least once, in order within each partition."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from uuid import UUID
from weakref import WeakValueDictionary

import attrs

from moltnet.domain.errors import Unavailable
from moltnet.domain.outbox import Change, OutboxMessage, PermissionWorkflow, RelationsPending
from moltnet.domain.sharing import ShareStatus
from moltnet.ports.permissions import RelationStore
from moltnet.ports.storage import Storage, UnitOfWork
from moltnet.ports.system import Clock
from moltnet.ports.workflows import Json, JsonObject, Steps, WorkflowBody, Workflows

_log = logging.getLogger(__name__)

# Anyone who has claimed an outbox message has it this long, and gives up well before: nobody else must meet a call
# under way.
CLAIM_LIFETIME = timedelta(seconds=5)
DELIVERY_WITHIN_S = 4.0
DELIVERY_ATTEMPTS = 5
COMPLETE_WITHIN_S = 10.0
RECONCILED_PARTITIONS = 500


@attrs.frozen(kw_only=True)
class RelationDelivery:
    """Delivers outbox messages, one at a time in each partition, whichever process began; none without a store."""

    storage: Storage
    store: RelationStore | None
    clock: Clock
    within_s: float = DELIVERY_WITHIN_S
    _locks: WeakValueDictionary[UUID, asyncio.Lock] = attrs.field(init=False, factory=WeakValueDictionary)

    def workflows(self) -> Mapping[str, WorkflowBody]:
        """The bodies of the permission workflows, by name; there are none without a store.

        Source: docs/reference/data.md, "Workflows".
        """
        return MappingProxyType(dict.fromkeys(PermissionWorkflow, self.run) if self.store else {})

    async def run(self, steps: Steps, argument: JsonObject) -> Json:
        """A permission workflow: an outbox message and all before it in its partition."""
        partition_key, through = UUID(str(argument["lane"])), int(str(argument["number"]))
        return await steps.step("deliver", lambda: self.deliver(partition_key, through), DELIVERY_ATTEMPTS)

    async def deliver(self, partition_key: UUID, through: int) -> None:
        """What is pending of a partition up to this number; raises Unavailable while it does not hold.

        Those who deliver a partition in one process wait for one another; of several processes all but one are refused.
        """
        async with self._locks.setdefault(partition_key, asyncio.Lock()):
            while (claim := await self._claimed(partition_key, through)) is not None:
                await self._carry_out(*claim)

    async def reconcile(self) -> None:
        """Delivers what is pending after a crash or an outage, of every partition. Failures are logged and left.

        What another process has claimed is left to it, or to the next sweep.
        """
        async with self.storage.autocommit() as work:
            latest = await work.outbox.latest_per_partition(RECONCILED_PARTITIONS)
        for message in latest:
            try:
                await self.deliver(message.change.partition_key, message.number)
            except Exception as failure:  # noqa: BLE001  # logged; other lanes are not kept waiting by this one
                _log.warning("relations of %s are still to be delivered: %r", message.change.partition_key, failure)

    async def _claimed(self, partition_key: UUID, through: int) -> tuple[OutboxMessage, datetime] | None:
        at = self.clock.now()
        until = at + CLAIM_LIFETIME
        async with self.storage.autocommit() as work:
            message = await work.outbox.claim(partition_key, through, at, until)
            if message is None and any(each.number <= through for each in await work.outbox.pending_in(partition_key)):
                raise RelationsPending
        return (message, until) if message else None

    async def _carry_out(self, message: OutboxMessage, until: datetime) -> None:
        try:
            async with asyncio.timeout(self.within_s):
                await self._apply(message.change)
        except BaseException as failure:
            await self._leave(message, lambda work: work.outbox.release(message, until))
            if isinstance(failure, TimeoutError):
                raise RelationsPending from failure
            raise
        await self._leave(message, lambda work: work.outbox.complete(message))

    async def _leave(self, message: OutboxMessage, end: Callable[[UnitOfWork], Awaitable[bool]]) -> None:
        async with self.storage.autocommit() as work:
            is_ours = await end(work)
        if not is_ours:
            # The claim was outlived: another has delivered this outbox message, and perhaps later ones before our call.
            _log.warning(
                "relations of %s were delivered late: what is true is delivered again", message.change.partition_key
            )
            async with self.storage.transaction() as work:
                await _say_again(work, message.change)

    async def _apply(self, change: Change) -> None:
        if self.store is None:
            raise RelationsPending
        for pattern in change.removed:
            await self.store.delete(pattern)
        if change.written is not None:
            await self.store.write(change.written)


@attrs.frozen(kw_only=True)
class RelationService:
    """Lets a use case answer only when what it committed holds."""

    workflows: Workflows
    within_s: float = COMPLETE_WITHIN_S

    async def complete(self, outbox: Sequence[OutboxMessage]) -> None:
        """Waits until the outbox messages of a committed unit of work are delivered; at once where there are none.

        Raises RelationsPending when they are not in time. They stay committed, count in every answer of this network,
        and are delivered later (ADR-15).
        """
        try:
            async with asyncio.timeout(self.within_s):
                for message in outbox:
                    argument: JsonObject = {"lane": str(message.change.partition_key), "number": message.number}
                    await self.workflows.start(message.change.workflow, message.workflow_id, argument)
                for message in outbox:
                    await self.workflows.result(message.workflow_id)
        except (TimeoutError, Unavailable) as failure:
            raise RelationsPending from failure


async def _say_again(work: UnitOfWork, late: Change) -> None:
    """Commits what is true of whatever a late delivery was about."""
    diary, agent, entry = late.diary_id, late.agent_id, late.entry_id
    if diary is None:
        if agent and await work.agents.find(agent) is None:
            await work.outbox.add(Change(workflow=PermissionWorkflow.FORGET_AGENT, agent_id=agent))
    elif await work.diaries.find(diary) is None:
        await work.outbox.add(Change.removing(diary))
    elif entry and await work.entries.find(diary, entry) is None:
        await work.outbox.add(
            Change(workflow=PermissionWorkflow.REMOVE_ENTRY_RELATIONS, diary_id=diary, entry_id=entry)
        )
    elif agent:
        # Removed first: from then on nobody else adds to the partition, so anyone who revokes this share comes
        # afterwards.
        await work.outbox.add(Change.removing(diary, agent))
        share = await work.shares.find_for(diary, agent)
        if share and share.status is ShareStatus.ACCEPTED:
            await work.outbox.add(Change.granting(diary, share.role.relation, agent))
