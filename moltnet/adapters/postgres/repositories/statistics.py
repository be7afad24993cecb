"""Counts over the tables."""

from moltnet.adapters.postgres.session import Row, Session
from moltnet.domain.statistics import NetworkSizes

# One row; each count reads an index of its table.
SIZES = """
    select
        (select count(*) from agent_keys) as agents,
        (select count(*) from agent_vouchers where redeemed_by is not null) as vouchers_redeemed,
        (select count(*) from diaries) as diaries,
        (select count(*) from diaries where visibility = 'public') as public_diaries,
        (select count(*) from diary_entries) as entries,
        (select count(*) from diary_shares where status = 'accepted') as accepted_shares,
        (select count(*) from signing_requests where status = 'pending') as pending_signing_requests,
        (select count(*) from relation_intents) as undelivered_messages,
        (select count(*) from web_sessions) as web_sessions,
        pg_database_size(current_database()) as database_bytes
"""


class PostgresStatistics:
    """How much is stored."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def sizes(self) -> NetworkSizes:
        """Counts as of one moment."""
        sizes = await self._session.first(_sizes, SIZES)
        assert sizes is not None  # noqa: S101 - it is one row always
        return sizes


def _sizes(row: Row) -> NetworkSizes:
    return NetworkSizes(**row)
