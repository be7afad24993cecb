"""Signed diaries: records are signed here, where the key is, and verified here, whoever stores them."""

import asyncio
import json
import secrets
import uuid
from base64 import b64decode
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise

import attrs

from moltnet.domain.entries import NewEntry
from moltnet.domain.errors import Conflict, Invalid, NotFound
from moltnet.domain.ids import DiaryId, EntryId, PreparedRecordId
from moltnet.domain.key_changes import KeyStatement, MalformedStatement
from moltnet.domain.keys import Fingerprint, PublicKey
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
from moltnet.domain.services.keys import is_signed
from moltnet.domain.services.records import Appended
from moltnet.domain.transparency import ChangeCause, Leaf
from moltnet.domain.views import RecordToSign, ShownKey, ShownRecord
from moltnet.entrypoints.container.remote import signatures
from moltnet.entrypoints.library.heads import HeadMemory
from moltnet.entrypoints.library.http import structured
from moltnet.entrypoints.library.log import Log
from moltnet.entrypoints.library.transport import Transport
from moltnet.entrypoints.operations import diaries, records
from moltnet.entrypoints.operations import keys as agent_keys
from moltnet.entrypoints.operations.agents import OneAgent
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


@attrs.frozen
class Records:
    """Signed diaries."""

    _transport: Transport
    _keys: KeyPair | None
    _memory: HeadMemory
    _log: Log

    def is_known(self, diary_id: DiaryId) -> bool:
        """Whether records of the diary have been seen, so that it is a signed one."""
        return self._memory.knows(diary_id)

    async def is_signed(self, diary_id: DiaryId) -> bool:
        """Whether a diary is signed."""
        if self.is_known(diary_id):
            return True
        return (await self._transport.call(diaries.GET, OneDiary(id=diary_id))).signed

    async def head(self, diary_id: DiaryId) -> Head:
        """The last record; raises ChainRolledBack where that was a later one, or another, before."""
        known = await self._memory.get(diary_id)
        head = await self._transport.call(records.HEAD, InDiary(diary_id=diary_id))
        return await self._memory.accept(diary_id, known, head)

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

    async def verify(
        self,
        diary_id: DiaryId,
        *,
        keys: Collection[PublicKey] | None = None,
        progress: Callable[[int], None] = lambda _: None,
    ) -> Verdict:
        """Whether the whole chain holds: every number, hash, signature and content, and what was known of it.

        With `keys`, each record must be by one of them, or by a key that its agent had before or after, by statements
        that hold, or by the open log where a key was lost. `progress` is called with the number of the last record
        that was verified.
        """
        expected = None if keys is None else await self._with_their_histories(keys)
        verifier = ChainVerifier(signatures(), expected, await self._memory.get(diary_id))
        after = 0
        while page := await self.list(diary_id, after=after):
            await asyncio.to_thread(verifier.add, [record.signed for record in page])
            after = page[-1].sequence
            progress(after)
        verdict = verifier.verdict(await self._retired(verifier.authors))
        if verdict.holds:
            await self._memory.accept(diary_id, EMPTY, verdict.head)
            await self._memory.save()
        return verdict

    async def _retired(self, authors: Collection[Fingerprint]) -> Mapping[PublicKey, datetime]:
        """Until when the authors' former keys were theirs, as the network says."""
        histories = [await self._history(author) for author in authors]
        return {known.public_key: known.until for history in histories for known in history if known.until is not None}

    async def _with_their_histories(self, keys: Collection[PublicKey]) -> frozenset[PublicKey]:
        proven: set[PublicKey] = set()
        for key in keys:
            history = await self._history(key.fingerprint)
            proven |= proven_keys(history, key, await self._logged_pairs(history))
        return frozenset(keys) | proven

    async def _logged_pairs(self, history: Sequence[ShownKey]) -> Sequence[frozenset[PublicKey]]:
        """Each lost key with the one that took its place, where the open log is proven to say so."""
        pairs = []
        for former, known in pairwise(history):
            if known.cause is not ChangeCause.RECOVERY:
                continue
            expected = Leaf.key_changed(former.fingerprint, known.public_key, known.cause, known.since)
            logged = await self._log.history(str(known.public_key.fingerprint))
            if any((each.leaf.kind, each.leaf.members) == (expected.kind, expected.members) for each in logged):
                pairs.append(frozenset({former.public_key, known.public_key}))
        return pairs

    async def _history(self, fingerprint: Fingerprint) -> Sequence[ShownKey]:
        """The keys of an agent; none where the network does not know it, or tells no keys."""
        try:
            return await self._transport.call(agent_keys.HISTORY, OneAgent(fingerprint=fingerprint))
        except NotFound:
            return ()

    async def _append(self, diary_id: DiaryId, after: "_NextRecord", content: str | None) -> Appended:
        if self._keys is None:
            raise KeyNotAtHand
        known = await self._memory.get(diary_id)
        head = known if known.sequence else await self.head(diary_id)
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
                await self._memory.accept(diary_id, EMPTY, appended.chain)
                return appended
        raise HeadMoved(head)


_NextRecord = Callable[[Head, PublicKey, datetime], AnyRecord]


def proven_keys(
    history: Sequence[ShownKey], key: PublicKey, logged: Iterable[frozenset[PublicKey]] = ()
) -> frozenset[PublicKey]:
    """The keys of an agent that statements lead to from one of them, each signed by the key before and the one after.

    A history is a network's word; its statements are not. `logged` are pairs that are proven otherwise.
    """
    pairs = [*logged, *(pair for known in history if (pair := _proven_pair(known)) is not None)]
    found = {key}
    for _ in pairs:
        for pair in pairs:
            if pair & found:
                found |= pair
    return frozenset(found)


def _proven_pair(known: ShownKey) -> frozenset[PublicKey] | None:
    """The key before and this one, where both signed a statement of it."""
    signed = known.statement
    if signed is None:
        return None
    try:
        statement = KeyStatement.parse(signed.payload)
    except MalformedStatement:
        return None
    return frozenset({statement.former, statement.key}) if is_signed(statement, signed, signatures()) else None


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
