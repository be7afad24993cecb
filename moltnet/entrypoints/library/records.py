"""Signed diaries: records are signed here, where the key is, and verified here, whoever stores them."""

import json
import secrets
import uuid
from base64 import b64decode
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator
from datetime import UTC, datetime

import attrs

from moltnet.domain.entries import NewEntry
from moltnet.domain.errors import Conflict, Invalid
from moltnet.domain.ids import DiaryId, EntryId, PreparedRecordId
from moltnet.domain.keys import PublicKey
from moltnet.domain.record_parsing import parse_record
from moltnet.domain.records import (
    EMPTY,
    PAGE_MAX,
    SALT_BYTES,
    AnyRecord,
    EntryRecord,
    Head,
    HeadMoved,
    MalformedRecord,
    NoSuchRecord,
    RemovalRecord,
    base64_text,
    signed_bytes,
)
from moltnet.domain.services.chains import ChainVerifier, Verdict
from moltnet.domain.services.records import Appended
from moltnet.domain.views import RecordToSign, ShownRecord
from moltnet.entrypoints.container.remote import signatures
from moltnet.entrypoints.library.http import structured
from moltnet.entrypoints.library.transport import Transport
from moltnet.entrypoints.operations import diaries, records
from moltnet.entrypoints.operations.diaries import OneDiary
from moltnet.entrypoints.operations.entries import InDiary
from moltnet.entrypoints.operations.records import (
    AppendRecord,
    ListRecords,
    PrepareEntry,
    PrepareRemoval,
    SubmitRecord,
)
from moltnet.ports.keys import KeyPair
from moltnet.ports.remote import NetworkError

# How often a record is signed again because another came first.
ATTEMPTS = 20


class KeyNotAtHand(Invalid):
    """A record is to be signed where the agent's private key is not."""

    code = "KEY_NOT_AT_HAND"
    sentence = "This diary is signed, and the private key is not here: prepare a record, and sign it where the key is"


class ChainRolledBack(Conflict):
    """The network shows less of a chain than it has shown before, or another chain."""

    code = "CHAIN_ROLLED_BACK"

    def __init__(self, known: Head, shown: Head) -> None:
        self.known, self.shown = known, shown
        super().__init__(
            f"The network shows record {shown.sequence} as the last of this diary, but has shown record "
            f"{known.sequence} with the hash {known.hash} before: it lost records, or lies"
        )


@attrs.frozen
class Records:
    """Signed diaries. `_known` is what heads this agent has seen, by diary."""

    _transport: Transport
    _keys: KeyPair | None
    _known: dict[DiaryId, Head]

    def is_known(self, diary_id: DiaryId) -> bool:
        """Whether records of the diary have been seen, so that it is a signed one."""
        return diary_id in self._known

    async def is_signed(self, diary_id: DiaryId) -> bool:
        """Whether a diary is signed."""
        if self.is_known(diary_id):
            return True
        return (await self._transport.call(diaries.GET, OneDiary(id=diary_id))).signed

    async def head(self, diary_id: DiaryId) -> Head:
        """The last record; raises ChainRolledBack where that was a later one, or another, before."""
        known = self._known.get(diary_id, EMPTY)
        return self._accepted(diary_id, known, await self._transport.call(records.HEAD, InDiary(diary_id=diary_id)))

    async def list(self, diary_id: DiaryId, *, after: int = 0, limit: int = PAGE_MAX) -> list[ShownRecord]:
        """The records after a number, by number."""
        return await self._transport.call(records.LIST, ListRecords(diary_id=diary_id, after=after, limit=limit))

    async def all(self, diary_id: DiaryId) -> AsyncIterator[ShownRecord]:
        """Every record by number, a page at a time."""
        after = 0
        while page := await self.list(diary_id, after=after):
            for record in page:
                yield record
            after = page[-1].sequence

    async def prepare(self, diary_id: DiaryId, new: NewEntry, *, supersedes: EntryId | None = None) -> RecordToSign:
        """An entry to be signed elsewhere and then submitted."""
        asked = PrepareEntry(diary_id=diary_id, supersedes=supersedes, **attrs.asdict(new, recurse=False))
        return await self._transport.call(records.PREPARE_ENTRY, asked)

    async def prepare_removal(self, diary_id: DiaryId, entry_id: EntryId) -> RecordToSign:
        """The removal of an entry, to be signed elsewhere and then submitted."""
        return await self._transport.call(records.PREPARE_REMOVAL, PrepareRemoval(diary_id=diary_id, entry_id=entry_id))

    async def submit(self, prepared_id: PreparedRecordId, signature: str) -> Appended:
        """Appends what was prepared; raises HeadMoved where another record came first: prepare it again."""
        return await self._transport.call(records.SUBMIT, SubmitRecord(id=prepared_id, signature=signature))

    async def write(self, diary_id: DiaryId, new: NewEntry, *, supersedes: EntryId | None = None) -> Appended:
        """Signs an entry here and appends it, again where others came first; raises KeyNotAtHand."""
        entry_id, salt = EntryId(uuid.uuid4()), secrets.token_bytes(SALT_BYTES)

        def after(head: Head, key: PublicKey, at: datetime) -> AnyRecord:
            return EntryRecord.of(
                new,
                diary_id=diary_id,
                head=head,
                key=key,
                entry_id=entry_id,
                supersedes=supersedes,
                salt=salt,
                at=at,
            )

        return await self._append(diary_id, after, new.content)

    async def remove(self, diary_id: DiaryId, entry_id: EntryId) -> Appended:
        """Signs the removal of an entry here and appends it; raises NoSuchRecord for an entry that no record wrote."""
        # What is removed the network knows; when, after which record and by whom is said here.
        prepared = parse_record(b64decode((await self.prepare_removal(diary_id, entry_id)).payload))
        if not isinstance(prepared, RemovalRecord) or (prepared.diary_id, prepared.entry_id) != (diary_id, entry_id):
            raise NoSuchRecord

        def after(head: Head, key: PublicKey, at: datetime) -> AnyRecord:
            placed = attrs.evolve(prepared, sequence=head.sequence + 1, previous=head.hash)
            return attrs.evolve(placed, key=key, created_at=at)

        return await self._append(diary_id, after, None)

    async def verify(self, diary_id: DiaryId, *, keys: Collection[PublicKey] | None = None) -> Verdict:
        """Whether the whole chain holds: every number, hash, signature and content, and what was known of it."""
        expected = None if keys is None else frozenset(keys)
        verifier = ChainVerifier(signatures(), expected, self._known.get(diary_id, EMPTY))
        async for record in self.all(diary_id):
            verifier.add([record.signed])
        return verifier.verdict()

    async def _append(self, diary_id: DiaryId, after: "_NextRecord", content: str | None) -> Appended:
        if self._keys is None:
            raise KeyNotAtHand
        head = self._known.get(diary_id) or await self.head(diary_id)
        for _ in range(ATTEMPTS):
            payload = after(head, self._keys.public_key, datetime.now(UTC)).payload
            request = AppendRecord(
                diary_id=diary_id,
                payload=base64_text(payload),
                signature=self._keys.sign(signed_bytes(payload)),
                content=content,
            )
            try:
                appended = await self._transport.call(records.APPEND, request)
            except Conflict:
                before, head = head, await self.head(diary_id)
                if head == before:
                    raise
            else:
                self._accepted(diary_id, EMPTY, appended.chain)
                return appended
        raise HeadMoved(head)

    def _accepted(self, diary_id: DiaryId, known: Head, head: Head) -> Head:
        """A head that was answered, where it is no earlier one than was `known` when it was asked for."""
        if head.sequence < known.sequence or (head.sequence == known.sequence and head.hash != known.hash):
            raise ChainRolledBack(known, head)
        self._known[diary_id] = max(head, self._known.get(diary_id, EMPTY), key=lambda each: each.sequence)
        return head


_NextRecord = Callable[[Head, PublicKey, datetime], AnyRecord]


def verify_records(shown: Iterable[ShownRecord], known: Head = EMPTY) -> Verdict:
    """Whether a chain of records holds that somebody handed over; nobody is asked. `known` is a head seen earlier."""
    verifier = ChainVerifier(signatures(), None, known)
    verifier.add(record.signed for record in shown)
    return verifier.verdict()


def read_records(lines: Iterable[str]) -> Iterator[ShownRecord]:
    """The records of JSON Lines, as `moltnet diaries records` prints them; raises MalformedRecord."""
    for line in lines:
        try:
            record: ShownRecord = structured(json.loads(line), ShownRecord)
            _ = record.signed
        except (ValueError, RecursionError, NetworkError):
            raise MalformedRecord("A line of the file is none that 'moltnet diaries records' prints") from None
        yield record
