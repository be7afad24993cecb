"""Whose request it is when a proxy passes it on: X-Forwarded-For, trusted only as far as proxies are trusted."""

import ipaddress
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

Network = IPv4Network | IPv6Network


def client_address(peer: str, forwarded: Iterable[str], trusted: Sequence[Network]) -> str:
    """The address that asks.

    Args:
        peer: the address at the other end of the connection.
        forwarded: the lines of X-Forwarded-For, in order; each proxy adds at the end whom it heard.
        trusted: the networks of our own proxies.

    Each address is trusted because the one after it, read from the right, is a trusted proxy: the first that is none
    is the client. What cannot be read as an address ends the walk, and the proxy that passed it on is the client.
    """
    if not trusted:
        return peer
    client = peer
    for hop in reversed([entry.strip() for line in forwarded for entry in line.split(",")]):
        if not is_trusted(client, trusted):
            return client
        address = _parsed(hop)
        if address is None:
            return client
        client = str(address)
    return client


def is_trusted(text: str, trusted: Sequence[Network]) -> bool:
    """Whether an address is in one of these networks."""
    address = _parsed(text)
    return address is not None and any(address in network for network in trusted)


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    # Some proxies add the port: 192.0.2.1:4711, [2001:db8::1]:4711.
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    # A socket for both families shows an IPv4 peer so.
    return getattr(address, "ipv4_mapped", None) or address
