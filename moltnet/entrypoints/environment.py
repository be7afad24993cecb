"""Variables of the environment as values, and the folders that a platform has for a user."""

import ipaddress
import os
import re
import secrets
import stat
from collections.abc import Callable, Mapping
from contextlib import suppress
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import platformdirs

from moltnet.domain.checkpoints import COSIGNATURE, MalformedCheckpoint, VerifierKey
from moltnet.domain.errors import Invalid

PRIVATE = 0o700
OPEN_TO_OTHERS = 0o077
# What this program keeps there, by the beginnings of the names; drafts begin with a dot.
OWN_FILES = ("postgres", "recovery_challenge_secret", "ory_action_api_key", "first-agent", "genesis")


class DataFolderOpen(Invalid):
    """Others may enter the data folder, and it is not for this program to close it."""

    code = "DATA_FOLDER_OPEN"

    def __init__(self, folder: Path, reason: str) -> None:
        super().__init__(
            f"The data folder {folder} can be entered by others and {reason}: choose another with --data, or let its "
            "owner close it with chmod 700"
        )


def expanded(text: str) -> Path:
    """The path of a text, which may begin with `~`; raises ValueError with a sentence."""
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise ValueError(f"cannot find the home folder in {text}; write the folder in full") from None


def configuration_folder() -> Path:
    """Where an agent's credentials are; of a user without a home, below `/`, which is the home that containers set."""
    try:
        home = Path.home()
    except RuntimeError:
        home = Path("/")
    return home / ".config" / "moltnet"


def default_data_folder() -> Path:
    """Where a network is stored; raises ValueError with a sentence."""
    try:
        return Path(platformdirs.user_data_dir("moltnet"))
    except RuntimeError:
        raise ValueError("this user has no home folder; choose a data folder with --data") from None


def private_data_folder(folder: Path) -> None:
    """Makes the folder if need be; it and the files in it are for their owner alone afterwards.

    Raises DataFolderOpen, and OSError.
    """
    folder.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
    state = folder.stat()
    if state.st_mode & OPEN_TO_OTHERS:
        if state.st_uid != os.geteuid():
            raise DataFolderOpen(folder, f"belongs to another user (uid {state.st_uid})")
        if any(not _is_data_file(path.name) for path in folder.iterdir()):
            raise DataFolderOpen(folder, "holds other files too")
        folder.chmod(PRIVATE)
    for path in (*folder.iterdir(), *folder.glob("first-agent/*"), *folder.glob("genesis/*")):
        with suppress(FileNotFoundError):  # the draft of another process that starts at the same time
            _close(path)


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


def _close(path: Path) -> None:
    """Closes a file or folder of ours to others; what a link leads to is left as it is."""
    state = path.lstat()
    if stat.S_ISLNK(state.st_mode) or state.st_uid != os.geteuid():
        return
    if state.st_mode & OPEN_TO_OTHERS:
        path.chmod(stat.S_IMODE(state.st_mode) & ~OPEN_TO_OTHERS)


def _is_data_file(name: str) -> bool:
    return name.lstrip(".").startswith(OWN_FILES)


def _write_draft(draft: Path) -> None:
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_hex(32))
        file.flush()
        os.fsync(file.fileno())  # what it seals outlives a power cut, so it must too


T = TypeVar("T")
Choice = TypeVar("Choice", bound=StrEnum)
Networks = tuple[IPv4Network | IPv6Network, ...]
Witnesses = tuple[tuple[VerifierKey, str], ...]

LOOPBACK = "127.0.0.1"
IPV6 = 6
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[^/?#@\s]+")  # RFC 6454 §6.2
_HOST = re.compile(r"[a-z0-9]([a-z0-9._-]*[a-z0-9])?|\[[0-9a-f:.]+\]")
_YES_NO = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


class SettingsInvalid(Invalid):
    """Settings that the server cannot start with; one line for each field."""

    code = "SETTINGS_INVALID"

    def __init__(self, problems: list[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(problems))


class Variables:
    """Reads one variable after the other and collects what is wrong with each; an empty value counts as unset."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self.problems: list[str] = []

    def text(self, name: str) -> str | None:
        """The value of a variable."""
        return self._environment.get(name) or None

    def beginning_with(self, prefix: str) -> Mapping[str, str]:
        """The variables whose names begin so."""
        return {name: value for name, value in self._environment.items() if name.startswith(prefix) and value}

    def read(self, name: str, convert: Callable[[str], T], default: T | None = None) -> T | None:
        """The converted value of a variable, or the default; what `convert` raises as ValueError is recorded."""
        text = self.text(name)
        if text is None:
            return default
        try:
            return convert(text)
        except ValueError as error:
            self.problems.append(f"{name}: {error}")
            return default


def environment_with_dotenv() -> Mapping[str, str]:
    """The environment and the `.env` file of a server; raises SettingsInvalid."""
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


def read_http_url(text: str) -> str:
    """An http or https URL without a slash at its end; raises ValueError with a sentence."""
    wrong = f"must be an http or https URL, not {text!r}"
    try:
        parts = urlsplit(text)
        _ = parts.port  # raises for one that is not a number
    except ValueError:
        raise ValueError(wrong) from None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(wrong)
    return text.rstrip("/")


def address_of(host: str, port: int) -> str:
    """The URL of a server that listens on an IP address; one on all addresses is reached on this machine."""
    address = ipaddress.ip_address(host)
    if address.version == IPV6:
        return f"http://[{'::1' if address.is_unspecified else host}]:{port}"
    return f"http://{LOOPBACK if address.is_unspecified else host}:{port}"


def mcp_host_of(url: str) -> str | None:
    """The host where clients of the original look for MCP, for a network at `api.…`; None for one at another name."""
    name = urlsplit(url).hostname or ""
    return f"mcp.{name.removeprefix('api.')}" if name.startswith("api.") else None


def port(text: str) -> int:
    """The number of a port."""
    return between(0, 65535)(text)


def between(low: int, high: int) -> Callable[[str], int]:
    """Reads a whole number from `low` to `high`."""

    def convert(text: str) -> int:
        if not text.strip().isdecimal() or not low <= int(text) <= high:
            raise ValueError(f"must be a whole number from {low} to {high}, not {text!r}")
        return int(text)

    return convert


def yes_no(text: str) -> bool:
    """True or false, as any of the usual words."""
    if text.lower() not in _YES_NO:
        raise ValueError(f"must be true or false, not {text!r}")
    return _YES_NO[text.lower()]


def one_of(kind: type[Choice]) -> Callable[[str], Choice]:
    """Reads a member of an enum by its value, in any case."""

    def convert(text: str) -> Choice:
        if text.lower() not in set(kind):
            raise ValueError(f"must be {' or '.join(kind)}, not {text!r}")
        return kind(text.lower())

    return convert


def networks(text: str) -> Networks:
    """IP networks, comma-separated; the sentence names the one that is not one."""
    return tuple(ipaddress.ip_network(name.strip()) for name in text.split(",") if name.strip())


def witnesses(text: str) -> Witnesses:
    """Verifier keys of witnesses, each with its address behind a space, comma-separated."""
    found = []
    for part in filter(None, map(str.strip, text.split(","))):
        key, _, url = part.partition(" ")
        try:
            parsed = VerifierKey.parse(key)
        except MalformedCheckpoint as error:
            raise ValueError(f"must be verifier keys and addresses: {error.detail}") from None
        if parsed.kind != COSIGNATURE:
            raise ValueError(f"must be keys of witnesses; that of {parsed.name} is a log's")
        found.append((parsed, read_http_url(url.strip())))
    return tuple(found)


def host_names(text: str) -> frozenset[str]:
    """Host names, comma-separated, in lower case."""
    names = frozenset(name.strip().lower() for name in text.split(",") if name.strip())
    for name in sorted(names):
        if not _HOST.fullmatch(name):
            raise ValueError(f"must be host names without scheme and port, comma-separated; {name!r} is not one")
    return names


def origins(text: str) -> frozenset[str]:
    """Origins of web pages (RFC 6454), comma-separated."""
    found = frozenset(origin.strip() for origin in text.split(",") if origin.strip())
    for origin in sorted(found):
        if not _ORIGIN.fullmatch(origin):
            raise ValueError(f"must be origins like https://example.org, comma-separated; {origin!r} is not one")
    return found


def word(text: str) -> str:
    """A secret of one word."""
    # The value is a secret, so it is not repeated.
    if not (text.isascii() and text.isprintable()) or " " in text:
        raise ValueError("must be one word of visible ASCII characters")
    return text


def database_url(text: str) -> str:
    """The URL of a PostgreSQL database."""
    # The value may hold a password, so it is not repeated. What follows is for the database's own library to read.
    if not text.startswith(("postgres://", "postgresql://")):
        raise ValueError("must be a URL that starts with postgresql://")
    return text
