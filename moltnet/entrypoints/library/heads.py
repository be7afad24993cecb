"""The heads of signed diaries that an agent has seen: a network that shows less later, or another chain, is noticed."""

import asyncio
import time
from collections.abc import Iterable, Mapping

import attrs

from moltnet.domain.errors import Conflict
from moltnet.domain.ids import DiaryId
from moltnet.domain.records import EMPTY, Head
from moltnet.ports.records import KnownHeads

# A program that is killed forgets what it saw since; storing costs a millisecond or more, and is not done each time.
STORE_EVERY_S = 5.0


class ChainRolledBack(Conflict):
    """The network shows less of a chain than it has shown before, or another chain."""

    code = "CHAIN_ROLLED_BACK"

    def __init__(self, known: Head, shown: Head) -> None:
        self.known, self.shown = known, shown
        super().__init__(
            f"The network shows record {shown.sequence} as the last of this diary, but has shown record "
            f"{known.sequence} with the hash {known.hash} before: it lost records, or lies"
        )


@attrs.define
class HeadMemory:
    """What this agent has seen, and what it saw in other programs where `_stored` is given."""

    _stored: KnownHeads | None = None
    _heads: dict[DiaryId, Head] = attrs.field(factory=dict)
    _unsaved: dict[DiaryId, Head] = attrs.field(factory=dict)
    _is_read: bool = False
    _saved_at: float = float("-inf")

    async def get(self, diary_id: DiaryId) -> Head:
        """The last head of a diary that was seen; the empty one where none was."""
        return (await self.all()).get(diary_id, EMPTY)

    async def all(self) -> Mapping[DiaryId, Head]:
        """The last heads that were seen, as they are now."""
        if self._stored is not None and not self._is_read:
            found = await asyncio.to_thread(self._stored.read)
            self._is_read = True
            for each, head in found.items():
                self._heads[each] = _later(head, self._heads.get(each, EMPTY))
        return dict(self._heads)

    def knows(self, diary_id: DiaryId) -> bool:
        """Whether this program has seen a head of the diary."""
        return diary_id in self._heads

    async def accept(self, diary_id: DiaryId, known: Head, head: Head) -> Head:
        """A head that was answered, unless it is an earlier one, or another, than was known when it was asked for.

        Raises ChainRolledBack.
        """
        if head.sequence < known.sequence or (head.sequence == known.sequence and head.hash != known.hash):
            raise ChainRolledBack(known, head)
        self._heads[diary_id] = _later(head, self._heads.get(diary_id, EMPTY))
        if head.sequence:
            self._unsaved[diary_id] = self._heads[diary_id]
        if time.monotonic() - self._saved_at >= STORE_EVERY_S:
            await self.save()
        return head

    async def accept_all(self, known: Mapping[DiaryId, Head], shown: Iterable[tuple[DiaryId, Head | None]]) -> None:
        """The heads of diaries that one answer tells, each at least once; raises ChainRolledBack as `accept`.

        A diary whose records were seen before must have one.
        """
        heads: dict[DiaryId, Head | None] = {}
        for diary_id, head in shown:
            heads[diary_id] = heads.get(diary_id) or head
        for diary_id, head in heads.items():
            before = known.get(diary_id, EMPTY)
            if head is not None or before.sequence:
                await self.accept(diary_id, before, head or EMPTY)

    async def save(self) -> None:
        """Stores what was seen since the last time."""
        if self._stored is None or not self._unsaved:
            return
        unsaved, self._unsaved = self._unsaved, {}
        self._saved_at = time.monotonic()
        await asyncio.to_thread(self._stored.store, unsaved)


def _later(one: Head, other: Head) -> Head:
    return max(one, other, key=lambda head: head.sequence)
