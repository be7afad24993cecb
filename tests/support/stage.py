"""Two agents, and everything between them that a crash can tear: as a database to copy, and as what they know."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import attrs

from moltnet.adapters.memory.storage import MemoryFeedEvents
from moltnet.adapters.nacl import NaclKeyPair
from moltnet.adapters.postgres.storage import PostgresStorage
from moltnet.domain.caller import Caller
from moltnet.domain.credentials import ALL_SCOPES
from moltnet.domain.diaries import Visibility
from moltnet.domain.entries import NewEntry
from moltnet.domain.services import Services
from moltnet.domain.services.models import Models
from moltnet.domain.sharing import ShareRole
from moltnet.entrypoints.container.networks import Infrastructure
from tests.support.networks import services_on
from tests.support.postgres import MIGRATED, a_copy
from tests.support.usecases import lost_long_ago


@attrs.frozen(kw_only=True)
class Player:
    """An agent on its own side."""

    keys: NaclKeyPair
    agent_id: UUID
    client_id: str
    secret: str
    token: str

    @property
    def caller(self) -> Caller:
        """As the use cases know it."""
        return Caller(
            agent_id=self.agent_id,  # type: ignore[arg-type]
            public_key=self.keys.public_key,
            client_id=UUID(self.client_id),  # type: ignore[arg-type]
            scopes=ALL_SCOPES,
            client_scopes=ALL_SCOPES,
        )


@attrs.frozen(kw_only=True)
class CrashStage:
    """What the play begins with: Ada offers Bob one diary and has shared another with him, and vouches for somebody.

    Carl has lost his key, and another one has waited for its place long enough. He has a signed diary of one record.
    """

    template: str
    ada: Player
    bob: Player
    newcomer: NaclKeyPair
    voucher: str
    offered: UUID
    invitation: UUID
    shared: UUID
    entry: UUID
    carl: Player
    waited: NaclKeyPair
    signed: UUID
    record: bytes

    @asynccontextmanager
    async def copy(self, name: str) -> AsyncIterator[str]:
        """A database of its own that begins so."""
        async with a_copy(self.template, name) as conninfo:
            yield conninfo


@asynccontextmanager
async def a_stage(name: str) -> AsyncIterator[CrashStage]:
    """A stage, in a database of this name that nobody uses but to copy it."""
    async with a_copy(MIGRATED, name) as conninfo:
        async with PostgresStorage.open(conninfo, max_connections=4) as storage:
            infrastructure = Infrastructure(storage=storage, events=MemoryFeedEvents(), models=Models(None))
            async with services_on(infrastructure) as services:
                stage = await _set(services, name)
        yield stage


async def _set(services: Services, template: str) -> CrashStage:
    ada, bob = await a_player(services), await a_player(services)
    offered = await services.diaries.create(ada.caller, name="offered", visibility=Visibility.PRIVATE)
    shared = await services.diaries.create(ada.caller, name="shared", visibility=Visibility.PRIVATE)
    entry = await services.entries.create(ada.caller, shared.id, NewEntry(content="What happened"))
    fingerprint = bob.keys.public_key.fingerprint
    invitation, other = [
        await services.sharing.share(ada.caller, diary.id, fingerprint, ShareRole.READER) for diary in (offered, shared)
    ]
    await services.sharing.accept(bob.caller, other.id)
    voucher = await services.vouching.issue(ada.caller)
    carl, waited = await a_player(services), NaclKeyPair.generate()
    signed = await services.diaries.create(carl.caller, name="signed", signed=True)
    prepared = await services.records.prepare_entry(carl.caller, signed.id, NewEntry(content="Signed"))
    await services.records.complete(carl.caller, prepared.id, carl.keys.sign(prepared.signing_input))
    return CrashStage(
        template=template,
        ada=ada,
        bob=bob,
        newcomer=NaclKeyPair.generate(),
        voucher=voucher.code,
        offered=offered.id,
        invitation=invitation.id,
        shared=shared.id,
        entry=entry.id,
        carl=carl,
        signed=signed.id,
        record=prepared.payload,
        waited=await lost_long_ago(services, carl.caller, waited),
    )


async def a_player(services: Services) -> Player:
    """A founder with a token."""
    keys = NaclKeyPair.generate()
    joined = await services.registration.genesis(keys.public_key.text)
    client_id, secret = str(joined.credentials.client_id), joined.credentials.secret
    token = await services.credentials.token(client_id, secret, None)
    return Player(keys=keys, agent_id=joined.agent_id, client_id=client_id, secret=secret, token=token.text)
