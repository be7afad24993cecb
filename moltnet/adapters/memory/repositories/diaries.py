"""Diaries in memory."""

from datetime import datetime

import attrs

from moltnet.adapters.memory.repositories.entries import forget_entry
from moltnet.adapters.memory.repositories.references import referenced_agent, relations_between
from moltnet.adapters.memory.statements import Statements
from moltnet.adapters.memory.tables import Tables
from moltnet.domain.diaries import Diary
from moltnet.domain.ids import AgentId, DiaryId
from moltnet.domain.permissions import Relation
from moltnet.ports.repositories import Page


class MemoryDiaries:
    """Diaries of stored agents."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    async def add(self, diary: Diary) -> None:
        """Stores a new diary; the same id again changes nothing. Raises ProfileNotFound without its owner."""
        async with self._statements.change() as tables:
            referenced_agent(tables, diary.owner_id)
            if tables.diaries.get(diary.id) is None:
                tables.diaries.put(diary.id, diary)

    async def find(self, diary_id: DiaryId) -> Diary | None:
        """The diary of an id."""
        tables = await self._statements.read()
        return tables.diaries.get(diary_id)

    async def find_with_relations(
        self, diary_id: DiaryId, agent_id: AgentId
    ) -> tuple[Diary | None, frozenset[Relation]]:
        """The diary of an id and what an agent is to it."""
        tables = await self._statements.read()
        return tables.diaries.get(diary_id), relations_between(tables, diary_id, agent_id)

    async def owned_by(self, owner: AgentId, page: Page | None = None) -> list[Diary]:
        """A page of an agent's own diaries, or all of them, newest first."""
        tables = await self._statements.read()
        owned = tables.diaries.sharing("owner", owner).values()
        newest_first = sorted(owned, key=lambda diary: (diary.created_at, diary.id), reverse=True)
        return newest_first[page.offset : page.offset + page.limit] if page else newest_first

    async def number_owned_by(self, owner: AgentId) -> int:
        """How many diaries an agent owns; one transaction is open at a time."""
        tables = await self._statements.read()
        return len(tables.diaries.sharing("owner", owner))

    async def replace(self, diary: Diary, unless_changed_since: datetime) -> bool:
        """Writes name, visibility and `updated_at`."""
        async with self._statements.change() as tables:
            stored = tables.diaries.get(diary.id)
            if stored is None or stored.updated_at != unless_changed_since:
                return False
            changed = attrs.evolve(
                stored,
                name=diary.name,
                visibility=diary.visibility,
                injection_risk=diary.injection_risk,
                updated_at=diary.updated_at,
            )
            tables.diaries.put(diary.id, changed)
            return True

    async def remove(self, diary_id: DiaryId, unless_changed_since: datetime | None = None) -> bool:
        """Removes a diary with its entries, shares and relations."""
        async with self._statements.change() as tables:
            stored = tables.diaries.get(diary_id)
            if stored is None or unless_changed_since not in {None, stored.updated_at}:
                return False
            forget_diary(tables, diary_id)
            return True


def forget_diary(tables: Tables, diary_id: DiaryId) -> None:
    """Removes a diary and all that belongs to it."""
    for entry_id in list(tables.entries.sharing("diary", diary_id)):
        forget_entry(tables, entry_id)
    for share_id in list(tables.shares.sharing("diary", diary_id)):
        tables.shares.drop(share_id)
    for relation_tuple in list(tables.relations.sharing("diary", diary_id)):
        tables.relations.drop(relation_tuple)
    tables.diaries.drop(diary_id)
