"""The table `agent_vouchers`."""

from datetime import datetime

from moltnet.adapters.postgres.rows import edge_from_row, voucher_from_row
from moltnet.adapters.postgres.session import Row, Session
from moltnet.domain.ids import AgentId
from moltnet.domain.vouching import MAX_OPEN_VOUCHERS, Edge, IssueContended, Voucher
from moltnet.ports.repositories import Page

# One row: how many of the issuer's vouchers were open before, and whether this one was stored. agent_vouchers_issuer.
# 1. The slots of expired vouchers are given back.
# 2. Of the free slots as many come in question as open vouchers are missing, the lowest first: an open voucher without
#    a slot so keeps one from being given out. Which of them is chance, so that parallel calls seldom want the same.
# 3. Where they do, agent_vouchers_issuer_id_slot_key lets one through and the others wait for it, then store nothing.
ISSUE = """
    with freed as (
        update agent_vouchers set slot = null
        where issuer_id = %(issuer_id)s and slot is not null and expires_at <= %(created_at)s
        returning id
    ), held as (
        select slot from agent_vouchers
        where issuer_id = %(issuer_id)s and redeemed_by is null and expires_at > %(created_at)s
    ), missing as (
        select greatest(%(most)s - count(*), 0) as places from held
    ), place as (
        select slot from (
            select slot from generate_series(1, %(most)s) as slot
            where not exists (select from held where held.slot = slot.slot)
            order by slot limit (select places from missing)
        ) as free
        order by random() limit 1
    ), issued as (
        insert into agent_vouchers (id, code, issuer_id, slot, expires_at, created_at)
        select %(id)s, %(code)s, %(issuer_id)s, slot, %(expires_at)s, %(created_at)s
        from place where (select count(*) from freed) >= 0 -- 1 is done before 3 begins
        on conflict do nothing
        returning id
    )
    select (select places from missing) as places, exists (select from issued) as issued
"""
# The voucher of a code; agent_vouchers_code_key.
FIND = """
    select id, code, issuer_id, redeemed_by, redeemed_at, redeemed_with, expires_at, created_at
    from agent_vouchers where code = %(code)s
"""
# One row, or none when the voucher is not open and was not redeemed by this agent; agent_vouchers_code_key.
REDEEM = """
    update agent_vouchers
    set redeemed_by = %(agent_id)s, redeemed_at = coalesce(redeemed_at, %(at)s), slot = null,
        redeemed_with = case when redeemed_by is null then %(mark)s::bytea else redeemed_with end
    where code = %(code)s and (redeemed_by = %(agent_id)s or (redeemed_by is null and expires_at > %(at)s))
"""
# An issuer's open vouchers, oldest first; agent_vouchers_issuer gives the order.
OPEN_OF = """
    select id, code, issuer_id, redeemed_by, redeemed_at, redeemed_with, expires_at, created_at
    from agent_vouchers
    where issuer_id = %(issuer_id)s and redeemed_by is null and expires_at > %(at)s
    order by created_at, id
"""
# The number of rows; agent_vouchers_expiry.
PURGE = "delete from agent_vouchers where redeemed_by is null and expires_at < %(at)s"
# Both fingerprints of each redeemed voucher, newest redemption first; agent_vouchers_graph gives the order.
GRAPH = """
    select issuers.fingerprint as issuer, redeemers.fingerprint as redeemer, v.redeemed_at
    from agent_vouchers v
    join agent_keys issuers on issuers.identity_id = v.issuer_id
    join agent_keys redeemers on redeemers.identity_id = v.redeemed_by
    where v.redeemed_by is not null
    order by v.redeemed_at desc, v.id desc
    limit %(limit)s offset %(offset)s
"""


class PostgresVouchers:
    """Vouchers by their codes; an issuer is held to five open ones."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def issue(self, voucher: Voucher) -> bool:
        """Stores a new voucher while its issuer has a free place; raises IssueContended."""
        available, issued = await self._session.first(
            _outcome,
            ISSUE,
            id=voucher.id,
            code=voucher.code,
            issuer_id=voucher.issuer_id,
            expires_at=voucher.expires_at,
            created_at=voucher.created_at,
            most=MAX_OPEN_VOUCHERS,
        ) or (0, False)
        if available and not issued:
            raise IssueContended
        return issued

    async def find(self, code: str) -> Voucher | None:
        """The voucher of a code."""
        return await self._session.first(voucher_from_row, FIND, code=code)

    async def redeem(self, code: str, agent_id: AgentId, at: datetime, mark: bytes | None = None) -> bool:
        """Marks an open voucher as redeemed."""
        return await self._session.run(REDEEM, code=code, agent_id=agent_id, at=at, mark=mark) > 0

    async def open_of(self, issuer_id: AgentId, at: datetime) -> list[Voucher]:
        """An agent's unredeemed and unexpired vouchers, oldest first."""
        return await self._session.all(voucher_from_row, OPEN_OF, issuer_id=issuer_id, at=at)

    async def purge(self, at: datetime) -> int:
        """Forgets vouchers that expired unredeemed before `at`."""
        return await self._session.run(PURGE, at=at)

    async def graph(self, page: Page) -> list[Edge]:
        """Who vouched for whom, newest redemption first."""
        return await self._session.all(edge_from_row, GRAPH, limit=page.limit, offset=page.offset)


def _outcome(row: Row) -> tuple[int, bool]:
    return row["places"], row["issued"]
