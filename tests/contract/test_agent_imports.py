"""Memories from elsewhere, by the agent's port."""

import asyncio
from datetime import UTC, datetime
from uuid import uuid4

import attrs
import pytest

from moltnet.domain.entries import EntryType
from moltnet.domain.errors import Conflict, Forbidden, Invalid, NotFound
from moltnet.domain.ids import DiaryId
from moltnet.domain.views import ShownRecord
from moltnet.entrypoints.library.agent import Agent
from moltnet.entrypoints.operations.imports import ImportItem
from tests.support.worlds import keys_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

AT = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)
TEA = ImportItem(
    key="chat:1",
    source="chatgpt",
    original_id="1",
    written_at=AT,
    content="We drink tea at five.",
    title="Tea",
    tags=("home",),
    importance=7,
    entry_type=EntryType.EPISODIC,
    occurred_at=AT,
)


async def a_diary(agent: Agent, *, signed: bool = False) -> DiaryId:
    return (await agent.diaries.create(name="Imported", signed=signed)).id


async def test_what_is_imported_is_found_and_says_where_it_is_from(ada: Agent) -> None:
    diary = await a_diary(ada)
    [outcome] = await ada.imports.add(diary, [TEA])
    assert outcome.entry_id
    assert (outcome.key, outcome.repeated, outcome.code) == ("chat:1", False, None)
    entry = await ada.diary.get(diary, outcome.entry_id)
    assert (entry.content, entry.title, entry.tags, entry.importance) == (TEA.content, "Tea", ("home",), 7)
    assert (entry.entry_type, entry.occurred_at) == (EntryType.EPISODIC, AT)
    assert entry.author
    assert entry.author.public_key == keys_of(ada).public_key
    assert [hit.entry.id for hit in (await ada.diary.search("tea", diary_id=diary)).hits] == [entry.id]
    [shown] = await ada.imports.list(diary)
    assert (shown.key, shown.source, shown.original_id, shown.written_at) == ("chat:1", "chatgpt", "1", AT)
    assert shown.entry_id == entry.id


async def test_nothing_is_imported_twice(ada: Agent) -> None:
    diary = await a_diary(ada)
    twice = [TEA, attrs.evolve(TEA, content="another"), attrs.evolve(TEA, key="chat:2")]
    outcomes = await ada.imports.add(diary, twice)
    assert [each.repeated for each in outcomes] == [False, True, False]
    assert outcomes[0].entry_id == outcomes[1].entry_id
    again = await asyncio.gather(*(ada.imports.add(diary, twice) for _ in range(3)))
    assert all(each.repeated for outcomes in again for each in outcomes)
    assert (await ada.diary.list(diary))[1] == 2
    assert [each.key async for each in ada.imports.all(diary)] == ["chat:1", "chat:2"]
    assert [each.key for each in await ada.imports.list(diary, after="chat:1", limit=1)] == ["chat:2"]


async def test_of_several_at_once_one_imports(ada: Agent) -> None:
    diary = await a_diary(ada)
    found = await asyncio.gather(*(ada.imports.add(diary, [TEA]) for _ in range(4)))
    assert sorted(each.repeated for [each] in found) == [False, True, True, True]
    assert len({each.entry_id for [each] in found}) == 1


async def test_an_entry_of_the_diary_itself_is_not_imported_again(ada: Agent) -> None:
    diary = await a_diary(ada)
    entry = await ada.diary.create(diary, content="here already")
    [outcome] = await ada.imports.add(diary, [attrs.evolve(TEA, original_id=str(entry.id))])
    assert (outcome.entry_id, outcome.repeated) == (entry.id, True)
    [elsewhere] = await ada.imports.add(await a_diary(ada), [attrs.evolve(TEA, original_id=str(entry.id))])
    assert not elsewhere.repeated


async def test_what_is_refused_does_not_stop_the_others(ada: Agent) -> None:
    diary = await a_diary(ada)
    long = attrs.evolve(TEA, key="long", content="x" * 10_001)
    nothing = attrs.evolve(TEA, key="nothing", content=None)
    outcomes = await ada.imports.add(diary, [long, TEA, nothing])
    assert [each.code for each in outcomes] == ["CONTENT_TOO_LONG", None, "EVIDENCE_REFUSED"]
    assert outcomes[0].is_refused
    assert outcomes[0].reason
    assert "10000" in outcomes[0].reason
    assert not outcomes[1].is_refused


async def signed_records(agent: Agent) -> list[ShownRecord]:
    ledger = await a_diary(agent, signed=True)
    first = await agent.diary.create(ledger, content="first")
    await agent.diary.create(ledger, content="second")
    await agent.diary.delete(ledger, first.id)
    return [each async for each in agent.records.all(ledger)]


def item_of(record: ShownRecord, agent: Agent) -> ImportItem:
    return ImportItem(
        key=f"record:{record.sequence}",
        source="https://net.example",
        author_key=keys_of(agent).public_key.text if record.payload else None,
        sequence=record.sequence,
        hash=record.hash,
        payload=record.payload,
        signature=record.signature,
        content=record.content,
    )


async def test_a_signed_record_comes_along_as_evidence(ada: Agent, bob: Agent) -> None:
    chain = await signed_records(bob)
    diary = await a_diary(ada)
    outcomes = await ada.imports.add(diary, [item_of(each, bob) for each in chain])
    assert [each.code for each in outcomes] == [None] * 3
    assert [each.entry_id is None for each in outcomes] == [True, False, True]
    shown = await ada.imports.list(diary)
    assert [(each.sequence, each.hash, each.payload, each.signature) for each in shown] == [
        (each.sequence, each.hash, each.payload, each.signature) for each in chain
    ]
    assert all(each.repeated for each in await ada.imports.add(diary, [item_of(each, bob) for each in chain]))


async def test_a_record_that_proves_nothing_is_refused(ada: Agent, bob: Agent) -> None:
    chain, diary = await signed_records(bob), await a_diary(ada)
    second = item_of(chain[1], bob)
    changes: list[tuple[dict[str, object], str]] = [
        ({"content": "another"}, "content"),
        ({"content": None}, "content"),
        ({"hash": "0" * 64}, "hash"),
        ({"sequence": 1}, "number"),
        ({"author_key": None}, "authorKey"),
        ({"payload": None, "signature": None}, "proves no content"),
        ({"payload": "e30="}, "canonical"),
        ({"signature": chain[2].signature}, "signature"),
    ]
    items = [attrs.evolve(second, **change, key=str(number)) for number, (change, _) in enumerate(changes)]
    reasons = [each.reason or "" for each in await ada.imports.add(diary, items)]
    assert [sentence in reason for reason, (_, sentence) in zip(reasons, changes, strict=True)] == [True] * len(changes)
    assert (await ada.diary.list(diary))[1] == 0


async def test_a_malformed_origin_is_invalid(ada: Agent, bob: Agent) -> None:
    second, diary = item_of((await signed_records(bob))[1], bob), await a_diary(ada)
    for malformed in (
        attrs.evolve(TEA, sequence=1),
        attrs.evolve(TEA, sequence=1, hash="0" * 64, payload="e30="),
        attrs.evolve(TEA, author_key="ed25519:e30="),
        attrs.evolve(TEA, key=""),
        attrs.evolve(TEA, source="x" * 256),
        attrs.evolve(second, signature="e30="),
        attrs.evolve(second, payload="?"),
    ):
        with pytest.raises(Invalid):
            await ada.imports.add(diary, [malformed])


async def test_a_leaf_of_a_log_comes_along_with_its_proof_alone(ada: Agent) -> None:
    diary = await a_diary(ada)
    leaf, proof = await ada.log.prove(0)
    key = (await ada.log.follow()).key.text
    item = ImportItem(key="log:1", source="https://net.example", log_key=key, leaf=leaf.data.decode(), proof=proof.text)
    [outcome] = await ada.imports.add(diary, [item])
    assert (outcome.code, outcome.entry_id, outcome.repeated) == (None, None, False)
    [shown] = await ada.imports.list(diary)
    assert (shown.log_key, shown.leaf, shown.proof) == (item.log_key, item.leaf, item.proof)
    assert [each.repeated for each in await ada.imports.add(diary, [item])] == [True]
    other = item.leaf.replace("2", "3", 1) if item.leaf else ""
    wrong = [{"leaf": other}, {"content": "x"}, {"sequence": 1, "hash": "0" * 64}]
    changed = [attrs.evolve(item, key=f"log:{number}", **each) for number, each in enumerate(wrong, 2)]
    assert {each.code for each in await ada.imports.add(diary, changed)} == {"EVIDENCE_REFUSED"}
    for malformed in ({"proof": None}, {"proof": "x"}, {"log_key": "x"}, {"log_key": key.replace("+", " ")}):
        with pytest.raises(Invalid):
            await ada.imports.add(diary, [attrs.evolve(item, key="log:9", **malformed)])


async def test_who_may_not_write_imports_nothing(ada: Agent, bob: Agent) -> None:
    diary = await a_diary(ada)
    with pytest.raises(NotFound):
        await bob.imports.add(diary, [TEA])
    with pytest.raises(NotFound):
        await bob.imports.list(diary)
    with pytest.raises(NotFound):
        await ada.imports.add(DiaryId(uuid4()), [TEA])
    with pytest.raises(Conflict):
        await ada.imports.add(await a_diary(ada, signed=True), [TEA])
    share = await ada.sharing.share(diary, keys_of(bob).public_key.fingerprint)
    await bob.sharing.accept(share.id)
    with pytest.raises(Forbidden):
        await bob.imports.add(diary, [TEA])
    assert await bob.imports.list(diary) == []
