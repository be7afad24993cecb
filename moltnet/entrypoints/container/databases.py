"""Where the database is: the one that is set, or the embedded one."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

import attrs

from moltnet.entrypoints.environment import private_data_folder
from moltnet.entrypoints.settings import Settings
from moltnet.ports.storage import Replicas, Storage

if TYPE_CHECKING:
    from moltnet.adapters.postgres.embedded import EmbeddedPostgres
    from moltnet.adapters.postgres.storage import PostgresStorage


@contextmanager
def database(settings: Settings) -> Iterator[str]:
    """The address of the database: the one that is set, or the embedded one, which is started if need be.

    It says how long a server that is cut off is waited for. Raises AddressUnreadable or EmbeddedUnavailable, with a
    sentence that says what to do.
    """
    from moltnet.adapters.postgres.session import with_limits  # noqa: PLC0415  # heavy

    if settings.database_url is not None:
        from moltnet.adapters.postgres.health_check import require_readable  # noqa: PLC0415  # heavy

        require_readable(settings.database_url)
        yield with_limits(settings.database_url)
        return
    with _embedded(settings) as embedded:
        yield with_limits(embedded.start())


@attrs.frozen
class SupervisedDatabase:
    """A database to serve from. `check` raises while the embedded one is known to be away."""

    address: str = attrs.field(repr=False)
    check: Callable[[], None] = lambda: None


@contextmanager
def supervised_database(settings: Settings) -> Iterator[SupervisedDatabase]:
    """As `database`, for a server: an embedded one that ends by itself is started again."""
    if settings.database_url is not None:
        with database(settings) as address:
            yield SupervisedDatabase(address)
        return
    from moltnet.adapters.postgres.session import with_limits  # noqa: PLC0415  # heavy

    with _embedded(settings) as embedded, embedded.supervised() as supervisor:
        yield SupervisedDatabase(with_limits(embedded.start()), supervisor.check)


@asynccontextmanager
async def stored(settings: Settings) -> AsyncIterator[Storage]:
    """What the network's database stores, for an operator's command; it is migrated first."""
    from moltnet.adapters.postgres.migrate import migrate as migrate_database  # noqa: PLC0415  # heavy
    from moltnet.adapters.postgres.storage import PostgresStorage  # noqa: PLC0415  # heavy

    with database(settings) as address:
        await migrate_database(address)
        async with PostgresStorage.open(address, max_connections=2) as storage:
            yield storage


@asynccontextmanager
async def replicas_of(settings: Settings, storage: "PostgresStorage") -> AsyncIterator[Replicas | None]:
    """The replicas that are set, if any."""
    if settings.replica_url is None:
        yield None
        return
    from moltnet.adapters.postgres.health_check import require_readable  # noqa: PLC0415  # heavy
    from moltnet.adapters.postgres.replicas import PostgresReplicas  # noqa: PLC0415  # heavy

    require_readable(settings.replica_url)
    connections = settings.max_connections
    async with PostgresReplicas.open(storage, settings.replica_url, max_connections=connections) as replicas:
        yield replicas


@contextmanager
def _embedded(settings: Settings) -> Iterator["EmbeddedPostgres"]:
    from moltnet.adapters.postgres.embedded import (  # noqa: PLC0415  # not needed with a set address
        EmbeddedPostgres,
        EmbeddedUnavailable,
    )

    try:
        private_data_folder(settings.data_dir)
    except OSError as error:
        raise EmbeddedUnavailable(
            f"The data folder {error.filename or settings.data_dir} cannot be used ({error.strerror}): "
            "make it usable for this user, or choose another with --data"
        ) from error
    with EmbeddedPostgres(settings.data_dir) as embedded:
        yield embedded


async def migrate(settings: Settings) -> list[str]:
    """Brings the network's schema up to date; answers the names of the steps taken."""
    from moltnet.adapters.postgres.migrate import migrate as migrate_database  # noqa: PLC0415  # heavy

    with database(settings) as address:
        return await migrate_database(address)


async def migrate_all(settings: Settings) -> list[str]:
    """The same, and makes the schema of the workflows, which a server makes as it starts if its role may."""
    from moltnet.adapters.dbos.connections import make_schema  # noqa: PLC0415  # heavy
    from moltnet.adapters.postgres.migrate import migrate as migrate_database  # noqa: PLC0415  # heavy

    with database(settings) as address:
        steps = await migrate_database(address)
        await asyncio.to_thread(make_schema, workflows_address(settings, address))
    return steps


def workflows_address(settings: Settings, address: str) -> str:
    """The address of the database that stores the workflows: one of their own, or the network's."""
    from moltnet.adapters.postgres.health_check import require_readable  # noqa: PLC0415  # heavy
    from moltnet.adapters.postgres.session import with_limits  # noqa: PLC0415  # heavy

    if settings.workflows_url is None:
        return address
    require_readable(settings.workflows_url)
    return with_limits(settings.workflows_url)
