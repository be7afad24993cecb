"""The settings of a server: the only room that reads the environment.

Names are those of docs/operators.md, "Settings". An empty value counts as unset, and a
`.env` file in the working folder fills in what the environment leaves out. Everything wrong is told at once, a line for
each field.
"""

import hashlib
import hmac
import ipaddress
import os
import re
import secrets
import stat
from collections.abc import Callable, Mapping
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

import attrs

from moltnet.domain.diaries import DIARIES_MAX
from moltnet.domain.entries import CONTENT_CEILING, CONTENT_MAX
from moltnet.domain.errors import Invalid
from moltnet.domain.limits import Limits
from moltnet.entrypoints.addresses import LOOPBACK, address_of, mcp_host_of, read_http_url
from moltnet.entrypoints.data_folder import private_data_folder
from moltnet.entrypoints.home import configuration_folder, default_data_folder, expanded
from moltnet.entrypoints.ory_settings import OrySettings, read_ory

T = TypeVar("T")
Choice = TypeVar("Choice", bound=StrEnum)
Networks = tuple[IPv4Network | IPv6Network, ...]

DEFAULT_PORT = 8000
DEFAULT_API_URL = "https://api.themolt.net"
"""The public network, for agents whose settings name none."""
DEFAULT_ORIGINS = ("https://themolt.net", "https://api.themolt.net", "http://localhost:3000", "http://localhost:8000")
MIN_SECRET = 16
RECOVERY_SECRET, WEBHOOK_KEY = SECRETS = ("RECOVERY_CHALLENGE_SECRET", "ORY_ACTION_API_KEY")
FIRST_AGENT = "first-agent"
_CREDENTIALS = "moltnet.json"
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[^/?#@\s]+")  # RFC 6454 §6.2
_HOST = re.compile(r"[a-z0-9]([a-z0-9._-]*[a-z0-9])?|\[[0-9a-f:.]+\]")
_PROFILE = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_YES_NO = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


_RATE_LIMITS = {field.name: f"RATE_LIMIT_{field.name.upper()}" for field in attrs.fields(Limits)}
UNTHROTTLED: Mapping[str, str] = MappingProxyType(dict.fromkeys(_RATE_LIMITS.values(), "1000000"))
"""An environment in which nobody is held up: for throwaway networks and measurements."""


class RateLimitStore(StrEnum):
    """Where requests are counted: in each server process by itself, or in the database for all of them."""

    MEMORY = "memory"
    POSTGRES = "postgres"


class LogFormat(StrEnum):
    """How a line of the log is written."""

    TEXT = "text"
    JSON = "json"


class SettingsInvalid(Invalid):
    """Settings that the server cannot start with; one line for each field."""

    code = "SETTINGS_INVALID"

    def __init__(self, problems: list[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(problems))


@attrs.frozen(kw_only=True)
class Settings:
    """Everything that may differ between two servers.

    `database_url` None means the embedded database in `data_dir`. `public_url` is where agents reach the server.
    Without `ory`, identities, tokens and permissions are kept in the database.
    """

    data_dir: Path
    database_url: str | None = attrs.field(default=None, repr=False)
    port: int = DEFAULT_PORT
    public_url: str | None = None
    recovery_secret: bytes = attrs.field(repr=False)
    ory_action_api_key: str = attrs.field(repr=False)
    cors_origins: frozenset[str] = frozenset(DEFAULT_ORIGINS)
    content_max: int = CONTENT_MAX
    model_dir: Path | None = None
    embedding_threads: int = 2
    max_connections: int = 10
    scopeless_tokens_have_all: bool = True
    streams_per_address: int = 5
    client_connections: int = 2000
    connections_per_address: int = 256
    allowed_hosts: frozenset[str] = frozenset()
    diaries_max: int = DIARIES_MAX
    rate_limits: Limits = attrs.field(factory=Limits)
    rate_limit_store: RateLimitStore = RateLimitStore.MEMORY
    trusted_proxies: Networks = ()
    source_url: str | None = None
    mcp_anonymous: bool = True
    log_format: LogFormat = LogFormat.TEXT
    ory: OrySettings | None = None

    @property
    def key_secret(self) -> bytes:
        """What seals the keys that sign tokens: derived, so that an operator keeps one secret and not two."""
        return hmac.digest(self.recovery_secret, b"moltnet token keys", hashlib.sha256)

    @property
    def mcp_session_secret(self) -> bytes:
        """What MCP session ids are made by, in every process alike; derived for the same reason."""
        return hmac.digest(self.recovery_secret, b"moltnet mcp sessions", hashlib.sha256)

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
    fields = _Fields(_with_dotenv() if environment is None else environment)
    folder = fields.folder(data_dir)
    embedded = fields.text("DATABASE_URL") is None
    read = {
        "data_dir": folder,
        "database_url": fields.read("DATABASE_URL", _database_url),
        "port": fields.read("PORT", _port, DEFAULT_PORT),
        "public_url": fields.read("MOLTNET_PUBLIC_URL", read_http_url),
        "recovery_secret": _bytes(fields.secret(RECOVERY_SECRET, folder, embedded=embedded)),
        "ory_action_api_key": fields.secret(WEBHOOK_KEY, folder, embedded=embedded),
        "cors_origins": fields.read("CORS_ORIGINS", _origins, frozenset(DEFAULT_ORIGINS)),
        "content_max": fields.read("MOLTNET_CONTENT_MAX", _between(1, CONTENT_CEILING), CONTENT_MAX),
        "model_dir": fields.read("MOLTNET_MODEL", Path),
        "embedding_threads": fields.read("MOLTNET_EMBEDDING_THREADS", _between(1, 64), 2),
        "max_connections": fields.read("MOLTNET_DATABASE_CONNECTIONS", _between(2, 1000), 10),
        "streams_per_address": fields.read("MOLTNET_STREAMS_PER_ADDRESS", _between(1, 100_000), 5),
        "client_connections": fields.read("MOLTNET_CLIENT_CONNECTIONS", _between(1, 100_000), 2000),
        "connections_per_address": fields.read("MOLTNET_CONNECTIONS_PER_ADDRESS", _between(1, 100_000), 256),
        "allowed_hosts": fields.read("MOLTNET_ALLOWED_HOSTS", _host_names) or frozenset(),
        "diaries_max": fields.read("MOLTNET_DIARIES_PER_AGENT", _between(1, 1_000_000), DIARIES_MAX),
        "rate_limits": fields.rate_limits(),
        "rate_limit_store": fields.read("MOLTNET_RATE_LIMIT_STORE", _one_of(RateLimitStore), RateLimitStore.MEMORY),
        "trusted_proxies": fields.read("MOLTNET_TRUSTED_PROXIES", _networks) or (),
        "mcp_anonymous": fields.read("MOLTNET_MCP_ANONYMOUS", _yes_no, default=True),
        "source_url": fields.read("MOLTNET_SOURCE_URL", read_http_url),
        "log_format": fields.read("MOLTNET_LOG_FORMAT", _one_of(LogFormat), LogFormat.TEXT),
        "ory": fields.ory(),
        "scopeless_tokens_have_all": fields.read("MOLTNET_SCOPELESS_TOKENS_HAVE_ALL", _yes_no, default=True),
    }
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


class _Fields:
    """Reads one variable after the other and notes what is wrong with each."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self.problems: list[str] = []

    def text(self, name: str) -> str | None:
        return self._environment.get(name) or None

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

    def read(self, name: str, convert: Callable[[str], T], default: T | None = None) -> T | None:
        text = self.text(name)
        if text is None:
            return default
        try:
            return convert(text)
        except ValueError as error:
            self.problems.append(f"{name}: {error}")
            return default

    def folder(self, chosen: Path | None) -> Path | None:
        named = str(chosen) if chosen else self.text("MOLTNET_DATA")
        try:
            return (expanded(named) if named else default_data_folder()).absolute()
        except ValueError as error:
            self.problems.append(f"MOLTNET_DATA: {error}")
            return None

    def rate_limits(self) -> Limits:
        read = {field: self.read(name, _between(1, 1_000_000_000)) for field, name in _RATE_LIMITS.items()}
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

    def ory(self) -> OrySettings | None:
        return read_ory(
            lambda name: self.read(name, read_http_url), lambda name: self.read(name, _word), self.problems.append
        )

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


def stored_secret(folder: Path, name: str) -> str:
    """The secret of this name in a data folder, made at first use; of several processes at once, one makes it.

    Raises OSError, DataFolderOpen, and UnicodeDecodeError when the file holds something else.
    """
    path = folder / name
    if not path.exists():
        private_data_folder(folder)
        draft = folder / f".{name}-{secrets.token_hex(8)}"
        try:
            _write_draft(draft)
            # Linking, unlike renaming, fails if another process was first: then its secret is the one.
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink(missing_ok=True)
    return path.read_text(encoding="utf-8").strip()


def _write_draft(draft: Path) -> None:
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_hex(32))
        file.flush()
        os.fsync(file.fileno())  # what it seals outlives a power cut, so it must too


def _with_dotenv() -> Mapping[str, str]:
    from dotenv import dotenv_values  # noqa: PLC0415  # only servers have it installed

    try:
        if stat.S_IMODE(Path(".env").stat().st_mode) & stat.S_IWOTH:
            raise SettingsInvalid([".env: anybody may write it, and so set up this server; run: chmod o= .env"])
    except FileNotFoundError:
        return os.environ
    try:
        file = dotenv_values(".env")
    except (OSError, UnicodeDecodeError) as error:
        reason = "it is not UTF-8" if isinstance(error, ValueError) else error.strerror
        raise SettingsInvalid([f".env: cannot be read ({reason}); correct it, or start in another folder"]) from error
    return {name: value for source in (file, os.environ) for name, value in source.items() if value}


def _port(text: str) -> int:
    return _between(0, 65535)(text)


def _between(low: int, high: int) -> Callable[[str], int]:
    def convert(text: str) -> int:
        if not text.strip().isdecimal() or not low <= int(text) <= high:
            raise ValueError(f"must be a whole number from {low} to {high}, not {text!r}")
        return int(text)

    return convert


def _yes_no(text: str) -> bool:
    if text.lower() not in _YES_NO:
        raise ValueError(f"must be true or false, not {text!r}")
    return _YES_NO[text.lower()]


def _one_of(kind: type[Choice]) -> Callable[[str], Choice]:
    def convert(text: str) -> Choice:
        if text.lower() not in set(kind):
            raise ValueError(f"must be {' or '.join(kind)}, not {text!r}")
        return kind(text.lower())

    return convert


def _networks(text: str) -> Networks:
    """Raises ValueError with a sentence that names what is no network."""
    return tuple(ipaddress.ip_network(name.strip()) for name in text.split(",") if name.strip())


def _host_names(text: str) -> frozenset[str]:
    names = frozenset(name.strip().lower() for name in text.split(",") if name.strip())
    for name in sorted(names):
        if not _HOST.fullmatch(name):
            raise ValueError(f"must be host names without scheme and port, comma-separated; {name!r} is not one")
    return names


def _origins(text: str) -> frozenset[str]:
    origins = frozenset(origin.strip() for origin in text.split(",") if origin.strip())
    for origin in sorted(origins):
        if not _ORIGIN.fullmatch(origin):
            raise ValueError(f"must be origins like https://example.org, comma-separated; {origin!r} is not one")
    return origins


def _word(text: str) -> str:
    # The value is a secret, so it is not repeated.
    if not (text.isascii() and text.isprintable()) or " " in text:
        raise ValueError("must be one word of visible ASCII characters")
    return text


def _database_url(text: str) -> str:
    # The value may hold a password, so it is not repeated. What follows is for the database's own library to read.
    if not text.startswith(("postgres://", "postgresql://")):
        raise ValueError("must be a URL that starts with postgresql://")
    return text


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")  # as the environment had them
