"""How the parts of a network go together: the adapters that its settings choose, and the use cases over them."""

from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

import attrs
from dependency_injector import containers, providers

from moltnet.adapters.builtin.identity import BuiltinIdentityProvider, CachedClientDirectory, StoredClientDirectory
from moltnet.adapters.builtin.keys import KeyEncryption, TokenKeys
from moltnet.adapters.builtin.log_keys import StoredLogSigning
from moltnet.adapters.builtin.permissions import BuiltinPermissions
from moltnet.adapters.builtin.tokens import BuiltinClients, BuiltinTokenIssuer, BuiltinTokenVerifier
from moltnet.adapters.external_relations import ExternalPermissions
from moltnet.adapters.http.witness import HttpWitness
from moltnet.adapters.nacl import NaclSignatures
from moltnet.adapters.system import AsyncioBackground, MemoryRateLimits, SystemClock, SystemRandomness, ThreadWorkers
from moltnet.adapters.text_analysis import SnowballAnalyzer
from moltnet.domain.challenges import NetworkAddress
from moltnet.domain.services import Services
from moltnet.domain.services.access import DiaryAccess
from moltnet.domain.services.agents import DirectoryService, VouchingService
from moltnet.domain.services.audit import AuditService
from moltnet.domain.services.credentials import AuthenticationService, CredentialService
from moltnet.domain.services.diaries import DiaryService
from moltnet.domain.services.entries import EntryService
from moltnet.domain.services.feed import FeedService
from moltnet.domain.services.hooks import HookService
from moltnet.domain.services.imports import ImportService
from moltnet.domain.services.indexing import Indexing, ReembeddingService, ReindexingService
from moltnet.domain.services.keys import CHANGE_KEY, KeyChangeWorkflow, KeyService
from moltnet.domain.services.lost_keys import LostKeyService
from moltnet.domain.services.maintenance import RUN_JOB, JobWorkflow, MaintenanceService, ReadinessService, Schedule
from moltnet.domain.services.models import ModelMigrationService
from moltnet.domain.services.overview import OverviewService
from moltnet.domain.services.records import RecordService
from moltnet.domain.services.recovery import RecoveryService
from moltnet.domain.services.registration import REGISTER_AGENT, RegistrationService, RegistrationWorkflow
from moltnet.domain.services.relations import RelationDelivery, RelationService
from moltnet.domain.services.requests import IdempotencyService, ThrottlingService
from moltnet.domain.services.retrieval import Explaining, Retrieval
from moltnet.domain.services.search import SearchService
from moltnet.domain.services.sharing import SharingService
from moltnet.domain.services.signing import REQUEST_SIGNATURE, SignatureCheck, SigningService, SigningWorkflow
from moltnet.domain.services.statistics import StatisticsService, ViewCounter
from moltnet.domain.services.transparency import TransparencyService
from moltnet.domain.services.web_sessions import WebSessionService
from moltnet.domain.services.witness import Witnessing
from moltnet.domain.sharing import InvitationLimits
from moltnet.entrypoints.container.ory import Ory
from moltnet.entrypoints.container.telemetry import CountedRateLimits
from moltnet.entrypoints.settings import Settings
from moltnet.ports.keys import Signatures
from moltnet.ports.system import Clock, ReadinessCheck
from moltnet.ports.workflows import WorkflowBody, Workflows

Built = TypeVar("Built")

BACKGROUND_PAUSE_S = 0.25
# The issuer of tokens when no public address is set: servers on other ports of one data folder must know each other's.
LOCAL_ISSUER = "urn:moltnet:local"


def _bodies(
    registration: RegistrationWorkflow,
    key_change: KeyChangeWorkflow,
    signing: SigningWorkflow,
    job: JobWorkflow,
    delivery: RelationDelivery,
) -> Mapping[str, WorkflowBody]:
    """Every workflow of a network, by its name."""
    return {
        REGISTER_AGENT: registration.run,
        CHANGE_KEY: key_change.run,
        REQUEST_SIGNATURE: signing.run,
        RUN_JOB: job.run,
        **delivery.workflows(),
    }


def _readiness(database: ReadinessCheck | None, workflows: Workflows) -> ReadinessService:
    checks: dict[str, ReadinessCheck] = {"workflows": workflows}
    return ReadinessService(checks if database is None else {"database": database, **checks})


def _witnessing(settings: Settings, signatures: Signatures, clock: Clock) -> Witnessing:
    witnesses = [HttpWitness(key, url) for key, url in settings.log_witnesses]
    return Witnessing(witnesses, signatures, clock)


def _unless_absent(optional: Any, present: Any, absent: Any) -> "providers.Selector":
    """`present` where `optional` is not None when it is asked for, else `absent`."""
    presence = providers.Callable(lambda part: "absent" if part is None else "present", optional)
    return providers.Selector(presence, present=present, absent=absent)


def _singleton(kind: type[Built], among: Mapping[str, Any], **others: Any) -> "providers.Singleton[Built]":
    """One instance of a class, of the parts that are called as its fields are and of others that are named here."""
    fields = {field.alias for field in attrs.fields(kind)}  # type: ignore[arg-type]  # an attrs class
    return providers.Singleton(kind, **{name: among[name] for name in fields & among.keys()} | others)


class Parts(containers.DeclarativeContainer):
    """Everything below the use cases, and the workflows, which are launched before there are use cases."""

    settings = providers.Dependency(instance_of=Settings)
    base_url = providers.Dependency(instance_of=str)
    infrastructure: providers.Dependency[object] = providers.Dependency()  # see `networks.Infrastructure`
    storage, events, models = (
        infrastructure.provided.storage,
        infrastructure.provided.events,
        infrastructure.provided.models,
    )
    ory, replicas = infrastructure.provided.ory, infrastructure.provided.replicas
    telemetry = infrastructure.provided.telemetry

    issuer = providers.Callable(lambda settings: settings.public_url or LOCAL_ISSUER, settings)
    network = providers.Singleton(NetworkAddress.of, base_url)
    recovery_secret = settings.provided.recovery_secret
    scopeless_tokens_have_all = settings.provided.scopeless_tokens_have_all

    clock = providers.Singleton(SystemClock)
    randomness = providers.Singleton(SystemRandomness)
    shared_limits = infrastructure.provided.limits
    stored_limits = _unless_absent(shared_limits, shared_limits, providers.Singleton(MemoryRateLimits, clock=clock))
    limits = providers.Singleton(CountedRateLimits.of, stored_limits, telemetry)
    background = providers.Singleton(AsyncioBackground, pause_s=BACKGROUND_PAUSE_S)
    workers = providers.Singleton(ThreadWorkers)
    signatures = providers.Singleton(NaclSignatures)
    index_terms = providers.Singleton(SnowballAnalyzer)
    keto = _unless_absent(ory, providers.Singleton(Ory.relation_store, ory), providers.Object(None))
    chosen_store = infrastructure.provided.relation_store
    relation_store = _unless_absent(chosen_store, chosen_store, keto)
    permissions = _unless_absent(
        relation_store,
        providers.Singleton(ExternalPermissions, relation_store),
        providers.Singleton(BuiltinPermissions),
    )
    delivery = providers.Singleton(RelationDelivery, storage=storage, store=relation_store, clock=clock)
    key_encryption = providers.Singleton(KeyEncryption, settings.provided.key_secret)
    token_keys = providers.Singleton(TokenKeys, storage=storage, clock=clock, seal=key_encryption)
    log_signing = providers.Singleton(StoredLogSigning, storage, clock, key_encryption, settings.provided.public_url)
    witnessing = providers.Singleton(_witnessing, settings, signatures, clock)
    stored_client_directory = providers.Singleton(StoredClientDirectory, storage)
    invalidations = infrastructure.provided.client_invalidations
    client_directory = _unless_absent(
        invalidations,
        providers.Singleton(CachedClientDirectory, stored_client_directory, invalidations, clock),
        stored_client_directory,
    )
    clients = _unless_absent(
        ory,
        providers.Singleton(Ory.clients, ory, storage=storage, clock=clock, randomness=randomness),
        providers.Singleton(
            BuiltinClients, storage=storage, clock=clock, randomness=randomness, client_directory=client_directory
        ),
    )
    identities = _unless_absent(
        ory,
        providers.Singleton(
            Ory.identities, ory, storage=storage, clock=clock, randomness=randomness, base_url=base_url
        ),
        providers.Singleton(
            BuiltinIdentityProvider,
            storage=storage,
            clock=clock,
            randomness=randomness,
            base_url=base_url,
            secret=recovery_secret,
        ),
    )
    published_keys = providers.Singleton(Ory.published_keys, ory, clock=clock)
    token_issuer = _unless_absent(
        ory,
        providers.Singleton(Ory.token_issuer, ory, keys=published_keys, storage=storage),
        providers.Singleton(
            BuiltinTokenIssuer,
            storage=storage,
            clock=clock,
            randomness=randomness,
            keys=token_keys,
            issuer=issuer,
            network=network,
            signatures=signatures,
        ),
    )
    token_verifier = _unless_absent(
        ory,
        providers.Singleton(
            Ory.token_verifier,
            ory,
            keys=published_keys,
            storage=storage,
            clock=clock,
            audience=base_url,
            scopeless_tokens_have_all=scopeless_tokens_have_all,
        ),
        providers.Singleton(
            BuiltinTokenVerifier,
            client_directory=client_directory,
            clock=clock,
            keys=token_keys,
            issuer=issuer,
            scopeless_tokens_have_all=scopeless_tokens_have_all,
        ),
    )
    registration_workflow = providers.Singleton(
        RegistrationWorkflow,
        storage=storage,
        identities=identities,
        clients=clients,
        permissions=permissions,
        delivery=delivery,
        clock=clock,
    )
    key_change_workflow = providers.Singleton(
        KeyChangeWorkflow, storage=storage, identities=identities, clients=clients, clock=clock
    )
    signature_check = providers.Singleton(SignatureCheck, signatures)
    signing_workflow = providers.Singleton(SigningWorkflow, storage=storage, check=signature_check, clock=clock)
    maintenance = providers.Singleton(
        MaintenanceService,
        storage=storage,
        limits=limits,
        clock=clock,
        reindexing=providers.Singleton(ReindexingService, storage=storage, index_terms=index_terms, workers=workers),
        retention=settings.provided.retention,
    )
    jobs = maintenance.provided.jobs.call()
    job_workflow = providers.Singleton(JobWorkflow, jobs, clock)
    workflow_bodies = providers.Callable(
        _bodies, registration_workflow, key_change_workflow, signing_workflow, job_workflow, delivery
    )
    throttling = providers.Singleton(ThrottlingService, counts=limits, limits=settings.provided.rate_limits)
    invitation_limits = providers.Singleton(InvitationLimits)


class UseCases(containers.DeclarativeContainer):
    """The use cases over the parts and the launched workflows."""

    parts = providers.DependenciesContainer()
    workflows: providers.Dependency[Workflows] = providers.Dependency()

    _parts: ClassVar[Mapping[str, Any]] = {
        "storage": parts.storage,
        "clock": parts.clock,
        "randomness": parts.randomness,
        "workers": parts.workers,
        "background": parts.background,
        "permissions": parts.permissions,
        "models": parts.models,
        "index_terms": parts.index_terms,
        "signatures": parts.signatures,
        "client_directory": parts.client_directory,
        "clients": parts.clients,
        "identities": parts.identities,
        "issuer": parts.token_issuer,
        "tokens": parts.token_verifier,
        "events": parts.events,
        "network": parts.network,
        "replicas": parts.replicas,
        "throttling": parts.throttling,
        "log_signing": parts.log_signing,
        "witnessing": parts.witnessing,
        "workflows": workflows,
    }
    relations, access = _singleton(RelationService, _parts), _singleton(DiaryAccess, _parts)
    view_counter, indexing = _singleton(ViewCounter, _parts), _singleton(Indexing, _parts)
    retrieval = _singleton(Retrieval, _parts)
    _all: ClassVar[Mapping[str, Any]] = {
        **_parts,
        "relations": relations,
        "access": access,
        "view_counter": view_counter,
        "indexing": indexing,
        "retrieval": retrieval,
        "explaining": providers.Singleton(Explaining, retrieval=retrieval),
    }
    entries = _singleton(
        EntryService,
        _all,
        content_max=parts.settings.provided.content_max,
        quota=parts.settings.provided.quota,
    )
    lost_keys = _singleton(LostKeyService, _all, waiting=parts.settings.provided.lost_key_waiting)
    services = providers.Singleton(
        Services,
        authentication=_singleton(AuthenticationService, _all),
        audit=_singleton(AuditService, _all),
        credentials=_singleton(CredentialService, _all),
        diaries=_singleton(DiaryService, _all, diaries_max=parts.settings.provided.diaries_max),
        directory=_singleton(DirectoryService, _all),
        entries=entries,
        feed=_singleton(FeedService, _all),
        hooks=_singleton(HookService, _all),
        maintenance=parts.maintenance,
        keys=_singleton(KeyService, _all),
        lost_keys=lost_keys,
        idempotency=_singleton(IdempotencyService, _all, lifetime=parts.settings.provided.idempotency_lifetime),
        imports=_singleton(ImportService, _all, entries=entries),
        models=parts.models,
        overview=_singleton(OverviewService, _all),
        readiness=providers.Singleton(_readiness, parts.infrastructure.provided.readiness, workflows),
        records=_singleton(RecordService, _all, entries=entries),
        recovery=_singleton(
            RecoveryService, _all, flows=parts.identities, lost_keys=lost_keys, secret=parts.recovery_secret
        ),
        reembedding=_singleton(ReembeddingService, _all),
        registration=_singleton(RegistrationService, _all),
        schedule=providers.Singleton(Schedule, workflows, parts.jobs, parts.clock, parts.settings.provided.retention),
        search=_singleton(SearchService, _all),
        sharing=_singleton(SharingService, _all, limits=parts.invitation_limits),
        signing=_singleton(SigningService, _all, check=parts.signature_check),
        model_migration=_singleton(ModelMigrationService, _all),
        statistics=_singleton(StatisticsService, _all),
        throttling=parts.throttling,
        transparency=_singleton(TransparencyService, _all),
        vouching=_singleton(VouchingService, _all),
        web_sessions=_singleton(WebSessionService, _all, secret=parts.settings.provided.web_session_secret),
        workers=parts.workers,
    )
