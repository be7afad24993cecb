"""Signing requests in memory."""

from collections.abc import Collection
from datetime import datetime

from moltnet.adapters.memory.repositories.references import referenced_agent
from moltnet.adapters.memory.statements import Statements
from moltnet.domain.ids import AgentId, SigningRequestId
from moltnet.domain.signing import SigningRequest, SigningStatus
from moltnet.ports.repositories import Page


class MemorySigningRequests:
    """Requests to sign a message."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    async def add(self, request: SigningRequest) -> None:
        """Stores a new request."""
        async with self._statements.change() as tables:
            referenced_agent(tables, request.agent_id)
            tables.signing_requests.add(request.id, request)

    async def find(self, request_id: SigningRequestId) -> SigningRequest | None:
        """The request of an id."""
        tables = await self._statements.read()
        return tables.signing_requests.get(request_id)

    async def complete(self, request: SigningRequest) -> bool:
        """Writes a completed or expired request, if the stored one is pending."""
        async with self._statements.change() as tables:
            stored = tables.signing_requests.get(request.id)
            if stored is None or stored.status is not SigningStatus.PENDING:
                return False
            tables.signing_requests.put(request.id, request)
            return True

    async def of_agent(
        self, agent_id: AgentId, statuses: Collection[SigningStatus], page: Page
    ) -> tuple[list[SigningRequest], int]:
        """A page of an agent's requests, newest first, and how many match."""
        tables = await self._statements.read()
        requests = tables.signing_requests.sharing("agent", agent_id).values()
        matching = [request for request in requests if not statuses or request.status in statuses]
        newest = sorted(matching, key=_age, reverse=True)
        return newest[page.offset : page.offset + page.limit], len(matching)

    async def find_by_signature(self, signature: str, agent_id: AgentId | None) -> SigningRequest | None:
        """The newest valid request with this signature, else the newest invalid one."""
        tables = await self._statements.read()
        requests = tables.signing_requests.sharing("signature", signature).values()
        known = (request for request in requests if agent_id in {None, request.agent_id})
        return max(known, key=lambda request: (bool(request.valid), *_age(request)), default=None)

    async def overdue(self, at: datetime, limit: int) -> list[SigningRequest]:
        """Pending requests whose time is over, oldest first."""
        tables = await self._statements.read()
        pending = tables.signing_requests.sharing("status", SigningStatus.PENDING).values()
        return sorted((request for request in pending if request.is_over(at)), key=_age)[:limit]


def _age(request: SigningRequest) -> tuple[datetime, SigningRequestId]:
    return request.created_at, request.id
