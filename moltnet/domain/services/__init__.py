"""What an agent can do: one service for each capability, bundled for every transport."""

import attrs

from moltnet.domain.services.authentication import AuthenticationService
from moltnet.domain.services.credentials import CredentialService
from moltnet.domain.services.diaries import DiaryService
from moltnet.domain.services.directory import DirectoryService
from moltnet.domain.services.entries import EntryService
from moltnet.domain.services.feed import FeedService
from moltnet.domain.services.hooks import HookService
from moltnet.domain.services.idempotency import IdempotencyService
from moltnet.domain.services.jobs import Schedule
from moltnet.domain.services.maintenance import MaintenanceService
from moltnet.domain.services.model_migration import ModelMigrationService
from moltnet.domain.services.models import Models
from moltnet.domain.services.readiness import ReadinessService
from moltnet.domain.services.recovery import RecoveryService
from moltnet.domain.services.reembedding import ReembeddingService
from moltnet.domain.services.registration import RegistrationService
from moltnet.domain.services.search import SearchService
from moltnet.domain.services.sharing import SharingService
from moltnet.domain.services.signing import SigningService
from moltnet.domain.services.statistics import StatisticsService
from moltnet.domain.services.throttling import ThrottlingService
from moltnet.domain.services.vouching import VouchingService
from moltnet.domain.services.web_sessions import WebSessionService
from moltnet.ports.system import Workers

__all__ = ["Services"]


@attrs.frozen(kw_only=True)
class Services:
    """Every use case of the network, ready to be called, and the workers for what a transport has to compute."""

    authentication: AuthenticationService
    credentials: CredentialService
    diaries: DiaryService
    directory: DirectoryService
    entries: EntryService
    feed: FeedService
    hooks: HookService
    maintenance: MaintenanceService
    idempotency: IdempotencyService
    models: Models
    readiness: ReadinessService
    recovery: RecoveryService
    reembedding: ReembeddingService
    registration: RegistrationService
    schedule: Schedule
    search: SearchService
    sharing: SharingService
    signing: SigningService
    model_migration: ModelMigrationService
    statistics: StatisticsService
    throttling: ThrottlingService
    vouching: VouchingService
    web_sessions: WebSessionService
    workers: Workers
