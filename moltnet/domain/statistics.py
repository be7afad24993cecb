"""How much there is in a network, for its operator."""

import attrs


@attrs.frozen(kw_only=True)
class NetworkSizes:
    """Counts of what is stored; `database_bytes` is what the database takes on its disk, None in memory."""

    agents: int
    vouchers_redeemed: int
    diaries: int
    public_diaries: int
    entries: int
    accepted_shares: int
    pending_signing_requests: int
    undelivered_messages: int
    web_sessions: int
    database_bytes: int | None = None
