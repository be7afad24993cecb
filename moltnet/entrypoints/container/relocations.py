"""A network that is moved into Ory or out of it, while no server runs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from moltnet.adapters.builtin.client_directory import StoredClientDirectory
from moltnet.adapters.builtin.tokens import BuiltinClients
from moltnet.adapters.system.clock import SystemClock
from moltnet.adapters.system.randomness import SystemRandomness
from moltnet.domain.services.relations import RelationDelivery
from moltnet.domain.services.relocation import RelocationService
from moltnet.entrypoints.container.databases import database
from moltnet.entrypoints.container.ory import ory_opened
from moltnet.entrypoints.ory_settings import PROJECT
from moltnet.entrypoints.settings import Settings, SettingsInvalid


@asynccontextmanager
async def relocation(settings: Settings) -> AsyncIterator[RelocationService]:
    """The way between the database and the Ory that is set up. Raises SettingsInvalid when none is."""
    if settings.ory is None:
        raise SettingsInvalid(
            [f"{PROJECT}: required, or the six addresses of Ory: there is nowhere to move to or from"]
        )
    with database(settings) as address, ory_opened(settings.ory) as services:
        from moltnet.adapters.ory.clients import OryClients  # noqa: PLC0415  # heavy
        from moltnet.adapters.ory.identity import OryIdentityProvider  # noqa: PLC0415  # heavy
        from moltnet.adapters.ory.relations import OryRelationStore  # noqa: PLC0415  # heavy
        from moltnet.adapters.ory.schemas import AgentSchema  # noqa: PLC0415  # heavy
        from moltnet.adapters.postgres.migrate import migrate  # noqa: PLC0415  # heavy
        from moltnet.adapters.postgres.storage import PostgresStorage  # noqa: PLC0415  # heavy

        await migrate(address)
        clock, randomness = SystemClock(), SystemRandomness()
        relations = OryRelationStore(public=services.keto_public, admin=services.keto_admin)
        async with PostgresStorage.open(address, max_connections=2) as storage:
            yield RelocationService(
                storage=storage,
                identities=OryIdentityProvider(
                    public=services.kratos_public,
                    admin=services.kratos_admin,
                    schema=AgentSchema(services.kratos_public),
                    storage=storage,
                    randomness=randomness,
                    base_url=settings.url(settings.port),
                ),
                clients=OryClients(services.hydra_admin, storage, clock, randomness),
                relations=relations,
                delivery=RelationDelivery(storage=storage, store=relations, clock=clock),
                builtin_clients=BuiltinClients(storage, clock, randomness, StoredClientDirectory(storage)),
                clock=clock,
                randomness=randomness,
            )
