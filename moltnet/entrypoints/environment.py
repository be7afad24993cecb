"""Variables of the environment: what their texts say, and what is wrong with them.

Converters take a text and raise ValueError with a sentence. A `.env` file in the working folder fills in what the
environment leaves out.
"""

import ipaddress
import os
import re
import stat
from collections.abc import Callable, Mapping
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from moltnet.domain.errors import Invalid

T = TypeVar("T")
Choice = TypeVar("Choice", bound=StrEnum)
Networks = tuple[IPv4Network | IPv6Network, ...]

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
