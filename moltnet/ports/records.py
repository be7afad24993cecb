"""Chains of signed records, and records that wait for their signature."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from moltnet.domain.ids import DiaryId, EntryId, PreparedRecordId
from moltnet.domain.records import AnyRecord, Head, PreparedRecord, SignedRecord


class KnownHeads(Protocol):
    """The heads of signed diaries that an agent has seen, where it stores them from one program to the next."""

    def read(self) -> Mapping[DiaryId, Head]:
        """What is stored; nothing of a file that cannot be read, since it protects nobody."""

    def store(self, heads: Mapping[DiaryId, Head]) -> None:
        """Stores heads, each unless a later one of its diary is stored already."""


class Records(Protocol):
    """The records of signed diaries; they go with their diary."""

    async def head(self, diary_id: DiaryId) -> Head:
        """The last record of a diary; the empty head where there is none, or no diary."""

    async def append(self, record: AnyRecord, signed: SignedRecord) -> bool:
        """Stores the next record of its diary; False when it does not follow the last one, or another came first.

        Of several at once that follow the same one, the database takes one. Raises DiaryNotFound when the diary is
        gone, and EntryIdUsed when a record of it wrote the same entry before.
        """

    async def find(self, diary_id: DiaryId, sequence: int) -> SignedRecord | None:
        """One record, with the content of its entry where it is one."""

    async def of_entry(self, diary_id: DiaryId, entry_id: EntryId) -> SignedRecord | None:
        """The record by which an entry was written, with its content."""

    async def page(self, diary_id: DiaryId, after: int, limit: int) -> Sequence[SignedRecord]:
        """The records after a number, by number, each with the content of its entry where it is one."""

    async def erase(self, diary_id: DiaryId, sequence: int) -> None:
        """Removes payload and signature of a record; number and hash stay."""

    async def prepare(self, prepared: PreparedRecord) -> None:
        """Stores a record that waits for its signature; raises ProfileNotFound and DiaryNotFound for what is gone."""

    async def prepared(self, prepared_id: PreparedRecordId) -> PreparedRecord | None:
        """A record that waits for its signature, past its time too."""

    async def forget_prepared(self, prepared_id: PreparedRecordId) -> None:
        """Removes a record that has its signature."""

    async def purge(self, at: datetime) -> int:
        """Removes the prepared records whose time is over; answers how many."""
