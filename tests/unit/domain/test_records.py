"""Records and chains: one canonical form, and every change of a chain is found."""

import json
import re
from base64 import b64decode
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import attrs
import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from moltnet.adapters.nacl import NaclKeyPair, NaclSignatures
from moltnet.domain.entries import EntryType, NewEntry
from moltnet.domain.ids import DiaryId, EntryId
from moltnet.domain.record_parsing import parse_record, shortcut
from moltnet.domain.records import (
    EMPTY,
    AnyRecord,
    EntryRecord,
    Head,
    MalformedRecord,
    RecordRefused,
    RemovalRecord,
    SignedRecord,
    content_hash,
    record_hash,
    signed_bytes,
)
from moltnet.domain.services.chains import ChainVerifier, Fault, Verdict
from tests.support.builders import NOON, an_id
from tests.support.strategies import STORABLE

# The private key of RFC 8032 §7.1, test 2.
KEYS = NaclKeyPair(bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"))
OTHER = NaclKeyPair(bytes(32))
DIARY = DiaryId(an_id())
TEXTS = st.text(STORABLE, max_size=30)


def entry_after(head: Head, content: str = "x", *, supersedes: EntryId | None = None, **others: object) -> EntryRecord:
    new = NewEntry(content=content, **others)  # type: ignore[arg-type]  # of a test
    return EntryRecord.of(
        new,
        diary_id=DIARY,
        head=head,
        key=KEYS.public_key,
        entry_id=EntryId(an_id()),
        supersedes=supersedes,
        salt=bytes(16),
        at=NOON + timedelta(seconds=head.sequence),
    )


def signed(record: AnyRecord, content: str | None = "x", keys: NaclKeyPair = KEYS) -> SignedRecord:
    signature = b64decode(keys.sign(signed_bytes(record.payload)))
    return attrs.evolve(SignedRecord.of(record, signature), content=content)


def a_chain(length: int) -> list[SignedRecord]:
    chain: list[SignedRecord] = []
    head = EMPTY
    for number in range(length):
        chain.append(signed(entry_after(head, f"text {number}"), f"text {number}"))
        head = chain[-1].head
    return chain


def verdict_of(chain: list[SignedRecord], **options: object) -> Verdict:
    verifier = ChainVerifier(NaclSignatures(), **options)  # type: ignore[arg-type]  # of a test
    verifier.add(chain)
    return verifier.verdict()


@given(
    title=st.none() | TEXTS,
    tags=st.none() | st.lists(TEXTS, max_size=3).map(tuple),
    importance=st.integers(1, 10),
    entry_type=st.sampled_from(EntryType),
    content=TEXTS.filter(bool),
)
def test_a_record_is_read_as_it_was_written(title, tags, importance, entry_type, content) -> None:
    record = entry_after(EMPTY, content, title=title, tags=tags, importance=importance, entry_type=entry_type)
    assert parse_record(record.payload) == record
    assert json.loads(record.payload)["tags"] == (None if record.tags is None else list(record.tags))
    assert record.new_entry(content).content == content
    with pytest.raises(RecordRefused):
        record.new_entry(content + "!")


@given(title=st.none() | TEXTS, tags=st.none() | st.lists(TEXTS, max_size=3).map(tuple), content=TEXTS.filter(len))
def test_the_shortcut_writes_what_the_library_writes(title, tags, content) -> None:
    record = entry_after(EMPTY, content, title=title, tags=tags)
    assert shortcut(record.members) == rfc8785.dumps(record.members) == record.payload


@given(st.data())
def test_no_other_bytes_are_the_same_record(data) -> None:
    payload = entry_after(EMPTY, title="é\x01\U0001f9e0", tags=("b", "a")).payload
    at = data.draw(st.integers(0, len(payload) - 1))
    changed = bytearray(payload)
    changed[at] = data.draw(st.integers(0, 255).filter(lambda byte: byte != payload[at]))
    with suppress(MalformedRecord):
        assert parse_record(bytes(changed)).payload != payload


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{}",
        b"null",
        b"[" * 30_000,
        b'{"kind":"entry"}',
        b" " + entry_after(EMPTY).payload,
        json.dumps(entry_after(EMPTY).members).encode(),
        rfc8785.dumps({**entry_after(EMPTY).members, "more": 1}),
        rfc8785.dumps({**entry_after(EMPTY).members, "sequence": True}),
        rfc8785.dumps({**entry_after(EMPTY).members, "sequence": 0}),
        rfc8785.dumps({**entry_after(EMPTY).members, "salt": "0" * 31}),
        rfc8785.dumps({**entry_after(EMPTY).members, "author": "0123-4567-89AB-CDEF"}),
        rfc8785.dumps({**entry_after(EMPTY).members, "createdAt": "2026-01-31T09:30:00Z"}),
        rfc8785.dumps({**entry_after(EMPTY).members, "title": 1}),
        entry_after(EMPTY).payload.replace(b'"title":null', b'"title":"\\ud800"'),
        entry_after(EMPTY, title="x" * 40_000).payload,
        entry_after(EMPTY, title="a\0b").payload,
        entry_after(EMPTY, tags=("\0",)).payload,
        rfc8785.dumps({**entry_after(EMPTY).members, "sequence": 5}),
        rfc8785.dumps({**entry_after(EMPTY).members, "previous": "0" * 64}),
        rfc8785.dumps({**entry_after(EMPTY).members, "sequence": 2**31, "previous": "0" * 64}),
        rfc8785.dumps({**entry_after(EMPTY).members, "importance": 2**53 - 1, "sequence": 2**53 - 1}),
    ],
    ids=range(22),
)
def test_what_is_no_record_in_canonical_form_is_refused(payload: bytes) -> None:
    with pytest.raises(MalformedRecord):
        parse_record(payload)


def test_what_is_signed_is_dsse() -> None:
    assert signed_bytes(b"{}") == b"DSSEv1 38 application/vnd.moltnet.record.v1+json 2 {}"


def test_a_whole_chain_holds() -> None:
    chain = a_chain(5)
    verdict = verdict_of(chain, keys=frozenset({KEYS.public_key}))
    assert (verdict.holds, verdict.entries, verdict.head, verdict.diary_id) == (True, 5, chain[-1].head, DIARY)
    assert verdict_of([]).holds


@given(st.data())
def test_every_change_of_a_chain_is_found(data) -> None:
    chain = a_chain(4)
    at = data.draw(st.integers(0, 3))
    head, one = chain[-1].head, chain[at]
    kind = data.draw(st.sampled_from(["payload", "signature", "hash", "content", "drop", "swap", "again"]))
    if kind in {"payload", "signature"}:
        raw = bytearray(getattr(one, kind))
        raw[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 7))
        chain[at] = attrs.evolve(one, **{kind: bytes(raw)})
    elif kind == "hash":
        chain[at] = attrs.evolve(one, hash=content_hash("another"))
    elif kind == "content":
        chain[at] = attrs.evolve(one, content="another")
    elif kind == "drop":
        del chain[at]
    elif kind == "swap":
        other = data.draw(st.integers(0, 3).filter(lambda each: each != at))
        chain[at], chain[other] = chain[other], chain[at]
    else:
        chain.insert(at, one)
    # A chain that was only cut off at its end is whole: who has seen its head finds that.
    assert not verdict_of(chain, known=head).holds
    assert not verdict_of(chain).holds or (kind == "drop" and at == len(chain))


def test_a_removal_leaves_number_and_hash() -> None:
    first, second = a_chain(2)
    written = parse_record(first.payload or b"")
    assert isinstance(written, EntryRecord)
    removal = RemovalRecord.of(written, head=second.head, key=KEYS.public_key, at=NOON)
    assert removal.is_of(written)
    emptied = attrs.evolve(first, payload=None, signature=None, content=None)
    chain = [emptied, second, signed(removal, None)]
    verdict = verdict_of(chain)
    assert (verdict.holds, verdict.entries, verdict.removals) == (True, 1, 1)
    assert [each.fault for each in verdict_of(chain[:2]).findings] == [Fault.NOT_REMOVED]
    assert [each.fault for each in verdict_of([first, *chain[1:]]).findings] == [Fault.WRONG_REMOVAL]
    other = attrs.evolve(removal, removed_hash=second.hash)
    assert [each.fault for each in verdict_of([emptied, second, signed(other, None)]).findings] == [Fault.WRONG_REMOVAL]
    other = attrs.evolve(removal, removed_previous=second.hash)
    found = verdict_of([emptied, second, signed(other, None)]).findings
    assert [(each.sequence, each.fault) for each in found] == [(1, Fault.BROKEN_LINK)]


def test_other_hands_and_other_pasts_are_found() -> None:
    chain = a_chain(2)
    third = attrs.evolve(entry_after(chain[-1].head), key=OTHER.public_key)
    by_another = signed(third, keys=OTHER)
    assert verdict_of([*chain, by_another]).holds
    one_key = verdict_of([*chain, by_another], keys=frozenset({KEYS.public_key}))
    assert [each.fault for each in one_key.findings] == [Fault.FOREIGN_KEY]
    forged = signed(third, keys=KEYS)
    assert [each.fault for each in verdict_of([*chain, forged]).findings] == [Fault.BAD_SIGNATURE]
    assert verdict_of(chain, known=chain[0].head).holds
    assert not verdict_of(chain, known=by_another.head).holds
    assert not verdict_of(chain, known=attrs.evolve(chain[0].head, hash=chain[1].hash)).holds
    replaced = signed(entry_after(chain[-1].head, supersedes=EntryId(an_id())))
    assert [each.fault for each in verdict_of([*chain, replaced]).findings] == [Fault.UNKNOWN_ENTRY]


def test_the_page_has_the_bytes_of_a_record() -> None:
    page = Path("docs/reference/records.md").read_text(encoding="utf-8")
    payload, told_hash, signature = re.search(r"```\n(\{.*\})\nhash +(\w+)\nsignature +(\S+)\n```", page).groups()  # type: ignore[union-attr]
    record = parse_record(payload.encode())
    assert record_hash(record.payload) == told_hash
    assert KEYS.sign(signed_bytes(record.payload)) == signature
    assert record.new_entry("We drink tea at five.").title == "Tea"  # type: ignore[union-attr]
