"""What must never be built: permissions that remember their answers. A test that cannot catch it proves nothing."""

from moltnet.adapters.builtin.permissions import BuiltinPermissions
from moltnet.domain.diaries import Diary
from moltnet.domain.ids import AgentId, DiaryId
from moltnet.domain.permissions import Relation, Right
from moltnet.ports.permissions import Asked
from moltnet.ports.storage import UnitOfWork


class CachingPermissions(BuiltinPermissions):
    """Says again what it said once; an agent that was refused is asked about anew."""

    def __init__(self) -> None:
        self._rights: dict[tuple[AgentId, DiaryId], frozenset[Right]] = {}
        self._readable: dict[AgentId, dict[DiaryId, frozenset[Relation]]] = {}

    async def diary(
        self, work: UnitOfWork, agent: AgentId, diary: DiaryId
    ) -> tuple[Diary | None, Asked[frozenset[Right]]]:
        """The diary as it is, and the rights as they were."""
        found, rights = await super().diary(work, agent, diary)
        self._rights[agent, diary] = self._rights.get((agent, diary)) or await rights.answer()
        return found, Asked(self._rights[agent, diary])

    async def readable(self, work: UnitOfWork, agent: AgentId) -> Asked[dict[DiaryId, frozenset[Relation]]]:
        """The diaries that were readable."""
        readable = await super().readable(work, agent)
        self._readable[agent] = self._readable.get(agent) or await readable.answer()
        return Asked(self._readable[agent])
