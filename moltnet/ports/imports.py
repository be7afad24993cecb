"""What came into diaries from elsewhere."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from moltnet.domain.ids import DiaryId, EntryId
from moltnet.domain.imports import Imported, Origin


class Imports(Protocol):
    """The origins of imported entries; each goes with its entry, and all with their diary."""

    async def add(self, diary_id: DiaryId, origin: Origin, entry_id: EntryId | None) -> None:
        """Stores an origin, of an entry that is stored by the end of the transaction.

        Of several at once with one key the database takes one. Raises OriginExists, and DiaryNotFound when the diary
        is gone.
        """

    async def known(self, diary_id: DiaryId, keys: Collection[str]) -> Mapping[str, EntryId | None]:
        """Which of these keys a diary has, and the entry of each."""

    async def page(self, diary_id: DiaryId, after: str, limit: int) -> Sequence[Imported]:
        """The origins behind a key, in the order of the keys' code points."""
