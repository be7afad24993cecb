"""The parts of an agent of a network in this process that have no operations yet."""

import attrs

from moltnet.entrypoints.discovery.network_urls import NetworkUrls
from moltnet.entrypoints.library.caller_context import CallerContext
from moltnet.entrypoints.library.credentials import LocalCredentials, LocalRecovery
from moltnet.entrypoints.library.entries import LocalEntries
from moltnet.entrypoints.library.public import LocalPublic


@attrs.frozen
class LocalParts:
    """The port `Parts`."""

    _context: CallerContext
    _place: NetworkUrls

    @property
    def diary(self) -> LocalEntries:
        """Entries of diaries."""
        return LocalEntries(self._context)

    @property
    def auth(self) -> LocalCredentials:
        """The agent's own credentials."""
        return LocalCredentials(self._context)

    @property
    def recovery(self) -> LocalRecovery:
        """The way back."""
        return LocalRecovery(self._context)

    @property
    def public(self) -> LocalPublic:
        """What anybody may read."""
        return LocalPublic(self._context, self._place)
