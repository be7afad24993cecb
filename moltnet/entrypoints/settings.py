"""The settings of a server: the only room that reads the environment.

Names are those of the operator's contract and of the original (rest.md §6). An empty value counts as unset, and a
`.env` file in the working folder fills in what the environment leaves out. Everything wrong is told at once, a line for
each field.
"""

import hashlib
import hmac
import os
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import attrs
import platformdirs

from moltnet.domain.entries import CONTENT_CEILING, CONTENT_MAX
from moltnet.domain.errors import Invalid

T = TypeVar("T")

DEFAULT_PORT = 8000
DEFAULT_ORIGINS = ("https://themolt.net", "https://api.themolt.net", "http://localhost:3000", "http://localhost:8000")
MIN_SECRET = 16
_ORY = (
    "ORY_PROJECT_URL",
    *(f"ORY_{name}_{side}_URL" for name in ("KRATOS", "HYDRA", "KETO") for side in ("PUBLIC", "ADMIN")),
)
_YES_NO = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


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

    @property
    def key_secret(self) -> bytes:
        """What seals the keys that sign tokens: derived, so that an operator keeps one secret and not two."""
        return hmac.digest(self.recovery_secret, b"moltnet token keys", hashlib.sha256)

    def url(self, port: int) -> str:
        """The address agents use, of a server that listens on `port`."""
        return self.public_url or f"http://127.0.0.1:{port}"


def read_settings(data_dir: Path | None = None, environment: Mapping[str, str] | None = None) -> Settings:
    """The settings of this process; `data_dir` wins over MOLTNET_DATA.

    Secrets that are not set are made once and kept in the data folder (mode 0600), with the embedded database only.
    Raises SettingsInvalid.
    """
    fields = _Fields(_with_dotenv() if environment is None else environment)
    folder = data_dir or fields.read("MOLTNET_DATA", Path) or Path(platformdirs.user_data_dir("moltnet"))
    embedded = fields.text("DATABASE_URL") is None
    fields.refuse_ory()
    read = {
        "data_dir": folder.expanduser().absolute(),
        "database_url": fields.read("DATABASE_URL", _database_url),
        "port": fields.read("PORT", _port, DEFAULT_PORT),
        "public_url": fields.read("MOLTNET_PUBLIC_URL", _http_url),
        "recovery_secret": fields.secret("RECOVERY_CHALLENGE_SECRET", folder, embedded=embedded).encode(),
        "ory_action_api_key": fields.secret("ORY_ACTION_API_KEY", folder, embedded=embedded),
        "cors_origins": fields.read("CORS_ORIGINS", _origins, frozenset(DEFAULT_ORIGINS)),
        "content_max": fields.read("MOLTNET_CONTENT_MAX", _between(1, CONTENT_CEILING), CONTENT_MAX),
        "model_dir": fields.read("MOLTNET_MODEL", Path),
        "embedding_threads": fields.read("MOLTNET_EMBEDDING_THREADS", _between(1, 64), 2),
        "max_connections": fields.read("MOLTNET_DATABASE_CONNECTIONS", _between(2, 1000), 10),
        "streams_per_address": fields.read("MOLTNET_STREAMS_PER_ADDRESS", _between(1, 100_000), 5),
        "scopeless_tokens_have_all": fields.read("MOLTNET_SCOPELESS_TOKENS_HAVE_ALL", _yes_no, default=True),
    }
    if fields.problems:
        raise SettingsInvalid(fields.problems)
    return Settings(**read)  # type: ignore[arg-type]  # each value is of its field's type or a problem was noted


class _Fields:
    """Reads one variable after the other and notes what is wrong with each."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self.problems: list[str] = []

    def text(self, name: str) -> str | None:
        return self._environment.get(name) or None

    def read(self, name: str, convert: Callable[[str], T], default: T | None = None) -> T | None:
        text = self.text(name)
        if text is None:
            return default
        try:
            return convert(text)
        except ValueError as error:
            self.problems.append(f"{name}: {error}")
            return default

    def secret(self, name: str, folder: Path, *, embedded: bool) -> str:
        text = self.text(name)
        if text is None and embedded:
            return self._kept_secret(name, folder)
        if text is None:
            self.problems.append(f"{name}: required when DATABASE_URL is set")
        elif len(text) < MIN_SECRET:
            self.problems.append(f"{name}: must have at least {MIN_SECRET} characters")
        return text or ""

    def refuse_ory(self) -> None:
        self.problems.extend(
            f"{name}: Ory is not supported by this version; unset it to use the native identity and permissions"
            for name in _ORY
            if self.text(name)
        )

    def _kept_secret(self, name: str, folder: Path) -> str:
        try:
            return kept_secret(folder.expanduser(), name.lower())
        except OSError as error:
            self.problems.append(
                f"MOLTNET_DATA: {error.filename or folder} cannot be used ({error.strerror}); "
                "make it writable for this user, or choose another folder with --data"
            )
            return ""


def kept_secret(folder: Path, name: str) -> str:
    """The secret of this name in a data folder, made at first use; of several processes at once, one makes it."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    place = folder / name
    if not place.exists():
        draft = folder / f".{name}-{secrets.token_hex(8)}"
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(32))
        try:
            # Linking, unlike renaming, fails if another process was first: then its secret is the one.
            os.link(draft, place)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return place.read_text().strip()


def _with_dotenv() -> Mapping[str, str]:
    from dotenv import dotenv_values  # noqa: PLC0415  # only servers have it installed

    file = {name: value for name, value in dotenv_values(".env").items() if value is not None}
    return {**file, **os.environ}


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


def _origins(text: str) -> frozenset[str]:
    return frozenset(origin.strip() for origin in text.split(",") if origin.strip())


def _http_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise ValueError(f"must be an http or https URL, not {text!r}")
    return text.rstrip("/")


def _database_url(text: str) -> str:
    # The value may hold a password, so it is not repeated.
    if urlsplit(text).scheme not in {"postgres", "postgresql"}:
        raise ValueError("must be a URL that starts with postgresql://")
    return text
