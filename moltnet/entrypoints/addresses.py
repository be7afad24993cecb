"""Addresses of networks: read from a setting, made from where a server listens, and the name MCP is looked for at."""

import ipaddress
from urllib.parse import urlsplit

LOOPBACK = "127.0.0.1"
IPV6 = 6


def read_http_url(text: str) -> str:
    """An http or https URL without a slash at its end; raises ValueError with a sentence."""
    wrong = f"must be an http or https URL, not {text!r}"
    try:
        parts = urlsplit(text)
        _ = parts.port  # raises for one that is no number
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
