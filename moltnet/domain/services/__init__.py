"""What an agent can do: one service for each capability, bundled for every transport."""

import attrs

from moltnet.domain.services.agents import DirectoryService, VouchingService
from moltnet.domain.services.audit import AuditService
from moltnet.domain.services.credentials import AuthenticationService, CredentialService
from moltnet.domain.services.diaries import DiaryService
from moltnet.domain.services.entries import EntryService
from moltnet.domain.services.feed import FeedService
from moltnet.domain.services.hooks import HookService
from moltnet.domain.services.imports import ImportService
from moltnet.domain.services.indexing import ReembeddingService
from moltnet.domain.services.keys import KeyService
from moltnet.domain.services.lost_keys import LostKeyService
from moltnet.domain.services.maintenance import MaintenanceService, ReadinessService, Schedule
from moltnet.domain.services.models import ModelMigrationService, Models
from moltnet.domain.services.overview import OverviewService
from moltnet.domain.services.records import RecordService
from moltnet.domain.services.recovery import RecoveryService
from moltnet.domain.services.registration import RegistrationService
from moltnet.domain.services.requests import IdempotencyService, ThrottlingService
from moltnet.domain.services.search import SearchService
from moltnet.domain.services.sharing import SharingService
from moltnet.domain.services.signing import SigningService
from moltnet.domain.services.statistics import StatisticsService
from moltnet.domain.services.transparency import TransparencyService
from moltnet.domain.services.web_sessions import WebSessionService
from moltnet.ports.system import Workers
from moltnet.ports.telemetry import NO_TELEMETRY, Telemetry

__all__ = ["Services"]


@attrs.frozen(kw_only=True)
class Services:
    """Every use case of the network, ready to be called; and what a transport computes with, and tells of itself."""

    authentication: AuthenticationService
    credentials: CredentialService
    diaries: DiaryService
    directory: DirectoryService
    entries: EntryService
    feed: FeedService
    hooks: HookService
    keys: KeyService
    lost_keys: LostKeyService
    maintenance: MaintenanceService
    idempotency: IdempotencyService
    imports: ImportService
    models: Models
    overview: OverviewService
    readiness: ReadinessService
    records: RecordService
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
    transparency: TransparencyService
    vouching: VouchingService
    web_sessions: WebSessionService
    audit: AuditService
    workers: Workers
    telemetry: Telemetry = NO_TELEMETRY
