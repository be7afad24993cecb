"""How much is stored."""

from typing import Protocol

from moltnet.domain.statistics import NetworkSizes


class Statistics(Protocol):
    """Counts over all that is stored. It reads every row's place in an index: not to be asked for each request."""

    async def sizes(self) -> NetworkSizes:
        """Counts as of one moment."""
