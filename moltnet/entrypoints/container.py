"""Builds a network: the only room that knows every adapter. Heavy libraries are imported when they are needed."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
from dependency_injector import containers, providers

from moltnet.adapters.limits.limits import MemoryRateLimits
from moltnet.adapters.memory.workflows import Backoff, MemoryWorkflows
from moltnet.adapters.nacl.key_pairs import NaclKeyPair
from moltnet.adapters.nacl.signatures import NaclSignatures
from moltnet.adapters.native.identity import NativeIdentityProvider
from moltnet.adapters.native.keys import KeySeal, SigningKeyUnreadable, TokenKeys
from moltnet.adapters.native.permissions import NativePermissions
from moltnet.adapters.native.tokens import NativeClients, NativeTokenIssuer, NativeTokenVerifier
from moltnet.adapters.snowball.lexemes import SnowballLexemes
from moltnet.adapters.system.background import AsyncioBackground
from moltnet.adapters.system.clock import SystemClock
from moltnet.adapters.system.randomness import SystemRandomness
from moltnet.domain.search import EmbedderUnavailable
from moltnet.domain.services import Services
from moltnet.domain.services.access import DiaryAccess
from moltnet.domain.services.accesses import Accesses
from moltnet.domain.services.authentication import AuthenticationService
from moltnet.domain.services.credentials import CredentialService
from moltnet.domain.services.diaries import DiaryService
from moltnet.domain.services.directory import DirectoryService
from moltnet.domain.services.entries import EntryService
from moltnet.domain.services.feed import FeedService
from moltnet.domain.services.hooks import HookService
from moltnet.domain.services.housekeeping import HousekeepingService
from moltnet.domain.services.idempotency import IdempotencyService
from moltnet.domain.services.indexing import Indexing
from moltnet.domain.services.recovery import RecoveryService
from moltnet.domain.services.registration import REGISTER_AGENT, RegistrationService, RegistrationWorkflow
from moltnet.domain.services.retrieval import Retrieval
from moltnet.domain.services.search import SearchService
from moltnet.domain.services.sharing import SharingService
from moltnet.domain.services.signing import SigningService
from moltnet.domain.services.throttling import ThrottlingService
from moltnet.domain.services.vouching import VouchingService
from moltnet.entrypoints.settings import RECOVERY_SECRET, RateLimitStore, Settings
from moltnet.ports.embedding import Embedder
from moltnet.ports.events import FeedEvents
from moltnet.ports.limits import RateLimits
from moltnet.ports.signatures import KeyPair
from moltnet.ports.storage import Storage

if TYPE_CHECKING:
    from moltnet.adapters.onnx.embedding import OnnxEmbedder
    from moltnet.adapters.postgres.examination import DatabaseExamination

_log = logging.getLogger(__name__)

HOUSEKEEPING_EVERY_S = 60
BACKGROUND_PAUSE_S = 0.25
CANCEL_AGAIN_S = 0.1
# The issuer of tokens when no public address is set: servers on other ports of one data folder must know each other's.
LOCAL_ISSUER = "urn:moltnet:local"


class Container(containers.DeclarativeContainer):
    """How the parts of a network go together, whatever storage and model it stands on."""

    settings = providers.Dependency(instance_of=Settings)
    base_url = providers.Dependency(instance_of=str)
    storage: providers.Dependency[Storage] = providers.Dependency()
    events: providers.Dependency[FeedEvents] = providers.Dependency()
    embedder: providers.Dependency[Embedder | None] = providers.Dependency()

    issuer = providers.Callable(lambda settings: settings.public_url or LOCAL_ISSUER, settings)
    recovery_secret = settings.provided.recovery_secret

    clock = providers.Singleton(SystemClock)
    randomness = providers.Singleton(SystemRandomness)
    limits: providers.Provider[RateLimits] = providers.Singleton(MemoryRateLimits, clock=clock)
    background = providers.Singleton(AsyncioBackground, pause_s=BACKGROUND_PAUSE_S)
    signatures = providers.Singleton(NaclSignatures)
    lexemes = providers.Singleton(SnowballLexemes)
    permissions = providers.Singleton(NativePermissions)
    key_seal = providers.Singleton(KeySeal, settings.provided.key_secret)
    token_keys = providers.Singleton(TokenKeys, storage=storage, clock=clock, seal=key_seal)
    clients = providers.Singleton(NativeClients, storage=storage, clock=clock, randomness=randomness)
    identities = providers.Singleton(
        NativeIdentityProvider,
        storage=storage,
        clock=clock,
        randomness=randomness,
        base_url=base_url,
        secret=recovery_secret,
    )
    token_issuer = providers.Singleton(
        NativeTokenIssuer, storage=storage, clock=clock, randomness=randomness, keys=token_keys, issuer=issuer
    )
    token_verifier = providers.Singleton(
        NativeTokenVerifier,
        storage=storage,
        clock=clock,
        keys=token_keys,
        issuer=issuer,
        scopeless_tokens_have_all=settings.provided.scopeless_tokens_have_all,
    )
    registration_workflow = providers.Singleton(
        RegistrationWorkflow,
        storage=storage,
        identities=identities,
        clients=clients,
        permissions=permissions,
        clock=clock,
    )
    workflows = providers.Singleton(
        MemoryWorkflows,
        providers.Dict({REGISTER_AGENT: registration_workflow.provided.run}),
        backoff=Backoff(first_s=0.1),
    )

    access = providers.Singleton(DiaryAccess, permissions=permissions)
    accesses = providers.Singleton(Accesses, storage=storage, background=background, clock=clock)
    indexing = providers.Singleton(Indexing, embedder=embedder, lexemes=lexemes)
    retrieval = providers.Singleton(Retrieval, embedder=embedder, lexemes=lexemes, clock=clock)
    services = providers.Singleton(
        Services,
        authentication=providers.Singleton(AuthenticationService, tokens=token_verifier),
        credentials=providers.Singleton(CredentialService, clients=clients, issuer=token_issuer, identities=identities),
        diaries=providers.Singleton(
            DiaryService, storage=storage, access=access, permissions=permissions, clock=clock, randomness=randomness
        ),
        directory=providers.Singleton(DirectoryService, storage=storage),
        entries=providers.Singleton(
            EntryService,
            storage=storage,
            access=access,
            indexing=indexing,
            accesses=accesses,
            clock=clock,
            randomness=randomness,
            content_max=settings.provided.content_max,
        ),
        feed=providers.Singleton(FeedService, storage=storage, events=events, retrieval=retrieval),
        hooks=providers.Singleton(
            HookService,
            storage=storage,
            permissions=permissions,
            clients=clients,
            signatures=signatures,
            clock=clock,
            randomness=randomness,
        ),
        housekeeping=providers.Singleton(HousekeepingService, storage=storage, limits=limits, clock=clock),
        idempotency=providers.Singleton(IdempotencyService, storage=storage, clock=clock),
        recovery=providers.Singleton(
            RecoveryService,
            storage=storage,
            identities=identities,
            flows=identities,
            signatures=signatures,
            clock=clock,
            randomness=randomness,
            secret=recovery_secret,
        ),
        registration=providers.Singleton(
            RegistrationService,
            workflows=workflows,
            clients=clients,
            signatures=signatures,
            clock=clock,
            randomness=randomness,
        ),
        search=providers.Singleton(
            SearchService,
            storage=storage,
            access=access,
            permissions=permissions,
            retrieval=retrieval,
            accesses=accesses,
            clock=clock,
        ),
        sharing=providers.Singleton(
            SharingService, storage=storage, permissions=permissions, clock=clock, randomness=randomness
        ),
        signing=providers.Singleton(
            SigningService, storage=storage, signatures=signatures, clock=clock, randomness=randomness
        ),
        throttling=providers.Singleton(ThrottlingService, counts=limits, limits=settings.provided.rate_limits),
        vouching=providers.Singleton(VouchingService, storage=storage, clock=clock, randomness=randomness),
    )


def new_key_pair() -> KeyPair:
    """A fresh key pair for an agent of the operator's own."""
    return NaclKeyPair.generate()


@contextmanager
def database(settings: Settings) -> Iterator[str]:
    """The address of the database: the one that is set, or the embedded one, which is started if need be.

    Raises AddressUnreadable or EmbeddedUnavailable, with a sentence that says what to do.
    """
    if settings.database_url is not None:
        from moltnet.adapters.postgres.examination import require_readable  # noqa: PLC0415  # heavy

        require_readable(settings.database_url)
        yield settings.database_url
        return
    from moltnet.adapters.postgres.embedded import EmbeddedPostgres  # noqa: PLC0415  # not needed with a set address

    with EmbeddedPostgres(settings.data_dir) as embedded:
        yield embedded.start()


async def migrate(settings: Settings) -> list[str]:
    """Brings the schema up to date; answers the names of the steps taken."""
    from moltnet.adapters.postgres.migrate import migrate as migrate_database  # noqa: PLC0415  # heavy

    with database(settings) as address:
        return await migrate_database(address)


@attrs.frozen
class Examination:
    """The parts an operator can get wrong; each method answers what was seen or raises an error with advice."""

    settings: Settings
    database: "DatabaseExamination"
    _storage: Callable[[], AbstractAsyncContextManager[Storage]]

    async def keys(self) -> str:
        """That the keys tokens are signed with can be opened with this server's secret."""
        async with self._storage() as storage:
            keys = TokenKeys(storage=storage, clock=SystemClock(), seal=KeySeal(self.settings.key_secret))
            with _secret_named():
                return f"{len(await keys.published())} published"

    async def identity(self) -> str:
        """That the identity service answers."""
        async with self._storage() as storage, storage.reading() as work:
            empty = not await work.agents.any()
        return "native; nobody is there yet" if empty else "native; agents are there"

    async def model(self) -> str:
        """That the embedding model is there and computes."""
        embedder = await asyncio.to_thread(_load_model, self.settings.model_dir, 1)
        try:
            await embedder.embed_query("does it compute?")
        finally:
            await embedder.close()
        return embedder.model


@asynccontextmanager
async def examination(settings: Settings) -> AsyncIterator[Examination]:
    """Everything there is to look at, without changing it; the embedded database is started if need be."""
    from moltnet.adapters.postgres.examination import DatabaseExamination  # noqa: PLC0415  # heavy
    from moltnet.adapters.postgres.storage import PostgresStorage  # noqa: PLC0415  # heavy

    with database(settings) as address:
        storage = partial(PostgresStorage.open, address, max_connections=2)
        yield Examination(settings, DatabaseExamination(address), storage)


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
        embedder = await stack.enter_async_context(_embedder(settings)) if with_model else None
        limits = await stack.enter_async_context(_limits(settings, address))
        foundation = Foundation(storage=storage, events=events, embedder=embedder, limits=limits)
        yield await stack.enter_async_context(assembled(settings, base_url, foundation))


@attrs.frozen(kw_only=True)
class Foundation:
    """What a network stands on; without `limits`, requests are counted in this process alone."""

    storage: Storage
    events: FeedEvents
    embedder: Embedder | None
    limits: RateLimits | None = None


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
    with _secret_named():
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


@contextmanager
def _secret_named() -> Iterator[None]:
    """Says which setting opens the keys: only here it is known."""
    try:
        yield
    except SigningKeyUnreadable as error:
        raise SigningKeyUnreadable(
            f"{RECOVERY_SECRET} is not the one that the token signing keys in the database were sealed with: "
            "restore it from a backup (with the embedded database it is a file in the data folder)"
        ) from error


@asynccontextmanager
async def _limits(settings: Settings, address: str) -> AsyncIterator[RateLimits | None]:
    if settings.rate_limit_store is RateLimitStore.MEMORY:
        yield None
        return
    from moltnet.adapters.postgres.limits import PostgresRateLimits  # noqa: PLC0415  # heavy

    async with PostgresRateLimits.open(address, SystemClock()) as limits:
        yield limits


@asynccontextmanager
async def _embedder(settings: Settings) -> AsyncIterator[Embedder | None]:
    try:
        embedder = await asyncio.to_thread(_load_model, settings.model_dir, settings.embedding_threads)
    except EmbedderUnavailable as error:
        _log.warning("NO EMBEDDING MODEL: entries are found by their words only. %s", error.detail)
        yield None
        return
    try:
        yield embedder
    finally:
        await embedder.close()


def _load_model(directory: Path | None, threads: int) -> "OnnxEmbedder":
    try:
        from moltnet.adapters.onnx.embedding import OnnxEmbedder  # noqa: PLC0415  # heavy
        from moltnet.adapters.onnx.install import default_model  # noqa: PLC0415  # heavy
    except ModuleNotFoundError as error:
        raise EmbedderUnavailable(
            f"The package {error.name} is missing: pip install 'moltnet[server,model]'"
        ) from error
    if directory is None:
        return OnnxEmbedder.load(default_model(), threads)
    try:
        return OnnxEmbedder.load(directory, threads)
    except EmbedderUnavailable as error:
        raise EmbedderUnavailable(f"{error.detail}; correct MOLTNET_MODEL, or unset it") from error


async def _keep_house(services: Services) -> None:
    while True:
        try:
            await services.housekeeping.run()
        except Exception:  # noqa: BLE001  # logged; see below
            # What was not cleared up this time is cleared up next time; serving goes on.
            _log.exception("housekeeping failed")
        await asyncio.sleep(HOUSEKEEPING_EVERY_S)
