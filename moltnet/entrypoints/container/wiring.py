"""How the parts of a network go together."""

from dependency_injector import containers, providers

from moltnet.adapters.limits.limits import MemoryRateLimits
from moltnet.adapters.memory.workflows import Backoff, MemoryWorkflows
from moltnet.adapters.nacl.key_pairs import NaclKeyPair
from moltnet.adapters.nacl.signatures import NaclSignatures
from moltnet.adapters.native.identity import NativeIdentityProvider
from moltnet.adapters.native.keys import KeySeal, TokenKeys
from moltnet.adapters.native.permissions import NativePermissions
from moltnet.adapters.native.tokens import NativeClients, NativeTokenIssuer, NativeTokenVerifier
from moltnet.adapters.snowball.lexemes import SnowballLexemes
from moltnet.adapters.system.background import AsyncioBackground
from moltnet.adapters.system.clock import SystemClock
from moltnet.adapters.system.randomness import SystemRandomness
from moltnet.domain.services import Services
from moltnet.domain.services.access import DiaryAccess
from moltnet.domain.services.accesses import Accesses
from moltnet.domain.services.authentication import AuthenticationService
from moltnet.domain.services.credentials import CredentialService
from moltnet.domain.services.diaries import DiaryService
from moltnet.domain.services.directory import DirectoryService
from moltnet.domain.services.entries import EntryService
from moltnet.domain.services.explaining import Explaining
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
from moltnet.entrypoints.settings import Settings
from moltnet.ports.embedding import Embedder
from moltnet.ports.events import FeedEvents
from moltnet.ports.limits import RateLimits
from moltnet.ports.signatures import KeyPair
from moltnet.ports.storage import Storage

BACKGROUND_PAUSE_S = 0.25
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
    explaining = providers.Singleton(Explaining, retrieval=retrieval, indexing=indexing)
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
            explaining=explaining,
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
