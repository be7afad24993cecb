"""A whole network, from its settings until its context is left."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing, asynccontextmanager
from datetime import datetime, timedelta
from functools import partial
from importlib import import_module
from typing import TypeAlias

import attrs
from dependency_injector import providers

from moltnet.adapters.memory.embedding import MemoryEmbedder
from moltnet.adapters.memory.storage import MemoryStorage
from moltnet.adapters.memory.system import MemoryClock
from moltnet.adapters.memory.workflows import MemoryWorkflows
from moltnet.adapters.system import SystemClock
from moltnet.domain.caller import Quota
from moltnet.domain.errors import Unavailable
from moltnet.domain.services import Services
from moltnet.domain.services.indexing import ReembeddingService
from moltnet.domain.services.models import Models
from moltnet.domain.services.relations import RelationDelivery
from moltnet.domain.services.transparency import TransparencyService
from moltnet.entrypoints.container.administration import secret_named
from moltnet.entrypoints.container.databases import replicas_of, supervised_database, workflows_address
from moltnet.entrypoints.container.models import models_of
from moltnet.entrypoints.container.ory import Ory, ory_of
from moltnet.entrypoints.container.telemetry import (
    COUNTED_EVERY_S,
    NetworkGauges,
    TracedWorkflows,
    traced_bodies,
    traced_services,
)
from moltnet.entrypoints.container.wiring import Parts, UseCases
from moltnet.entrypoints.settings import RateLimitStore, Settings
from moltnet.ports.feed import FeedEvents
from moltnet.ports.identity import ClientInvalidations
from moltnet.ports.permissions import RelationStore
from moltnet.ports.requests import RateLimits
from moltnet.ports.storage import Replicas, Storage, Work, WorkEvents
from moltnet.ports.system import Clock, ReadinessCheck
from moltnet.ports.telemetry import NO_TELEMETRY, Telemetry
from moltnet.ports.workflows import Backoff, WorkflowBody, Workflows

_log = logging.getLogger(__name__)

MAINTENANCE_EVERY_S = 5
RECONCILE_INTERVAL_S = 3
LOG_EXTENDED_EVERY_S = 1
LOG_FAILED_S = 5
CANCEL_AGAIN_S = 0.1
# How soon leaves are found whose announcement was missed; an announced one is in the log within the second above.
LOG_LOOKED_FOR_S = 30.0
# How soon entries without vectors are found, and one process goes on where another ended; models are announced.
EMBEDDING_IDLE_S = 10.0
EMBEDDING_FAILED_S = 30.0
BACKOFF = Backoff(first_s=0.1)

LaunchWorkflows: TypeAlias = Callable[[Mapping[str, WorkflowBody]], AbstractAsyncContextManager[Workflows]]


@asynccontextmanager
async def network(
    settings: Settings, base_url: str, *, with_model: bool = True, telemetry: Telemetry = NO_TELEMETRY
) -> AsyncIterator[Services]:
    """A whole network on PostgreSQL, migrated and ready, until the context is left.

    Without its model it works on words alone and says so loudly.
    """
    durable = _load_durable()
    from moltnet.adapters.postgres.health_check import DiskSpace, PostgresReadiness  # noqa: PLC0415  # heavy
    from moltnet.adapters.postgres.migrate import migrate as migrate_database  # noqa: PLC0415  # heavy
    from moltnet.adapters.postgres.notifications import PostgresNotifications  # noqa: PLC0415  # heavy
    from moltnet.adapters.postgres.storage import PostgresStorage  # noqa: PLC0415  # heavy

    async with AsyncExitStack() as stack:
        served = stack.enter_context(supervised_database(settings))
        address, disk_space = served.address, DiskSpace()
        await migrate_database(address)
        storage = await stack.enter_async_context(
            PostgresStorage.open(
                address, max_connections=settings.max_connections, disk_space=disk_space, telemetry=telemetry
            )
        )
        readiness = await stack.enter_async_context(aclosing(PostgresReadiness(address, disk_space, served.check)))
        notifications = await stack.enter_async_context(PostgresNotifications.open(address))
        models = (
            await stack.enter_async_context(models_of(settings, storage, telemetry)) if with_model else Models(None)
        )
        limits = await stack.enter_async_context(_limits(settings, address))
        infrastructure = Infrastructure(
            storage=storage,
            replicas=await stack.enter_async_context(replicas_of(settings, storage)),
            events=notifications,
            work=notifications,
            models=models,
            limits=limits,
            client_invalidations=notifications,
            workflows=partial(durable, workflows_address(settings, address)),
            ory=stack.enter_context(ory_of(settings.ory, telemetry)),
            readiness=readiness,
            telemetry=telemetry,
        )
        yield await stack.enter_async_context(assembled(settings, base_url, infrastructure))


@asynccontextmanager
async def network_in_memory(
    settings: Settings, base_url: str, *, with_model: bool = False, clock: Clock | None = None
) -> AsyncIterator[Services]:
    """A whole network without a database; it is forgotten when the context is left.

    Without the model, texts are near that share words or parts of words. Without a clock, the system's is used.
    """
    async with AsyncExitStack() as stack:
        storage = MemoryStorage()
        models = (
            await stack.enter_async_context(models_of(settings, storage)) if with_model else Models(MemoryEmbedder())
        )
        infrastructure = Infrastructure(
            storage=storage, events=storage.events, work=storage.events, models=models, clock=clock
        )
        yield await stack.enter_async_context(assembled(settings, base_url, infrastructure))


@attrs.frozen(kw_only=True)
class Infrastructure:
    """What a network stands on.

    Without `limits`, requests are counted in this process alone; without `workflows`, what is unfinished ends with it.
    """

    storage: Storage
    events: FeedEvents
    models: Models
    # Who tells that there is work; without, it is looked for every second.
    work: WorkEvents | None = None
    limits: RateLimits | None = None
    # Where identities, tokens and permissions live; without it, with the data.
    ory: Ory | None = None
    # Where permissions live, if neither with the data nor in Ory.
    relation_store: RelationStore | None = None
    # Who tells of changed clients; without, each request reads its own.
    client_invalidations: ClientInvalidations | None = None
    workflows: LaunchWorkflows | None = None
    # Where dear looks are made; without, where the storage writes.
    replicas: Replicas | None = None
    # Whether the storage can do its work; without one, it always can.
    readiness: ReadinessCheck | None = None
    # What the time is, if not the system's time.
    clock: Clock | None = None
    telemetry: Telemetry = NO_TELEMETRY


def clock_at(at: datetime) -> MemoryClock:
    """A clock that is turned by hand; no two looks at it are alike, so that what is stored has an order."""
    return MemoryClock(at, tick=timedelta(microseconds=1))


@asynccontextmanager
async def assembled(settings: Settings, base_url: str, infrastructure: Infrastructure) -> AsyncIterator[Services]:
    """The services over an infrastructure; what they left running has ended with the context."""
    parts = Parts(settings=settings, base_url=base_url, infrastructure=providers.Object(infrastructure))
    if infrastructure.clock is not None:
        parts.clock.override(providers.Object(infrastructure.clock))
    if infrastructure.workflows is not None:  # else there is no earlier key, and 50 ms of CPU wait for the first token
        with secret_named():
            await parts.token_keys().prepare()
    launch, telemetry = infrastructure.workflows or _in_memory, infrastructure.telemetry
    work = infrastructure.work or _Unannounced()
    try:
        # The bodies are there before the launch, which takes up what an earlier process left unfinished.
        async with launch(traced_bodies(parts.workflow_bodies(), telemetry)) as launched:
            workflows = TracedWorkflows.of(launched, telemetry)
            services: Services = UseCases(parts=parts, workflows=providers.Object(workflows)).services()
            services = traced_services(services, telemetry)
            await _extend_log(services.transparency)
            maintenance = [
                asyncio.create_task(task)
                for task in (
                    _run_maintenance(services),
                    _reconcile_relations(parts.delivery()),
                    _run_reembedding(services.reembedding, work),
                    _run_log(services.transparency, work),
                    services.readiness.watch(),
                    _count_network(services, workflows, settings.quota),
                )
            ]
            try:
                yield services
            finally:
                for task in maintenance:
                    await _cancelled(task)
    finally:
        await parts.background().aclose()
        parts.workers().close()


async def _cancelled(task: asyncio.Task[None]) -> None:
    # The pool waits by asyncio.wait_for, which before Python 3.12 loses a cancellation that comes as it succeeds.
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=CANCEL_AGAIN_S)


@asynccontextmanager
async def _limits(settings: Settings, address: str) -> AsyncIterator[RateLimits | None]:
    if settings.rate_limit_store is RateLimitStore.MEMORY:
        yield None
        return
    from moltnet.adapters.postgres.limits import PostgresRateLimits  # noqa: PLC0415  # heavy

    async with PostgresRateLimits.open(address, SystemClock()) as limits:
        yield limits


async def _run_maintenance(services: Services) -> None:
    while True:
        try:
            await services.maintenance.clear_counts()
            await services.schedule.begin_due()
        except Exception:  # noqa: BLE001  # logged; see below
            # What was not cleared up this time is cleared up next time; serving continues.
            _log.exception("housekeeping failed")
        await asyncio.sleep(MAINTENANCE_EVERY_S)


async def _count_network(services: Services, workflows: Workflows, quota: Quota) -> None:
    gauges = NetworkGauges(services, workflows, quota) if services.telemetry.is_on else None
    while gauges is not None:
        await gauges.count()
        await asyncio.sleep(COUNTED_EVERY_S)


async def _reconcile_relations(delivery: RelationDelivery) -> None:
    # At once, for what a crash has left; and then ever again, for what an outage has.
    while delivery.store is not None:
        try:
            await delivery.reconcile()
        except Exception:  # noqa: BLE001  # logged, and tried again
            _log.exception("relations were not swept")
        await asyncio.sleep(RECONCILE_INTERVAL_S)


class _Unannounced:
    """The port `WorkEvents` where nobody tells: there may always be some."""

    async def announced(self, work: Work, within_s: float) -> None:  # noqa: ARG002  # as the port says
        await asyncio.sleep(min(within_s, LOG_EXTENDED_EVERY_S))


async def _run_reembedding(reembedding: ReembeddingService, work: WorkEvents) -> None:
    """Embeds until it is cancelled; one step after the other while there is something to do."""
    while True:
        try:
            if not await reembedding.run():
                await work.announced(Work.MODELS, EMBEDDING_IDLE_S)
        except Exception:  # noqa: BLE001  # logged; serving goes on, and what was done so far is in the store
            _log.exception("re-embedding failed")
            await asyncio.sleep(EMBEDDING_FAILED_S)


async def _run_log(transparency: TransparencyService, work: WorkEvents) -> None:
    """Puts what is pending into the open log until it is cancelled: once a second at most, unless there is too much."""
    while True:
        pause = await _extend_log(transparency)
        await asyncio.sleep(pause)
        if pause == LOG_EXTENDED_EVERY_S:
            await work.announced(Work.LOG, LOG_LOOKED_FOR_S)


async def _extend_log(transparency: TransparencyService) -> float:
    """Does it once; answers how many seconds later to do it again."""
    try:
        return 0.0 if await transparency.extend() else LOG_EXTENDED_EVERY_S
    except Unavailable as failure:
        _log.warning("the open log was not extended: %s", failure)
    except Exception:  # noqa: BLE001  # logged; what is pending stays so
        _log.exception("the open log was not extended")
    return LOG_FAILED_S


@asynccontextmanager
async def _in_memory(bodies: Mapping[str, WorkflowBody]) -> AsyncIterator[Workflows]:
    """Workflows that end with this process, finished or not."""
    workflows = MemoryWorkflows(bodies, backoff=BACKOFF)
    try:
        yield workflows
    finally:
        await workflows.aclose()


def _load_durable() -> Callable[[str, Mapping[str, WorkflowBody]], AbstractAsyncContextManager[Workflows]]:
    """Begins to load the library, half a second of imports that go by while the database starts.

    What it answers launches workflows that are stored in the database of an address.
    """
    loading = asyncio.get_running_loop().run_in_executor(None, import_module, "moltnet.adapters.dbos.launch")

    @asynccontextmanager
    async def launch(address: str, bodies: Mapping[str, WorkflowBody]) -> AsyncIterator[Workflows]:
        async with (await loading).launched(address, bodies, BACKOFF) as workflows:
            yield workflows

    return launch
