"""The table `signing_requests`."""

from collections.abc import Collection
from datetime import datetime

import attrs

from moltnet.adapters.postgres.rows import signing_request_from_row
from moltnet.adapters.postgres.session import Row, Session
from moltnet.domain.ids import AgentId, SigningRequestId
from moltnet.domain.signing import SigningRequest, SigningStatus
from moltnet.ports.repositories import Page

# One row, or none when the id is stored; signing_requests_pkey.
ADD = """
    insert into signing_requests (
        id, agent_id, message, nonce, status, signature, valid, scheme, workflow_id,
        created_at, expires_at, completed_at
    ) values (
        %(id)s, %(agent_id)s, %(message)s, %(nonce)s, %(status)s, %(signature)s, %(valid)s, %(scheme)s, %(workflow_id)s,
        %(created_at)s, %(expires_at)s, %(completed_at)s
    )
    on conflict (id) do nothing
"""
# The request of an id; signing_requests_pkey.
FIND = """
    select id, agent_id, message, nonce, status, signature, valid, scheme, created_at, expires_at, completed_at
    from signing_requests where id = %(id)s
"""
# One row, or none when the stored request is not pending; signing_requests_pkey.
COMPLETE = """
    update signing_requests
    set status = %(status)s, signature = %(signature)s, valid = %(valid)s, scheme = %(scheme)s,
        completed_at = %(completed_at)s
    where id = %(id)s and status = 'pending'
"""
# How many requests of an agent there are, beside each of a page of them, newest first, or beside nulls when the page is
# empty; signing_requests_newest.
OF_AGENT = """
    with matching as (
        select id, created_at from signing_requests
        where agent_id = %(agent_id)s
            and (%(statuses)s::signing_request_status[] = '{}' or status = any(%(statuses)s::signing_request_status[]))
    ), page as (
        select id from matching order by created_at desc, id desc limit %(limit)s offset %(offset)s
    )
    select counted.total, shown.* from (select count(*) as total from matching) as counted
    left join (
        select r.id, agent_id, message, nonce, status, signature, valid, scheme, created_at, expires_at, completed_at
        from page join signing_requests r on r.id = page.id
    ) as shown on true
    order by shown.created_at desc, shown.id desc
"""
# The best request with a signature: a valid one before an invalid one, then the newest; signing_requests_signature.
FIND_BY_SIGNATURE = """
    select id, agent_id, message, nonce, status, signature, valid, scheme, created_at, expires_at, completed_at
    from signing_requests
    where signature = %(signature)s and (%(agent_id)s::uuid is null or agent_id = %(agent_id)s)
    order by valid desc, created_at desc, id desc limit 1
"""
# Pending requests whose time is over, oldest first; signing_requests_pending gives the order.
OVERDUE = """
    select id, agent_id, message, nonce, status, signature, valid, scheme, created_at, expires_at, completed_at
    from signing_requests
    where status = 'pending' and expires_at <= %(at)s
    order by created_at, id limit %(limit)s
"""


class PostgresSigningRequests:
    """Requests to sign a message."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def add(self, request: SigningRequest) -> None:
        """Stores a new request; the same id again changes nothing. Raises ProfileNotFound when the agent is gone."""
        await self._session.run(ADD, **attrs.asdict(request, recurse=False), workflow_id=request.workflow_id)

    async def find(self, request_id: SigningRequestId) -> SigningRequest | None:
        """The request of an id."""
        return await self._session.first(signing_request_from_row, FIND, id=request_id)

    async def complete(self, request: SigningRequest) -> bool:
        """Writes a completed or expired request, if the stored one is pending."""
        completed = await self._session.run(
            COMPLETE,
            id=request.id,
            status=request.status,
            signature=request.signature,
            valid=request.valid,
            scheme=request.scheme,
            completed_at=request.completed_at,
        )
        return completed > 0

    async def of_agent(
        self, agent_id: AgentId, statuses: Collection[SigningStatus], page: Page
    ) -> tuple[list[SigningRequest], int]:
        """A page of an agent's requests, newest first, and how many match."""
        rows = await self._session.all(
            _counted, OF_AGENT, agent_id=agent_id, statuses=list(statuses), limit=page.limit, offset=page.offset
        )
        return [request for request, _ in rows if request], rows[0][1]

    async def find_by_signature(self, signature: str, agent_id: AgentId | None) -> SigningRequest | None:
        """The newest valid request with this signature, else the newest invalid one."""
        return await self._session.first(
            signing_request_from_row, FIND_BY_SIGNATURE, signature=signature, agent_id=agent_id
        )

    async def overdue(self, at: datetime, limit: int) -> list[SigningRequest]:
        """Pending requests whose time is over, oldest first."""
        return await self._session.all(signing_request_from_row, OVERDUE, at=at, limit=limit)


def _counted(row: Row) -> tuple[SigningRequest | None, int]:
    request = {name: value for name, value in row.items() if name != "total"}
    return None if row["id"] is None else signing_request_from_row(request), row["total"]
