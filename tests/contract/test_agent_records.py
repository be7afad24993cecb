"""Signed diaries, by the agent's port."""

import asyncio
import json
from base64 import b64decode
from uuid import uuid4

import attrs
import pytest
import rfc8785

from moltnet.domain.diaries import Visibility
from moltnet.domain.entries import NewEntry
from moltnet.domain.errors import Conflict, Forbidden, Invalid, NotFound
from moltnet.domain.ids import EntryId, PreparedRecordId
from moltnet.domain.records import EMPTY, base64_text, signed_bytes
from moltnet.domain.sharing import ShareRole
from moltnet.entrypoints.library.agent import Agent
from moltnet.entrypoints.operations import records
from moltnet.entrypoints.operations.records import AppendRecord
from tests.support.worlds import keys_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

TEA = NewEntry(content="We drink tea at five.", title="Tea", tags=("home", "tea"), importance=7)


async def test_every_entry_is_a_record_that_can_be_verified(ada: Agent) -> None:
    diary = await ada.diaries.create(name="Signed", signed=True)
    assert diary.signed
    assert await ada.records.head(diary.id) == EMPTY
    kept = await ada.diary.keep(diary.id, TEA)
    assert (kept.entry.content, kept.entry.title, kept.entry.tags) == (TEA.content, "Tea", ("home", "tea"))
    assert [hit.entry.id for hit in (await ada.diary.search("tea", diary_id=diary.id)).hits] == [kept.entry.id]
    edited = await ada.diary.update(diary.id, kept.entry.id, content="We drink tea at six.")
    assert (edited.title, edited.importance) == ("Tea", 7)
    assert (await ada.diary.get(diary.id, kept.entry.id)).superseded_by == edited.id
    verdict = await ada.records.verify(diary.id, keys=[keys_of(ada).public_key])
    assert (verdict.holds, verdict.entries, verdict.removals) == (True, 2, 0)
    assert verdict.head == await ada.records.head(diary.id)


async def test_what_is_removed_leaves_its_number_and_hash_alone(ada: Agent) -> None:
    diary = await ada.diaries.create(name="Signed", signed=True)
    first, second = [(await ada.diary.keep(diary.id, attrs.evolve(TEA, content=text))).entry for text in "ab"]
    await ada.diary.delete(diary.id, first.id)
    removed, left, removal = await ada.records.list(diary.id)
    assert (removed.payload, removed.signature, removed.content) == (None, None, None)
    assert (left.content, removal.content) == ("b", None)
    with pytest.raises(NotFound):
        await ada.diary.get(diary.id, first.id)
    with pytest.raises(NotFound):
        await ada.diary.delete(diary.id, first.id)
    verdict = await ada.records.verify(diary.id)
    assert (verdict.holds, verdict.entries, verdict.removals) == (True, 1, 1)
    assert [entry.id for entry in (await ada.diary.list(diary.id))[0]] == [second.id]


async def test_a_record_is_prepared_here_and_signed_there(ada: Agent) -> None:
    diary = await ada.diaries.create(name="Signed", signed=True)
    prepared = await ada.records.prepare(diary.id, TEA)
    appended = await ada.records.submit(prepared.id, keys_of(ada).sign(records_bytes(prepared.signing_input)))
    assert appended.entry
    assert appended.chain.sequence == 1
    removal = await ada.records.prepare_removal(diary.id, appended.entry.id)
    gone = await ada.records.submit(removal.id, keys_of(ada).sign(records_bytes(removal.signing_input)))
    assert (gone.entry, gone.chain.sequence) == (None, 2)
    assert (await ada.records.verify(diary.id)).holds


async def test_one_of_two_that_were_prepared_for_the_same_index_is_asked_to_sign_again(ada: Agent) -> None:
    diary = await ada.diaries.create(name="Signed", signed=True)
    one, other = [await ada.records.prepare(diary.id, TEA) for _ in range(2)]
    await ada.records.submit(one.id, keys_of(ada).sign(records_bytes(one.signing_input)))
    with pytest.raises(Conflict, match="must follow record 1"):
        await ada.records.submit(other.id, keys_of(ada).sign(records_bytes(other.signing_input)))


async def test_writers_at_once_all_find_their_position(ada: Agent, bob: Agent) -> None:
    diary = await ada.diaries.create(name="Signed", signed=True)
    await ada.sharing.share(diary.id, keys_of(bob).public_key.fingerprint, role=ShareRole.WRITER)
    (invitation,) = [each for each in await bob.sharing.invitations() if each.diary_id == diary.id]
    await bob.sharing.accept(invitation.id)
    texts = [f"{name} {number}" for name in ("ada", "bob") for number in range(4)]
    await asyncio.gather(
        *((ada if text < "b" else bob).diary.keep(diary.id, attrs.evolve(TEA, content=text)) for text in texts)
    )
    verdict = await bob.records.verify(diary.id)
    assert (verdict.holds, verdict.entries, len(verdict.authors)) == (True, 8, 2)
    only_hers = await ada.records.verify(diary.id, keys=[keys_of(ada).public_key])
    assert len(only_hers.findings) == 4


async def test_the_same_record_again_is_answered_alike_and_another_key_is_refused(ada: Agent, bob: Agent) -> None:
    diary = await ada.diaries.create(name="Signed", signed=True, visibility=Visibility.PUBLIC)
    prepared = await ada.records.prepare(diary.id, TEA)
    request = AppendRecord(
        diary_id=diary.id,
        payload=prepared.payload,
        signature=keys_of(ada).sign(records_bytes(prepared.signing_input)),
        content=TEA.content,
    )
    with pytest.raises(Forbidden):
        await bob.transport.call(records.APPEND, request)
    for broken in (
        attrs.evolve(request, content="Another"),
        attrs.evolve(request, content=None),
        attrs.evolve(request, payload=base64_text(b"{}")),
        attrs.evolve(request, payload=base64_text(b"[" * 5000)),
        attrs.evolve(request, payload="!"),
    ):
        with pytest.raises((Invalid, Forbidden)):
            await ada.transport.call(records.APPEND, broken)
    other_hand = attrs.evolve(request, signature=keys_of(bob).sign(records_bytes(prepared.signing_input)))
    with pytest.raises(Forbidden):
        await ada.transport.call(records.APPEND, other_hand)
    appended = await ada.transport.call(records.APPEND, request)
    assert await ada.transport.call(records.APPEND, request) == appended
    assert (await ada.diary.list(diary.id))[1] == 1


async def test_a_diary_is_signed_or_not(ada: Agent) -> None:
    signed = await ada.diaries.create(name="Signed", signed=True)
    plain = await ada.diaries.create(name="Plain")
    with pytest.raises(Conflict, match="not signed"):
        await ada.records.prepare(plain.id, TEA)
    assert (await ada.diaries.update(signed.id, name="Renamed")).signed


async def test_others_records_are_not_to_be_known_of(ada: Agent, bob: Agent) -> None:
    diary = await ada.diaries.create(name="Signed", signed=True)
    prepared = await ada.records.prepare(diary.id, TEA)
    signature = keys_of(bob).sign(records_bytes(prepared.signing_input))
    for refused in (
        bob.records.head(diary.id),
        bob.records.list(diary.id),
        bob.records.prepare(diary.id, TEA),
        bob.records.submit(prepared.id, signature),
        ada.records.submit(PreparedRecordId(uuid4()), signature),
        ada.records.prepare_removal(diary.id, EntryId(uuid4())),
    ):
        with pytest.raises(NotFound):
            await refused


def records_bytes(signing_input: str) -> bytes:
    return b64decode(signing_input)


async def test_replaced_twice(ada: Agent) -> None:
    diary = await ada.diaries.create(name="Signed", signed=True)
    first = (await ada.diary.keep(diary.id, TEA)).entry
    await ada.records.write(diary.id, TEA, supersedes=first.id)
    for wrong in (first.id, EntryId(uuid4())):
        with pytest.raises(Invalid):
            await ada.records.write(diary.id, TEA, supersedes=wrong)
    assert (await ada.records.head(diary.id)).sequence == 2
    assert await ada.records.head(diary.id) != EMPTY


async def test_what_no_record_can_say_is_refused_though_it_is_signed(ada: Agent) -> None:
    diary = await ada.diaries.create(name="Signed", signed=True)
    members = json.loads(b64decode((await ada.records.prepare(diary.id, TEA)).payload))
    for wrong in ({"title": "a\0b"}, {"tags": ["\0"]}, {"sequence": 5}, {"sequence": 2**40}, {"importance": 2**50}):
        payload = rfc8785.dumps(members | wrong)
        signature = keys_of(ada).sign(signed_bytes(payload))
        request = AppendRecord(
            diary_id=diary.id, payload=base64_text(payload), signature=signature, content=TEA.content
        )
        with pytest.raises(Invalid):
            await ada.transport.call(records.APPEND, request)
    assert await ada.records.head(diary.id) == EMPTY
