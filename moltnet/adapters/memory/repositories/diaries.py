"""Diaries, and what agents are to them, in memory."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime

import attrs

from moltnet.adapters.memory.repositories.entries import forget_entry
from moltnet.adapters.memory.repositories.references import (
    diary_with_head,
    referenced_agent,
    referenced_diary,
    relations_between,
)
from moltnet.adapters.memory.statements import Repository
from moltnet.adapters.memory.tables import DiaryRelation, Tables
from moltnet.domain.constraints import LARGEST_PAGE, Page
from moltnet.domain.diaries import Diary
from moltnet.domain.ids import AgentId, DiaryId, ShareId
from moltnet.domain.permissions import Relation
from moltnet.domain.sharing import InvitationCounts, Refusals, Share, ShareStatus


class MemoryDiaries(Repository):
    """Diaries of stored agents."""

    async def add(self, diary: Diary) -> None:
        async with self._statements.change() as tables:
            referenced_agent(tables, diary.owner_id)
            if tables.diaries.get(diary.id) is None:
                tables.diaries.put(diary.id, diary)

    async def find(self, diary_id: DiaryId) -> Diary | None:
        tables = await self._statements.read()
        diary = tables.diaries.get(diary_id)
        return diary and diary_with_head(tables, diary)

    async def find_with_relations(
        self, diary_id: DiaryId, agent_id: AgentId
    ) -> tuple[Diary | None, frozenset[Relation]]:
        tables = await self._statements.read()
        diary = tables.diaries.get(diary_id)
        return diary and diary_with_head(tables, diary), relations_between(tables, diary_id, agent_id)

    async def owned_by(self, owner: AgentId, page: Page | None = None) -> list[Diary]:
        tables = await self._statements.read()
        owned = [diary_with_head(tables, diary) for diary in tables.diaries.sharing("owner", owner).values()]
        newest_first = sorted(owned, key=lambda diary: (diary.created_at, diary.id), reverse=True)
        return newest_first[page.offset : page.offset + page.limit] if page else newest_first

    async def number_owned_by(self, owner: AgentId) -> int:
        """How many diaries an agent owns; one transaction is open at a time."""
        tables = await self._statements.read()
        return len(tables.diaries.sharing("owner", owner))

    async def replace(self, diary: Diary, unless_changed_since: datetime) -> bool:
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
    tables.shares.drop_sharing("diary", diary_id)
    tables.relations.drop_sharing("diary", diary_id)
    tables.records.drop_sharing("diary", diary_id)
    tables.prepared_records.drop_sharing("diary", diary_id)
    tables.imports.drop_sharing("diary", diary_id)
    tables.heads.drop(diary_id)
    tables.diaries.drop(diary_id)


class MemoryShares(Repository):
    """Invitations, one for each pair of diary and agent."""

    async def add(self, share: Share) -> bool:
        async with self._statements.change() as tables:
            referenced_diary(tables, share.diary_id)
            referenced_agent(tables, share.shared_with)
            if _share_for(tables, share.diary_id, share.shared_with):
                return False
            tables.shares.add(share.id, share)
            return True

    async def find(self, share_id: ShareId) -> Share | None:
        return (await self._statements.read()).shares.get(share_id)

    async def find_for(self, diary_id: DiaryId, agent_id: AgentId) -> Share | None:
        return _share_for(await self._statements.read(), diary_id, agent_id)

    async def replace(self, share: Share, expected: Share) -> bool:
        async with self._statements.change() as tables:
            stored = tables.shares.get(share.id)
            if stored is None or _version(stored) != _version(expected):
                return False
            changed = attrs.evolve(share, invited_at=stored.invited_at)
            tables.shares.put(share.id, changed)
            return True

    async def open_of(self, diary_id: DiaryId, page: Page = LARGEST_PAGE) -> list[Share]:
        tables = await self._statements.read()
        shares = tables.shares.sharing("diary", diary_id).values()
        return _share_page((share for share in shares if share.status.is_open), page)

    async def pending_for(self, agent_id: AgentId, page: Page = LARGEST_PAGE) -> list[Share]:
        tables = await self._statements.read()
        shares = tables.shares.sharing("agent", agent_id).values()
        return _share_page((share for share in shares if share.status is ShareStatus.PENDING), page)

    async def accepted_by(self, agent_id: AgentId) -> list[Share]:
        tables = await self._statements.read()
        shares = tables.shares.sharing("agent", agent_id).values()
        return sorted((share for share in shares if share.status is ShareStatus.ACCEPTED), key=_share_age)

    async def counts(self, owner: AgentId, agent_id: AgentId) -> InvitationCounts:
        """What stands between a diaries' owner and an agent; one transaction is open at a time."""
        tables = await self._statements.read()
        shares = tables.shares.sharing("agent", agent_id).values()
        pending = [share for share in shares if share.status is ShareStatus.PENDING]
        return InvitationCounts(
            of_pair=sum(referenced_diary(tables, share.diary_id).owner_id == owner for share in pending),
            of_agent=len(pending),
            refusals=tables.refusals.get((owner, agent_id)),
        )

    async def remember_refusals(self, owner: AgentId, agent_id: AgentId, refusals: Refusals | None) -> None:
        async with self._statements.change() as tables:
            if refusals is None:
                tables.refusals.drop((owner, agent_id))
                return
            for each in (owner, agent_id):
                referenced_agent(tables, each)
            tables.refusals.put((owner, agent_id), refusals)


def _share_for(tables: Tables, diary_id: DiaryId, agent_id: AgentId) -> Share | None:
    shares = tables.shares.sharing("diary", diary_id).values()
    return next((share for share in shares if share.shared_with == agent_id), None)


def _version(share: Share) -> tuple[object, ...]:
    return share.role, share.status, share.invitation


def _share_page(shares: Iterable[Share], page: Page) -> list[Share]:
    return sorted(shares, key=_share_age)[page.offset : page.offset + page.limit]


def _share_age(share: Share) -> tuple[object, ...]:
    return share.invited_at, share.id


class MemoryRelations(Repository):
    """What agents are to diaries."""

    async def add(self, diary_id: DiaryId, relation: Relation, agent_id: AgentId) -> None:
        relation_tuple = DiaryRelation(diary_id, relation, agent_id)
        async with self._statements.change() as tables:
            referenced_diary(tables, diary_id)
            referenced_agent(tables, agent_id)
            tables.relations.put(relation_tuple, relation_tuple)

    async def remove(self, diary_id: DiaryId, relations: Collection[Relation], agent_id: AgentId) -> None:
        async with self._statements.change() as tables:
            for relation in relations:
                tables.relations.drop(DiaryRelation(diary_id, relation, agent_id))

    async def diaries_of(self, agent_id: AgentId) -> dict[DiaryId, frozenset[Relation]]:
        tables = await self._statements.read()
        found: defaultdict[DiaryId, set[Relation]] = defaultdict(set)
        for relation_tuple in tables.relations.sharing("agent", agent_id).values():
            found[relation_tuple.diary_id].add(relation_tuple.relation)
        return {diary_id: frozenset(relations) for diary_id, relations in found.items()}
