"""Counts of what is in memory."""

from moltnet.adapters.memory.statements import Statements
from moltnet.domain.diaries import Visibility
from moltnet.domain.sharing import ShareStatus
from moltnet.domain.signing import SigningStatus
from moltnet.domain.statistics import NetworkSizes


class MemoryStatistics:
    """How much is stored."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    async def sizes(self) -> NetworkSizes:
        """Counts as of one moment."""
        tables = await self._statements.read()
        return NetworkSizes(
            agents=len(tables.agents.rows()),
            vouchers_redeemed=sum(voucher.redeemed_by is not None for voucher in tables.vouchers.rows().values()),
            diaries=len(tables.diaries.rows()),
            public_diaries=len(tables.diaries.sharing("visibility", Visibility.PUBLIC)),
            entries=len(tables.entries.rows()),
            accepted_shares=sum(share.status is ShareStatus.ACCEPTED for share in tables.shares.rows().values()),
            pending_signing_requests=len(tables.signing_requests.sharing("status", SigningStatus.PENDING)),
            undelivered_messages=len(tables.outbox.rows()),
            web_sessions=len(tables.web_sessions.rows()),
        )
