"""Signed diaries: what is prepared, appended, repeated, refused and removed.

Source: docs/reference/records.md.
"""

from datetime import timedelta

import attrs
import pytest

from moltnet.domain.caller import MissingScope
from moltnet.domain.credentials import ALL_SCOPES, Scope
from moltnet.domain.diaries import Diary, DiaryNotFound, Visibility
from moltnet.domain.entries import CONTENT_MAX, Entry, EntryNotFound, NewEntry, PublicContentTooLong
from moltnet.domain.errors import Conflict
from moltnet.domain.ids import EntryId, PreparedRecordId
from moltnet.domain.permissions import InsufficientPermissions
from moltnet.domain.record_parsing import parse_record
from moltnet.domain.records import (
    CLOCK_TOLERANCE,
    EMPTY,
    EntryIdUsed,
    EntryRecord,
    Head,
    HeadMoved,
    MalformedRecord,
    NoSuchRecord,
    PreparedRecord,
    RecordOfAnother,
    RecordRefused,
    RemovalRecord,
    signed_bytes,
)
from moltnet.domain.services.records import Appended, RecordService
from moltnet.domain.sharing import ShareRole
from tests.support.builders import an_id
from tests.support.network import Member, Network

SECOND = timedelta(seconds=1)
TEA = NewEntry(content="We drink tea at five.", title="Tea", tags=("home", "tea"), importance=7)


@attrs.frozen
class Chain:
    """A signed diary of Ada's."""

    network: Network
    ada: Member
    diary: Diary

    @property
    def records(self) -> RecordService:
        return self.network.services.records

    async def head(self) -> Head:
        return await self.records.head(self.ada.caller, self.diary.id)

    async def entry_record(self, new: NewEntry = TEA, supersedes: EntryId | None = None) -> EntryRecord:
        """The next record, as Ada would make it herself."""
        return EntryRecord.of(
            new,
            diary_id=self.diary.id,
            head=await self.head(),
            key=self.ada.key.public_key,
            entry_id=EntryId(an_id()),
            supersedes=supersedes,
            salt=bytes(16),
            at=self.network.clock.now(),
        )

    async def append(
        self,
        record: EntryRecord | RemovalRecord,
        content: str | None = TEA.content,
        by: Member | None = None,
        key: Member | None = None,
    ) -> Appended:
        """Sends a record that a member signed, with the key of that member or of another."""
        by = by or self.ada
        signature = (key or by).key.sign(signed_bytes(record.payload))
        return await self.records.append(by.caller, self.diary.id, record.payload, signature, content)

    async def keep(self, new: NewEntry = TEA, supersedes: EntryId | None = None) -> Entry:
        prepared = await self.records.prepare_entry(self.ada.caller, self.diary.id, new, supersedes)
        entry = (await self.complete(prepared)).entry
        assert entry is not None
        return entry

    async def complete(self, prepared: PreparedRecord, by: Member | None = None) -> Appended:
        by = by or self.ada
        return await self.records.complete(by.caller, prepared.id, by.key.sign(prepared.signing_input))

    async def remove(self, entry_id: EntryId) -> Appended:
        return await self.complete(await self.records.prepare_removal(self.ada.caller, self.diary.id, entry_id))

    async def stored(self) -> dict[str, dict[object, object]]:
        await self.network.background.aclose()
        return self.network.kept()


@pytest.fixture
async def chain(network: Network, ada: Member) -> Chain:
    """An empty chain."""
    diary = await network.services.diaries.create(ada.caller, name="Signed", visibility=Visibility.PRIVATE, signed=True)
    return Chain(network, ada, diary)


# Prepared, then signed


async def test_what_was_prepared_and_signed_is_an_entry_and_the_head(chain: Chain) -> None:
    assert await chain.head() == EMPTY
    prepared = await chain.records.prepare_entry(chain.ada.caller, chain.diary.id, TEA)
    assert await chain.head() == EMPTY
    done = await chain.complete(prepared)
    assert done.entry is not None
    assert (done.entry.content, done.entry.title, done.entry.tags) == (TEA.content, "Tea", ("home", "tea"))
    assert (done.entry.writer.id, done.chain.sequence) == (chain.ada.agent_id, 1)
    (listed,) = await chain.records.page(chain.ada.caller, chain.diary.id, 0, 10)
    assert (listed.head, listed.payload, listed.content) == (done.chain, prepared.payload, TEA.content)
    assert await chain.records.page(chain.ada.caller, chain.diary.id, 1, 10) == []


async def test_a_prepared_record_is_completed_once_and_by_its_agent(chain: Chain, bob: Member) -> None:
    await chain.network.admit(chain.diary, chain.ada, bob, ShareRole.WRITER)
    prepared = await chain.records.prepare_entry(chain.ada.caller, chain.diary.id, TEA)
    with pytest.raises(NoSuchRecord):
        await chain.complete(prepared, bob)
    await chain.complete(prepared)
    with pytest.raises(NoSuchRecord):
        await chain.complete(prepared)
    with pytest.raises(NoSuchRecord):
        await chain.complete(attrs.evolve(prepared, id=PreparedRecordId(an_id())))


async def test_a_prepared_record_waits_as_long_as_clocks_may_differ(chain: Chain) -> None:
    late, in_time = [await chain.records.prepare_entry(chain.ada.caller, chain.diary.id, TEA) for _ in range(2)]
    chain.network.clock.advance(CLOCK_TOLERANCE - SECOND)
    await chain.complete(in_time)
    chain.network.clock.advance(SECOND)
    with pytest.raises(NoSuchRecord, match="time is over"):
        await chain.complete(late)


async def test_a_wrong_signature_leaves_a_prepared_record_waiting(chain: Chain, bob: Member) -> None:
    prepared = await chain.records.prepare_entry(chain.ada.caller, chain.diary.id, TEA)
    for signature in ("", "x", bob.key.sign(prepared.signing_input), chain.ada.key.sign(prepared.payload)):
        with pytest.raises(RecordOfAnother):
            await chain.records.complete(chain.ada.caller, prepared.id, signature)
    assert (await chain.complete(prepared)).chain.sequence == 1


async def test_of_two_for_the_same_index_the_later_gets_the_record_to_follow(chain: Chain) -> None:
    one, other = [await chain.records.prepare_entry(chain.ada.caller, chain.diary.id, TEA) for _ in range(2)]
    first = await chain.complete(one)
    before = await chain.stored()
    with pytest.raises(HeadMoved) as moved:
        await chain.complete(other)
    assert moved.value.head == first.chain
    assert await chain.stored() == before


async def test_only_signed_diaries_have_records(chain: Chain) -> None:
    plain = await chain.network.diary(chain.ada)
    entry = await chain.network.entry(chain.ada, plain)
    record = attrs.evolve(await chain.entry_record(), diary_id=plain.id)
    for act in (
        chain.records.prepare_entry(chain.ada.caller, plain.id, TEA),
        chain.records.prepare_removal(chain.ada.caller, plain.id, entry.id),
        attrs.evolve(chain, diary=plain).append(record),
    ):
        with pytest.raises(Conflict):
            await act


async def test_records_are_as_hidden_as_their_diary(chain: Chain, eve: Member, bob: Member) -> None:
    record = await chain.entry_record()
    for act in (
        chain.records.head(eve.caller, chain.diary.id),
        chain.records.page(eve.caller, chain.diary.id, 0, 1),
        chain.records.prepare_entry(eve.caller, chain.diary.id, TEA),
        chain.append(attrs.evolve(record, key=eve.key.public_key), by=eve),
    ):
        with pytest.raises(DiaryNotFound):
            await act
    await chain.network.admit(chain.diary, chain.ada, bob, ShareRole.READER)
    assert await chain.records.head(bob.caller, chain.diary.id) == EMPTY
    with pytest.raises(InsufficientPermissions):
        await chain.records.prepare_entry(bob.caller, chain.diary.id, TEA)
    with pytest.raises(InsufficientPermissions):
        await chain.append(attrs.evolve(record, key=bob.key.public_key), by=bob)


# Appended as it came


async def test_the_same_record_again_is_answered_alike(chain: Chain) -> None:
    record = await chain.entry_record()
    first = await chain.append(record)
    before = await chain.stored()
    assert await chain.append(record) == first
    assert await chain.stored() == before
    assert first.entry is not None
    assert first.entry.id == record.entry_id


async def test_a_repeated_record_is_answered_with_the_head_that_there_is_now(chain: Chain) -> None:
    record = await chain.entry_record()
    await chain.append(record)
    second = await chain.append(await chain.entry_record())
    again = await chain.append(record)
    assert again.entry is not None
    assert (again.entry.id, again.chain) == (record.entry_id, second.chain)


async def test_a_record_is_its_signers(chain: Chain, bob: Member) -> None:
    await chain.network.admit(chain.diary, chain.ada, bob, ShareRole.WRITER)
    record = await chain.entry_record()
    with pytest.raises(RecordOfAnother, match="own key"):
        await chain.append(record, by=bob, key=chain.ada)
    with pytest.raises(RecordOfAnother, match="bytes of the record"):
        await chain.append(record, key=bob)
    assert await chain.head() == EMPTY


async def test_what_a_record_says_must_be_so(chain: Chain, network: Network) -> None:
    record = await chain.entry_record()
    elsewhere = await network.diary(chain.ada)
    before = await chain.stored()
    for refused, content in (
        (attrs.evolve(record, diary_id=elsewhere.id), TEA.content),
        (record, "Another content"),
        (record, None),
        (attrs.evolve(record, tags=(" tea",)), TEA.content),
        (attrs.evolve(record, created_at=record.created_at + CLOCK_TOLERANCE + SECOND), TEA.content),
        (attrs.evolve(record, created_at=record.created_at - CLOCK_TOLERANCE - SECOND), TEA.content),
        (attrs.evolve(record, supersedes=EntryId(an_id())), TEA.content),
    ):
        with pytest.raises(RecordRefused):
            await chain.append(refused, content)
    with pytest.raises(MalformedRecord):
        await chain.records.append(chain.ada.caller, chain.diary.id, b"{}", "x", None)
    assert await chain.stored() == before


async def test_a_record_with_a_clock_within_tolerance_is_taken(chain: Chain) -> None:
    for off in (CLOCK_TOLERANCE, -CLOCK_TOLERANCE):
        record = await chain.entry_record()
        await chain.append(attrs.evolve(record, created_at=record.created_at + off))
    assert (await chain.head()).sequence == 2


async def test_an_id_of_an_entry_is_used_once(chain: Chain) -> None:
    entry = await chain.keep()
    with pytest.raises(EntryIdUsed):
        await chain.append(attrs.evolve(await chain.entry_record(), entry_id=entry.id))
    await chain.remove(entry.id)
    with pytest.raises(EntryIdUsed):
        await chain.append(attrs.evolve(await chain.entry_record(), entry_id=entry.id))


async def test_what_everyone_reads_has_its_limit(network: Network, ada: Member) -> None:
    diary = await network.services.diaries.create(ada.caller, name="Signed", visibility=Visibility.PUBLIC, signed=True)
    long = NewEntry(content="x" * (CONTENT_MAX + 1))
    service = network.services.records
    chain = Chain(network, ada, diary)
    record = await chain.entry_record(long)
    roomy = attrs.evolve(service, entries=attrs.evolve(service.entries, content_max=CONTENT_MAX * 2))
    with pytest.raises(PublicContentTooLong):
        await roomy.append(
            ada.caller, diary.id, record.payload, ada.key.sign(signed_bytes(record.payload)), long.content
        )


# In the place of another


async def test_an_entry_replaces_another_once(chain: Chain, network: Network) -> None:
    former = await chain.keep()
    later = await chain.keep(attrs.evolve(TEA, content="We drink tea at six."), former.id)
    kept = await network.services.entries.get(chain.ada.caller, chain.diary.id, former.id)
    assert (kept.superseded_by, kept.content) == (later.id, TEA.content)
    before = await chain.head()
    with pytest.raises(RecordRefused, match="nothing has replaced"):
        await chain.keep(TEA, former.id)
    assert await chain.head() == before


# Removed


async def test_of_what_is_removed_number_and_hash_stay(chain: Chain, network: Network) -> None:
    entry = await chain.keep()
    (written,) = await chain.records.page(chain.ada.caller, chain.diary.id, 0, 10)
    done = await chain.remove(entry.id)
    assert (done.entry, done.chain.sequence) == (None, 2)
    left, removal = await chain.records.page(chain.ada.caller, chain.diary.id, 0, 10)
    assert left == attrs.evolve(written, payload=None, signature=None, content=None)
    assert removal.head == done.chain == await chain.head()
    with pytest.raises(EntryNotFound):
        await network.services.entries.get(chain.ada.caller, chain.diary.id, entry.id)
    with pytest.raises(NoSuchRecord):
        await chain.records.prepare_removal(chain.ada.caller, chain.diary.id, entry.id)
    with pytest.raises(NoSuchRecord):
        await chain.records.prepare_removal(chain.ada.caller, chain.diary.id, EntryId(an_id()))


async def test_a_removal_again_is_answered_alike(chain: Chain) -> None:
    entry = await chain.keep()
    prepared = await chain.records.prepare_removal(chain.ada.caller, chain.diary.id, entry.id)
    signature = chain.ada.key.sign(prepared.signing_input)
    first, again = [
        await chain.records.append(chain.ada.caller, chain.diary.id, prepared.payload, signature, None)
        for _ in range(2)
    ]
    assert first == again
    assert (first.entry, first.chain.sequence) == (None, 2)


async def test_a_removal_names_the_record_that_wrote_the_entry(chain: Chain) -> None:
    entry, other = await chain.keep(), await chain.keep()
    first, second = await chain.records.page(chain.ada.caller, chain.diary.id, 0, 10)
    head, at = await chain.head(), chain.network.clock.now()
    for target, others in (
        (second, {"entry_id": entry.id}),
        (first, {"entry_id": other.id}),
        (first, {"entry_id": EntryId(an_id())}),
        (first, {"removed_hash": "0" * 64}),
        (first, {"removed_previous": "0" * 64}),
        (second, {"removed_previous": None}),
    ):
        written = parse_record(target.payload or b"")
        assert isinstance(written, EntryRecord)
        record = RemovalRecord.of(written, head=head, key=chain.ada.key.public_key, at=at)
        with pytest.raises(NoSuchRecord):
            await chain.append(attrs.evolve(record, **others), None)
    assert await chain.records.page(chain.ada.caller, chain.diary.id, 0, 10) == [first, second]


async def test_a_removal_takes_the_scope_to_delete(chain: Chain) -> None:
    entry = await chain.keep()
    prepared = await chain.records.prepare_removal(chain.ada.caller, chain.diary.id, entry.id)
    caller = attrs.evolve(chain.ada.caller, scopes=ALL_SCOPES - {Scope.DIARY_DELETE})
    with pytest.raises(MissingScope):
        await chain.records.complete(caller, prepared.id, chain.ada.key.sign(prepared.signing_input))
    assert (await chain.head()).sequence == 1
