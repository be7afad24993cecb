"""A whole network, from its settings until its context is left."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import attrs
from dependency_injector import providers

from moltnet.adapters.system.clock import SystemClock
from moltnet.domain.services import Services
from moltnet.entrypoints.container.databases import database
from moltnet.entrypoints.container.models import embedder_of
from moltnet.entrypoints.container.ory import ory_in_place
from moltnet.entrypoints.container.sealing import secret_named
from moltnet.entrypoints.container.wiring import Container
from moltnet.entrypoints.settings import RateLimitStore, Settings
from moltnet.ports.embedding import Embedder
from moltnet.ports.events import FeedEvents
from moltnet.ports.limits import RateLimits
from moltnet.ports.storage import Storage

_log = logging.getLogger(__name__)

HOUSEKEEPING_EVERY_S = 60
CANCEL_AGAIN_S = 0.1


@asynccontextmanager
async def network(settings: Settings, base_url: str, *, with_model: bool = True) -> AsyncIterator[Services]:
    """A whole network on PostgreSQL, migrated and ready, until the context is left.

    Without its model it works on words alone and says so loudly.
    """
    from moltnet.adapters.postgres.events import PostgresFeedEvents  # noqa: PLC0415  # heavy
    from moltnet.adapters.postgres.migrate import migrate as migrate_database  # noqa: PLC0415  # heavy
    from moltnet.adapters.postgres.storage import PostgresStorage  # noqa: PLC0415  # heavy

    async with AsyncExitStack() as stack:
        address = stack.enter_context(database(settings))
        await migrate_database(address)
        storage = await stack.enter_async_context(
            PostgresStorage.open(address, max_connections=settings.max_connections)
        )
        events = await stack.enter_async_context(PostgresFeedEvents.open(address))
        embedder = await stack.enter_async_context(embedder_of(settings)) if with_model else None
        limits = await stack.enter_async_context(_limits(settings, address))
        place = stack.enter_context(ory_in_place(settings))
        foundation = Foundation(storage=storage, events=events, embedder=embedder, limits=limits, place=place)
        yield await stack.enter_async_context(assembled(settings, base_url, foundation))


@attrs.frozen(kw_only=True)
class Foundation:
    """What a network stands on; without `limits`, requests are counted in this process alone.

    `place` puts adapters of other services in the place of the native ones.
    """

    storage: Storage
    events: FeedEvents
    embedder: Embedder | None
    limits: RateLimits | None = None
    place: Callable[[Container], None] = lambda _: None


@asynccontextmanager
async def assembled(settings: Settings, base_url: str, foundation: Foundation) -> AsyncIterator[Services]:
    """The services over a foundation; what they left running has ended with the context."""
    container = Container(
        settings=settings,
        base_url=base_url,
        storage=providers.Object(foundation.storage),
        events=providers.Object(foundation.events),
        embedder=providers.Object(foundation.embedder),
    )
    if foundation.limits is not None:
        container.limits.override(providers.Object(foundation.limits))
    foundation.place(container)
    with secret_named():
        await container.token_keys().prepare()
    services: Services = container.services()
    housekeeping = asyncio.create_task(_keep_house(services))
    try:
        yield services
    finally:
        await _cancelled(housekeeping)
        await container.workflows().aclose()
        await container.background().aclose()


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


async def _keep_house(services: Services) -> None:
    while True:
        try:
            await services.housekeeping.run()
        except Exception:  # noqa: BLE001  # logged; see below
            # What was not cleared up this time is cleared up next time; serving goes on.
            _log.exception("housekeeping failed")
        await asyncio.sleep(HOUSEKEEPING_EVERY_S)
