"""What must never be built: permissions that remember their answers. A test that cannot catch it proves nothing."""

import attrs

from moltnet.domain.diaries import Diary
from moltnet.domain.ids import AgentId, DiaryId
from moltnet.domain.permissions import Relation, Right
from moltnet.ports.permissions import Permissions
from moltnet.ports.storage import UnitOfWork


@attrs.frozen
class CachingPermissions(Permissions):
    """Says again what it said once; an agent that was refused is asked about anew."""

    permissions: Permissions
    _rights: dict[tuple[AgentId, DiaryId], frozenset[Right]] = attrs.field(factory=dict)
    _readable: dict[AgentId, dict[DiaryId, frozenset[Relation]]] = attrs.field(factory=dict)

    async def diary(self, work: UnitOfWork, agent: AgentId, diary: DiaryId) -> tuple[Diary | None, frozenset[Right]]:
        """The diary as it is, and the rights as they were."""
        found, rights = await self.permissions.diary(work, agent, diary)
        return found, self._rights.setdefault((agent, diary), rights) if rights else self._rights.get(
            (agent, diary), rights
        )

    async def readable(self, work: UnitOfWork, agent: AgentId) -> dict[DiaryId, frozenset[Relation]]:
        """The diaries that were readable."""
        readable = await self.permissions.readable(work, agent)
        return self._readable.setdefault(agent, readable) if readable else self._readable.get(agent, readable)

    async def introduce(self, work: UnitOfWork, agent: AgentId) -> None:
        """Not cached."""
        await self.permissions.introduce(work, agent)

    async def grant(self, work: UnitOfWork, diary: DiaryId, relation: Relation, agent: AgentId) -> None:
        """Not cached."""
        await self.permissions.grant(work, diary, relation, agent)

    async def withdraw(self, work: UnitOfWork, diary: DiaryId, agent: AgentId) -> None:
        """Not cached."""
        await self.permissions.withdraw(work, diary, agent)

    async def forget_diary(self, work: UnitOfWork, diary: DiaryId) -> None:
        """Not cached."""
        await self.permissions.forget_diary(work, diary)
