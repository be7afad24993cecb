"""The open connections of a process: only so many, and who is idle makes room for who comes.

Whose a connection is when a proxy passes it on, X-Forwarded-For says, trusted only as far as proxies are trusted.
"""

import asyncio
import ipaddress
import logging
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Protocol

import attrs

from moltnet.domain.caller import ANONYMOUS, asker_of
from moltnet.entrypoints.rest.options import ConnectionLimits

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


_LOG = logging.getLogger(__name__)


class Closable(Protocol):
    """A connection, as far as it matters here."""

    def force_close(self) -> None:
        """Ends it at once."""


@attrs.define(eq=False)
class _Open:
    """Some connections: how many there are, and those without a request, the longest idle one first."""

    count: int = 0
    idle: "OrderedDict[Closable, None]" = attrs.field(factory=OrderedDict)

    def close_idle(self) -> bool:
        """Closes the longest idle one; answers whether there was one."""
        if not self.idle:
            return False
        connection, _ = self.idle.popitem(last=False)
        connection.force_close()
        return True

    def has_capacity(self, most: int) -> bool:
        """Whether one more may come, if need be in the place of an idle one."""
        return self.count < most or self.close_idle()


class OpenConnections:
    """Counts connections; all of one address together, and all of the process.

    Idle ones are closed only when there is no room without that, so that silent clients keep nobody out.
    """

    def __init__(self, limits: ConnectionLimits, trusted: Sequence[Network]) -> None:
        self._limits, self._trusted = limits, trusted
        self._all = _Open()
        self._by_asker: dict[str, _Open] = {}
        self._asker: dict[Closable, str] = {}
        self._left = asyncio.Event()

    def admits(self, address: str) -> bool:
        """Whether one more connection of an address may come; may close an idle one for it."""
        of_address = self._by_asker.get(_asker_at(address))
        fits = (
            of_address is None
            or is_trusted(address, self._trusted)
            or of_address.has_capacity(self._limits.per_address)
        )
        is_admitted = fits and self._all.has_capacity(self._limits.total)
        if not is_admitted:
            _LOG.warning("connections are refused: as many as may be are open and busy; the last came from %s", address)
        return is_admitted

    def close_idle(self) -> bool:
        """Closes the longest idle connection; answers whether there was one."""
        return self._all.close_idle()

    def add(self, connection: Closable, address: str) -> None:
        """Counts a connection."""
        self._left.clear()
        asker = self._asker[connection] = _asker_at(address)
        for group in (self._all, self._by_asker.setdefault(asker, _Open())):
            group.count += 1

    def remove(self, connection: Closable) -> None:
        """Counts it no more; doing it again changes nothing."""
        asker = self._asker.pop(connection, None)
        if asker is None:
            return
        for group in (self._all, self._by_asker[asker]):
            group.count -= 1
            group.idle.pop(connection, None)
        if not self._by_asker[asker].count:
            del self._by_asker[asker]
        if not self._all.count:
            self._left.set()

    async def wait_left(self, within_s: float) -> None:
        """Waits until none is left, for so long at most."""
        if self._all.count:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._left.wait(), within_s)

    def mark_busy(self, connection: Closable) -> None:
        """It has a request."""
        for group in self._groups(connection):
            group.idle.pop(connection, None)

    def mark_idle(self, connection: Closable) -> None:
        """It has none any more."""
        for group in self._groups(connection):
            group.idle[connection] = None

    def _groups(self, connection: Closable) -> Sequence[_Open]:
        asker = self._asker.get(connection)
        return () if asker is None else (self._all, self._by_asker[asker])


def _asker_at(address: str) -> str:
    return asker_of(ANONYMOUS, address)
