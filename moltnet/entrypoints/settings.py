"""The settings of a server and of an agent, read from the environment.

Names are those of docs/operators.md, "Settings". Everything wrong is reported at once, a line for each field.
"""

import hashlib
import hmac
import os
import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any

import attrs

from moltnet.domain.audit import AUDIT_RETENTION_DAYS, AUDIT_RETENTION_DAYS_MIN
from moltnet.domain.caller import Limits, Quota
from moltnet.domain.diaries import DIARIES_MAX
from moltnet.domain.entries import CONTENT_CEILING, CONTENT_MAX
from moltnet.domain.lost_keys import WAITING_DAYS, WAITING_DAYS_MAX, WAITING_DAYS_MIN
from moltnet.domain.services.maintenance import Retention
from moltnet.entrypoints.environment import (
    LOOPBACK,
    Networks,
    SettingsInvalid,
    Variables,
    Witnesses,
    address_of,
    between,
    configuration_folder,
    database_url,
    default_data_folder,
    environment_with_dotenv,
    expanded,
    host_names,
    mcp_host_of,
    networks,
    one_of,
    origins,
    port,
    read_http_url,
    stored_secret,
    witnesses,
    yes_no,
)
from moltnet.entrypoints.observability import LogSettings, TelemetrySettings
from moltnet.entrypoints.ory_settings import OrySettings

DEFAULT_PORT = 8000
DEFAULT_API_URL = "https://api.themolt.net"
"""The public network, for agents whose settings name none."""
DEFAULT_ORIGINS = ("https://themolt.net", "https://api.themolt.net", "http://localhost:3000", "http://localhost:8000")
MIN_SECRET = 16
RECOVERY_SECRET, WEBHOOK_KEY = SECRETS = ("RECOVERY_CHALLENGE_SECRET", "ORY_ACTION_API_KEY")
FIRST_AGENT = "first-agent"
_CREDENTIALS = "moltnet.json"
_PROFILE = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)


_RATE_LIMITS = {field.name: f"RATE_LIMIT_{field.name.upper()}" for field in attrs.fields(Limits)}
UNTHROTTLED: Mapping[str, str] = MappingProxyType(dict.fromkeys(_RATE_LIMITS.values(), "1000000"))
"""An environment in which nobody is held up: for throwaway networks and measurements."""


class RateLimitStore(StrEnum):
    """Where requests are counted: in each server process by itself, or in the database for all of them."""

    MEMORY = "memory"
    POSTGRES = "postgres"


class EmbeddingDevice(StrEnum):
    """What computes vectors: the processor, or a device of NVIDIA's."""

    CPU = "cpu"
    CUDA = "cuda"


_VARIABLE = "variable"


def _variable(name: str, read: Callable[[str], object], default: object = None, *, repr: bool = True) -> Any:  # noqa: A002
    """A field that is read from a variable of the environment."""
    return attrs.field(default=default, repr=repr, metadata={_VARIABLE: (name, read)})


@attrs.frozen(kw_only=True)
class Settings:
    """Everything that may differ between two servers.

    `database_url` None means the embedded database in `data_dir`. `public_url` is where agents reach the server.
    Without `ory`, identities, tokens and permissions are stored in the database.
    """

    data_dir: Path
    workflows_url: str | None = _variable("MOLTNET_WORKFLOWS_DATABASE_URL", database_url, repr=False)
    replica_url: str | None = _variable("MOLTNET_REPLICA_DATABASE_URL", database_url, repr=False)
    database_url: str | None = _variable("DATABASE_URL", database_url, repr=False)
    port: int = _variable("PORT", port, DEFAULT_PORT)
    public_url: str | None = _variable("MOLTNET_PUBLIC_URL", read_http_url)
    recovery_secret: bytes = attrs.field(repr=False)
    ory_action_api_key: str = attrs.field(repr=False)
    cors_origins: frozenset[str] = _variable("CORS_ORIGINS", origins, frozenset(DEFAULT_ORIGINS))
    content_max: int = _variable("MOLTNET_CONTENT_MAX", between(1, CONTENT_CEILING), CONTENT_MAX)
    model_dir: Path | None = _variable("MOLTNET_MODEL", Path)
    expansion: bool = _variable("MOLTNET_EXPANSION", yes_no, default=True)
    embedding_threads: int = _variable("MOLTNET_EMBEDDING_THREADS", between(1, 64), 2)
    embedding_device: EmbeddingDevice = _variable(
        "MOLTNET_EMBEDDING_DEVICE", one_of(EmbeddingDevice), EmbeddingDevice.CPU
    )
    max_connections: int = _variable("MOLTNET_DATABASE_CONNECTIONS", between(2, 1000), 10)
    scopeless_tokens_have_all: bool = _variable("MOLTNET_SCOPELESS_TOKENS_HAVE_ALL", yes_no, default=True)
    streams_per_address: int = _variable("MOLTNET_STREAMS_PER_ADDRESS", between(1, 100_000), 5)
    client_connections: int = _variable("MOLTNET_CLIENT_CONNECTIONS", between(1, 100_000), 2000)
    connections_per_address: int = _variable("MOLTNET_CONNECTIONS_PER_ADDRESS", between(1, 100_000), 256)
    allowed_hosts: frozenset[str] = _variable("MOLTNET_ALLOWED_HOSTS", host_names, frozenset())
    diaries_max: int = _variable("MOLTNET_DIARIES_PER_AGENT", between(1, 1_000_000), DIARIES_MAX)
    audit_retention_days: int = _variable(
        "MOLTNET_AUDIT_RETENTION_DAYS", between(AUDIT_RETENTION_DAYS_MIN, 36_500), AUDIT_RETENTION_DAYS
    )
    lost_key_days: int = _variable("MOLTNET_LOST_KEY_DAYS", between(WAITING_DAYS_MIN, WAITING_DAYS_MAX), WAITING_DAYS)
    quota_entries: int | None = _variable("MOLTNET_ENTRIES_PER_AGENT", between(1, 1_000_000_000))
    quota_bytes: int | None = _variable("MOLTNET_BYTES_PER_AGENT", between(1, 1_000_000_000_000))
    signing_request_retention_days: int | None = _variable("MOLTNET_SIGNING_REQUEST_RETENTION_DAYS", between(1, 36_500))
    workflow_retention_hours: int = _variable("MOLTNET_WORKFLOW_RETENTION_HOURS", between(1, 8_760), 1)
    idempotency_hours: int = _variable("MOLTNET_IDEMPOTENCY_HOURS", between(1, 720), 24)
    rate_limits: Limits = attrs.field(factory=Limits)
    rate_limit_store: RateLimitStore = _variable(
        "MOLTNET_RATE_LIMIT_STORE", one_of(RateLimitStore), RateLimitStore.MEMORY
    )
    trusted_proxies: Networks = _variable("MOLTNET_TRUSTED_PROXIES", networks, ())
    log_witnesses: Witnesses = _variable("MOLTNET_LOG_WITNESSES", witnesses, ())
    source_url: str | None = _variable("MOLTNET_SOURCE_URL", read_http_url)
    mcp_anonymous: bool = _variable("MOLTNET_MCP_ANONYMOUS", yes_no, default=True)
    web: bool = _variable("MOLTNET_WEB", yes_no, default=True)
    operator_token: str | None = attrs.field(default=None, repr=False)
    log: LogSettings = attrs.field(factory=LogSettings)
    telemetry: TelemetrySettings = attrs.field(factory=TelemetrySettings)
    ory: OrySettings | None = None

    @property
    def quota(self) -> Quota:
        """How much one agent may have stored."""
        return Quota(entries=self.quota_entries, bytes=self.quota_bytes)

    @property
    def retention(self) -> Retention:
        """How long what is over is stored."""
        requests = self.signing_request_retention_days
        return Retention(
            audit=timedelta(days=self.audit_retention_days),
            workflows=timedelta(hours=self.workflow_retention_hours),
            signing_requests=timedelta(days=requests) if requests else None,
        )

    @property
    def lost_key_waiting(self) -> timedelta:
        """How long a new key waits for the place of a lost one."""
        return timedelta(days=self.lost_key_days)

    @property
    def idempotency_lifetime(self) -> timedelta:
        """How long a request is recognised by its key."""
        return timedelta(hours=self.idempotency_hours)

    @property
    def key_secret(self) -> bytes:
        """What seals the keys that sign tokens: derived, so that an operator keeps one secret and not two."""
        return hmac.digest(self.recovery_secret, b"moltnet token keys", hashlib.sha256)

    @property
    def mcp_session_secret(self) -> bytes:
        """What MCP session ids are made by, in every process alike; derived for the same reason."""
        return hmac.digest(self.recovery_secret, b"moltnet mcp sessions", hashlib.sha256)

    @property
    def web_session_secret(self) -> bytes:
        """What forms, challenges and links of the console are marked by, in every process alike; derived likewise."""
        return hmac.digest(self.recovery_secret, b"moltnet web sessions", hashlib.sha256)

    def url(self, port: int, host: str = LOOPBACK) -> str:
        """The address agents use, of a server that listens on an IP address and a port."""
        return self.public_url or address_of(host, port)

    @property
    def mcp_alias(self) -> str | None:
        """The host name where clients of the original look for MCP, if it is not that of the public address."""
        return mcp_host_of(self.public_url) if self.public_url else None


def read_settings(data_dir: Path | None = None, environment: Mapping[str, str] | None = None) -> Settings:
    """The settings of this process; `data_dir` wins over MOLTNET_DATA.

    Secrets that are not set are made once and kept in the data folder (mode 0600), with the embedded database only.
    Raises SettingsInvalid.
    """
    fields = _Fields(environment_with_dotenv() if environment is None else environment)
    folder = fields.folder(data_dir)
    embedded = fields.text("DATABASE_URL") is None
    read = {
        "data_dir": folder,
        "recovery_secret": _bytes(fields.secret(RECOVERY_SECRET, folder, embedded=embedded)),
        "ory_action_api_key": fields.secret(WEBHOOK_KEY, folder, embedded=embedded),
        "operator_token": fields.operator_token(),
        "rate_limits": fields.rate_limits(),
        "log": LogSettings.read(fields),
        "telemetry": TelemetrySettings.read(fields),
        "ory": OrySettings.read(fields),
    }
    for field in attrs.fields(Settings):
        if _VARIABLE in field.metadata:
            name, convert = field.metadata[_VARIABLE]
            read[field.name] = fields.read(name, convert, field.default)
    if fields.problems:
        raise SettingsInvalid(fields.problems)
    return Settings(**read)  # type: ignore[arg-type]  # each value is of its field's type or a problem was noted


@attrs.frozen(kw_only=True)
class ClientSettings:
    """What an agent's environment says of its network and of itself; None where it says nothing.

    Source: docs/reference/client.md, "Environment variables".
    """

    client_id: str | None = None
    client_secret: str | None = attrs.field(default=None, repr=False)
    api_url: str | None = None
    credentials_file: Path
    names_file: bool = False
    private_key: str | None = attrs.field(default=None, repr=False)
    diary: str | None = None


def read_client_settings(
    config_dir: Path | None = None, environment: Mapping[str, str] | None = None, profile: str | None = None
) -> ClientSettings:
    """The settings of an agent; raises SettingsInvalid.

    Its credentials file is that of `config_dir`, else of the named profile, else MOLTNET_CREDENTIALS_PATH, else that
    of MOLTNET_PROFILE.
    """
    fields = _Fields(os.environ if environment is None else environment)
    named = fields.under(config_dir) if config_dir else fields.credentials_file(profile)
    read = ClientSettings(
        client_id=fields.text("MOLTNET_CLIENT_ID"),
        client_secret=fields.text("MOLTNET_CLIENT_SECRET"),
        api_url=fields.read("MOLTNET_API_URL", read_http_url),
        credentials_file=(named or configuration_folder() / _CREDENTIALS).absolute(),
        names_file=named is not None,
        private_key=fields.text("MOLTNET_PRIVATE_KEY"),
        diary=fields.text("MOLTNET_DIARY"),
    )
    if fields.problems:
        raise SettingsInvalid(fields.problems)
    return read


def first_agent_file(environment: Mapping[str, str] | None = None) -> Path | None:
    """The credentials file of the agent that `moltnet up` creates here, whether it is there; None without a home."""
    folder = _Fields(os.environ if environment is None else environment).folder(None)
    return folder and folder / FIRST_AGENT / _CREDENTIALS


def http_url(text: str) -> str:
    """The address of a network, without a slash at its end; raises SettingsInvalid."""
    try:
        return read_http_url(text)
    except ValueError as error:
        raise SettingsInvalid([f"the address of a network {error}"]) from None


class _Fields(Variables):
    """Reads what settings are made of."""

    def credentials_file(self, profile: str | None) -> Path | None:
        named = profile or (None if self.text("MOLTNET_CREDENTIALS_PATH") else self.text("MOLTNET_PROFILE"))
        if named is None:
            return self.read("MOLTNET_CREDENTIALS_PATH", expanded)
        if not _PROFILE.fullmatch(named):
            self.problems.append("a profile is named with letters, digits, '-' and '_', 64 at most")
            return None
        return configuration_folder() / "profiles" / named / _CREDENTIALS

    def under(self, config_dir: Path) -> Path | None:
        try:
            return expanded(str(config_dir)) / _CREDENTIALS
        except ValueError as error:
            self.problems.append(f"the folder of credentials: {error}")
            return None

    def folder(self, chosen: Path | None) -> Path | None:
        named = str(chosen) if chosen else self.text("MOLTNET_DATA")
        try:
            return (expanded(named) if named else default_data_folder()).absolute()
        except ValueError as error:
            self.problems.append(f"MOLTNET_DATA: {error}")
            return None

    def rate_limits(self) -> Limits:
        read = {field: self.read(name, between(1, 1_000_000_000)) for field, name in _RATE_LIMITS.items()}
        return attrs.evolve(Limits(), **{field: figure for field, figure in read.items() if figure is not None})

    def secret(self, name: str, folder: Path | None, *, embedded: bool) -> str:
        text = self.text(name)
        if text is None and embedded:
            return self._stored_secret(name, folder) if folder else ""
        if text is None:
            self.problems.append(f"{name}: required when DATABASE_URL is set")
        elif len(text) < MIN_SECRET:
            self.problems.append(f"{name}: must have at least {MIN_SECRET} characters")
        return text or ""

    def operator_token(self) -> str | None:
        text = self.text("MOLTNET_OPERATOR_TOKEN")
        if text is not None and len(text) < MIN_SECRET:
            self.problems.append(f"MOLTNET_OPERATOR_TOKEN: must have at least {MIN_SECRET} characters")
        return text

    def _stored_secret(self, name: str, folder: Path) -> str:
        try:
            text = stored_secret(folder, name.lower())
        except OSError as error:
            self._report_unusable(folder, error)
            return ""
        except UnicodeDecodeError:
            text = ""
        if len(text) < MIN_SECRET:
            self.problems.append(
                f"{name}: {folder / name.lower()} holds fewer than {MIN_SECRET} characters; restore it from a backup"
            )
        return text

    def _report_unusable(self, folder: Path, error: OSError) -> None:
        reason = "it is a file" if isinstance(error, FileExistsError) else error.strerror
        problem = (
            f"MOLTNET_DATA: {error.filename or folder} cannot be used ({reason}); "
            "make it writable for this user, or choose another folder with --data"
        )
        if problem not in self.problems:  # both secrets lie in the one folder
            self.problems.append(problem)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")  # as the environment had them
