"""The use cases over any storage; entries are found by their words alone."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeVar

import attrs
from dependency_injector import providers

from moltnet.adapters.memory.storage import MemoryFeedEvents
from moltnet.adapters.memory.system import MemoryClock
from moltnet.adapters.memory.workflows import MemoryWorkflows
from moltnet.adapters.system import AsyncioBackground
from moltnet.domain.caller import Caller
from moltnet.domain.lost_keys import LostKeyStatement
from moltnet.domain.services import Services
from moltnet.domain.services.models import Models
from moltnet.domain.sharing import InvitationLimits
from moltnet.entrypoints.container.networks import Infrastructure
from moltnet.entrypoints.container.wiring import Parts, UseCases
from moltnet.ports.feed import FeedEvents
from moltnet.ports.keys import KeyPair
from moltnet.ports.permissions import Permissions, RelationStore
from moltnet.ports.storage import Storage
from moltnet.ports.system import Clock
from moltnet.ports.workflows import Backoff
from tests.support.networks import SETTINGS

KeyPairType = TypeVar("KeyPairType", bound=KeyPair)


async def tidied(services: Services) -> None:
    """Does every job to its end, as time would have it done."""
    await services.maintenance.clear_counts()
    for job in services.maintenance.jobs():
        while await job.batch():
            pass


async def lost_long_ago(services: Services, caller: Caller, key: KeyPairType) -> KeyPairType:
    """A key that an agent let wait for the place of its own so long ago that it may take it."""
    at = services.lost_keys.clock.now() - services.lost_keys.waiting
    then = attrs.evolve(services.lost_keys, clock=MemoryClock(at))
    statement = LostKeyStatement(network=then.network.text, former=caller.public_key, key=key.public_key, created_at=at)
    await then.report(caller, statement.payload, key.sign(statement.signing_input))
    return key


@asynccontextmanager
async def services_over(
    storage: Storage,
    clock: Clock,
    *,
    events: FeedEvents | None = None,
    permissions: Permissions | None = None,
    relation_store: RelationStore | None = None,
    invitation_limits: InvitationLimits | None = None,
) -> AsyncIterator[Services]:
    """The use cases of a network; what they left running has ended with the context."""
    background = AsyncioBackground()
    infrastructure = Infrastructure(
        storage=storage,
        events=events or MemoryFeedEvents(),
        models=Models(None),
        relation_store=relation_store,
    )
    parts = Parts(
        settings=SETTINGS, base_url="https://moltnet.example", infrastructure=providers.Object(infrastructure)
    )
    parts.clock.override(providers.Object(clock))
    parts.background.override(providers.Object(background))
    if invitation_limits is not None:
        parts.invitation_limits.override(providers.Object(invitation_limits))
    if permissions is not None:
        parts.permissions.override(providers.Object(permissions))
    workflows = MemoryWorkflows(parts.workflow_bodies(), backoff=Backoff(first_s=0))
    try:
        yield UseCases(parts=parts, workflows=providers.Object(workflows)).services()
    finally:
        await workflows.aclose()
        await background.aclose()
