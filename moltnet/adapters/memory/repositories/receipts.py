"""Receipts in memory."""

from datetime import datetime

from moltnet.adapters.memory.repositories.references import referenced_agent
from moltnet.adapters.memory.statements import Statements
from moltnet.adapters.memory.tables import ReceiptKey
from moltnet.domain.idempotency import KeyedRequest, Receipt


class MemoryReceipts:
    """At most one receipt for each agent, operation and key."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    async def add(self, receipt: Receipt) -> bool:
        """Stores a receipt, in the place of one that had expired."""
        async with self._statements.change() as tables:
            referenced_agent(tables, receipt.request.agent_id)
            key = ReceiptKey.of(receipt.request)
            stored = tables.receipts.get(key)
            if stored and stored.expires_at > receipt.created_at:
                return False
            tables.receipts.put(key, receipt)
            return True

    async def find(self, request: KeyedRequest, at: datetime) -> Receipt | None:
        """The receipt for a request, unless it has expired."""
        tables = await self._statements.look()
        stored = tables.receipts.get(ReceiptKey.of(request))
        return stored if stored and stored.expires_at > at else None

    async def purge(self, at: datetime) -> int:
        """Forgets receipts that had expired at `at`."""
        async with self._statements.change() as tables:
            old = [key for key, receipt in tables.receipts.rows().items() if receipt.expires_at <= at]
            for key in old:
                tables.receipts.drop(key)
            return len(old)
