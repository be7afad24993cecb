"""The tables `agent_keys` and `agent_vouchers`."""

from datetime import datetime
from operator import itemgetter

from moltnet.adapters.postgres.rows import agent_from_row, columns_of, edge_from_row, voucher_from_row
from moltnet.adapters.postgres.session import Repository
from moltnet.domain.agents import Agent, KeyTaken
from moltnet.domain.constraints import Page
from moltnet.domain.ids import AgentId
from moltnet.domain.keys import Fingerprint, PublicKey
from moltnet.domain.vouching import MAX_OPEN_VOUCHERS, Edge, IssueContended, Voucher

# One row, or none when the identity, the key or the fingerprint is stored already; any of the three unique indexes.
ADD_AGENT = """
    insert into agent_keys (identity_id, public_key, public_key_bytes, fingerprint, proven, created_at, updated_at)
    values (%(id)s, %(text)s, %(raw)s, %(fingerprint)s, %(proven)s, %(created_at)s, %(updated_at)s)
    on conflict do nothing
"""
# One row when the identity has this key; agent_keys_pkey.
SAME_AGENT = "select from agent_keys where identity_id = %(id)s and public_key_bytes = %(raw)s"
# One row; agent_keys_pkey. Another identity's key or fingerprint breaks its unique constraint, which is KeyTaken. What
# was proven of a key says nothing of the next one.
PUT_AGENT = """
    insert into agent_keys (identity_id, public_key, public_key_bytes, fingerprint, proven, created_at, updated_at)
    values (%(id)s, %(text)s, %(raw)s, %(fingerprint)s, %(proven)s, %(created_at)s, %(updated_at)s)
    on conflict on constraint agent_keys_pkey do update set
        public_key = excluded.public_key, public_key_bytes = excluded.public_key_bytes,
        fingerprint = excluded.fingerprint, updated_at = excluded.updated_at,
        proven = excluded.proven or (agent_keys.proven and agent_keys.public_key_bytes = excluded.public_key_bytes)
"""
# One row, or none when the identity has another key by now, or it was recorded before; agent_keys_pkey.
MARK_PROVEN = """
    update agent_keys set proven = true
    where identity_id = %(id)s and public_key_bytes = %(raw)s and not proven
"""
# One row when there is any agent; the first that a scan meets.
ANY_AGENT = "select from agent_keys limit 1"
SELECT_AGENTS = "select identity_id, public_key_bytes, proven, created_at, updated_at from agent_keys"
# A page in the order of agent_keys_pkey.
AGENTS_AFTER = f"""
    {SELECT_AGENTS}
    where %(id)s::uuid is null or identity_id > %(id)s order by identity_id limit %(limit)s
"""
# The agent of an identity; agent_keys_pkey.
FIND_AGENT = f"{SELECT_AGENTS} where identity_id = %(id)s"
# The agent with a fingerprint; agent_keys_fingerprint_key.
FIND_AGENT_BY_FINGERPRINT = f"{SELECT_AGENTS} where fingerprint = %(fingerprint)s"
# The agent with a key; agent_keys_public_key_bytes_key.
FIND_AGENT_BY_KEY = f"{SELECT_AGENTS} where public_key_bytes = %(raw)s"
# The agent's diaries, entries, shares, relations, vouchers and signing requests go with it, by their foreign keys. What
# it had redeemed is open again, without a slot: its issuer may have none left. agent_keys_pkey, diary_entries_author,
# agent_vouchers_redeemer.
REMOVE_AGENT = """
    with gone as (delete from agent_keys where identity_id = %(id)s)
    update agent_vouchers set redeemed_by = null, redeemed_at = null, redeemed_with = null
    where redeemed_by = %(id)s
"""


class PostgresAgents(Repository):
    """Members by identity, key and fingerprint."""

    async def add(self, agent: Agent) -> None:
        added = await self._session.run(ADD_AGENT, **_columns(agent))
        # Asked in a second statement, which sees what another process committed while the first one waited for it.
        if not added and not await self._session.run(SAME_AGENT, id=agent.id, raw=agent.public_key.raw):
            raise KeyTaken

    async def put(self, agent: Agent) -> None:
        await self._session.run(PUT_AGENT, **_columns(agent))

    async def mark_proven(self, agent_id: AgentId, key: PublicKey) -> None:
        await self._session.run(MARK_PROVEN, id=agent_id, raw=key.raw)

    async def any(self) -> bool:
        return await self._session.run(ANY_AGENT) > 0

    async def after(self, agent_id: AgentId | None, limit: int) -> list[Agent]:
        return await self._session.all(agent_from_row, AGENTS_AFTER, id=agent_id, limit=limit)

    async def find(self, agent_id: AgentId) -> Agent | None:
        return await self._session.first(agent_from_row, FIND_AGENT, id=agent_id)

    async def find_by_fingerprint(self, fingerprint: Fingerprint) -> Agent | None:
        return await self._session.first(agent_from_row, FIND_AGENT_BY_FINGERPRINT, fingerprint=fingerprint.text)

    async def find_by_key(self, key: PublicKey) -> Agent | None:
        return await self._session.first(agent_from_row, FIND_AGENT_BY_KEY, raw=key.raw)

    async def remove(self, agent_id: AgentId) -> None:
        await self._session.run(REMOVE_AGENT, id=agent_id)


def _columns(agent: Agent) -> dict[str, object]:
    return {
        "id": agent.id,
        "text": agent.public_key.text,
        "raw": agent.public_key.raw,
        "fingerprint": agent.fingerprint.text,
        "proven": agent.proven,
        "created_at": agent.created_at,
        "updated_at": agent.updated_at,
    }


# One row: how many of the issuer's vouchers were open before, and whether this one was stored. agent_vouchers_issuer.
# 1. The slots of expired vouchers are given back.
# 2. Of the free slots as many come in question as open vouchers are missing, the lowest first: an open voucher without
#    a slot so keeps one from being given out. Which of them is chance, so that parallel calls seldom want the same.
# 3. Where they do, agent_vouchers_issuer_id_slot_key lets one through and the others wait for it, then store nothing.
ISSUE_VOUCHER = """
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
SELECT_VOUCHERS = """
    select id, code, issuer_id, redeemed_by, redeemed_at, redeemed_with, expires_at, created_at
    from agent_vouchers
"""
# The voucher of a code; agent_vouchers_code_key.
FIND_VOUCHER = f"{SELECT_VOUCHERS} where code = %(code)s"
# One row, or none when the voucher is not open and was not redeemed by this agent; agent_vouchers_code_key.
REDEEM_VOUCHER = """
    update agent_vouchers
    set redeemed_by = %(agent_id)s, redeemed_at = coalesce(redeemed_at, %(at)s), slot = null,
        redeemed_with = case when redeemed_by is null then %(mark)s::bytea else redeemed_with end
    where code = %(code)s and (redeemed_by = %(agent_id)s or (redeemed_by is null and expires_at > %(at)s))
"""
# An issuer's open vouchers, oldest first; agent_vouchers_issuer gives the order.
OPEN_VOUCHERS_OF = f"""
    {SELECT_VOUCHERS}
    where issuer_id = %(issuer_id)s and redeemed_by is null and expires_at > %(at)s
    order by created_at, id
"""
# The number of rows; agent_vouchers_expiry.
PURGE_VOUCHERS = "delete from agent_vouchers where redeemed_by is null and expires_at < %(at)s"
# Both fingerprints of each redeemed voucher, newest redemption first; agent_vouchers_graph gives the order.
VOUCHER_GRAPH = """
    select issuers.fingerprint as issuer, redeemers.fingerprint as redeemer, v.redeemed_at
    from agent_vouchers v
    join agent_keys issuers on issuers.identity_id = v.issuer_id
    join agent_keys redeemers on redeemers.identity_id = v.redeemed_by
    where v.redeemed_by is not null
    order by v.redeemed_at desc, v.id desc
    limit %(limit)s offset %(offset)s
"""
# The vouchers that led to an agent, one after the other: agent_vouchers_redeemer, then agent_keys_pkey. The limit is
# beside the numbering, so that no circle of damaged rows is followed for ever.
LINEAGE = """
    with recursive chain (issuer_id, redeemed_by, redeemed_at, number) as (
        select issuer_id, redeemed_by, redeemed_at, 1 from agent_vouchers where redeemed_by = %(agent_id)s
        union all
        select v.issuer_id, v.redeemed_by, v.redeemed_at, number + 1
        from chain join agent_vouchers v on v.redeemed_by = chain.issuer_id where number < %(limit)s
    )
    select issuers.fingerprint as issuer, redeemers.fingerprint as redeemer, chain.redeemed_at
    from chain
    join agent_keys issuers on issuers.identity_id = chain.issuer_id
    join agent_keys redeemers on redeemers.identity_id = chain.redeemed_by
    order by number limit %(limit)s
"""
# The vouchers that an agent led to, a generation at a time: agent_vouchers_issuer, then agent_keys_pkey. A recursive
# query is evaluated no further than its limit.
DESCENDANTS = """
    with recursive tree (issuer_id, redeemed_by, redeemed_at, number) as (
        select issuer_id, redeemed_by, redeemed_at, 1 from agent_vouchers
        where issuer_id = %(agent_id)s and redeemed_by is not null
        union all
        select v.issuer_id, v.redeemed_by, v.redeemed_at, number + 1
        from tree join agent_vouchers v on v.issuer_id = tree.redeemed_by
        where v.redeemed_by is not null and number < %(depth)s
    ), nearest as (select * from tree limit %(limit)s)
    select issuers.fingerprint as issuer, redeemers.fingerprint as redeemer, nearest.redeemed_at
    from nearest
    join agent_keys issuers on issuers.identity_id = nearest.issuer_id
    join agent_keys redeemers on redeemers.identity_id = nearest.redeemed_by
    order by number, nearest.redeemed_at desc
"""


class PostgresVouchers(Repository):
    """Vouchers by their codes; an issuer is held to five open ones."""

    async def issue(self, voucher: Voucher) -> bool:
        available, issued = await self._session.first(
            itemgetter("places", "issued"), ISSUE_VOUCHER, **columns_of(voucher), most=MAX_OPEN_VOUCHERS
        ) or (0, False)
        if available and not issued:
            raise IssueContended
        return bool(issued)

    async def find(self, code: str) -> Voucher | None:
        return await self._session.first(voucher_from_row, FIND_VOUCHER, code=code)

    async def redeem(self, code: str, agent_id: AgentId, at: datetime, mark: bytes | None = None) -> bool:
        return await self._session.run(REDEEM_VOUCHER, code=code, agent_id=agent_id, at=at, mark=mark) > 0

    async def open_of(self, issuer_id: AgentId, at: datetime) -> list[Voucher]:
        return await self._session.all(voucher_from_row, OPEN_VOUCHERS_OF, issuer_id=issuer_id, at=at)

    async def purge(self, at: datetime) -> int:
        return await self._session.run(PURGE_VOUCHERS, at=at)

    async def graph(self, page: Page) -> list[Edge]:
        return await self._session.all(edge_from_row, VOUCHER_GRAPH, limit=page.limit, offset=page.offset)

    async def lineage(self, agent_id: AgentId, limit: int) -> list[Edge]:
        return await self._session.all(edge_from_row, LINEAGE, agent_id=agent_id, limit=limit)

    async def descendants(self, agent_id: AgentId, depth: int, limit: int) -> list[Edge]:
        return await self._session.all(edge_from_row, DESCENDANTS, agent_id=agent_id, depth=depth, limit=limit)
