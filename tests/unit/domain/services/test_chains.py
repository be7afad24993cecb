"""What is wrong with a chain, for each way in which one can be."""

from base64 import b64decode
from datetime import timedelta

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moltnet.adapters.nacl import NaclKeyPair, NaclSignatures
from moltnet.domain.entries import NewEntry
from moltnet.domain.ids import DiaryId, EntryId
from moltnet.domain.keys import PublicKey
from moltnet.domain.record_parsing import parse_record
from moltnet.domain.records import (
    EMPTY,
    AnyRecord,
    EntryRecord,
    Head,
    RemovalRecord,
    SignedRecord,
    record_hash,
    signed_bytes,
)
from moltnet.domain.services.chains import ChainVerifier, Fault, Finding, Verdict
from tests.support.builders import NOON, an_id
from tests.support.network import a_key_pair

KEY = a_key_pair()
DIARY = DiaryId(an_id())
NO_RECORD = b'{"kind":"entry"}'


def signed(record: AnyRecord, content: str | None, key: NaclKeyPair = KEY) -> SignedRecord:
    signature = b64decode(key.sign(signed_bytes(record.payload)))
    return attrs.evolve(SignedRecord.of(record, signature), content=content)


def a_chain(length: int, diary: DiaryId = DIARY) -> list[SignedRecord]:
    head, chain = EMPTY, []
    for number in range(1, length + 1):
        record = EntryRecord.of(
            NewEntry(content=f"text {number}"),
            diary_id=diary,
            head=head,
            key=KEY.public_key,
            entry_id=EntryId(an_id()),
            supersedes=None,
            salt=bytes(16),
            at=NOON + timedelta(seconds=number),
        )
        chain.append(signed(record, f"text {number}"))
        head = chain[-1].head
    return chain


FIRST, SECOND, THIRD = a_chain(3)
ELSEWHERE = a_chain(3, DiaryId(an_id()))


@pytest.mark.parametrize(
    ("chain", "found"),
    [
        ([FIRST, SECOND, THIRD], []),
        ([FIRST, SECOND, FIRST, THIRD], [(1, Fault.REPEATED)]),
        ([FIRST, SECOND, SECOND, THIRD], [(2, Fault.REPEATED)]),
        ([FIRST, THIRD], [(3, Fault.GAP)]),
        ([FIRST, THIRD, SECOND], [(2, Fault.REPEATED), (3, Fault.GAP)]),
        ([SECOND, THIRD], [(2, Fault.GAP)]),
        ([FIRST, attrs.evolve(SECOND, hash=FIRST.hash)], [(2, Fault.OTHER_HASH)]),
        ([FIRST, SECOND, attrs.evolve(THIRD, content="text")], [(3, Fault.OTHER_CONTENT)]),
        ([FIRST, SECOND, attrs.evolve(THIRD, content=None)], [(3, Fault.OTHER_CONTENT)]),
        ([FIRST, SECOND, attrs.evolve(THIRD, signature=SECOND.signature)], [(3, Fault.BAD_SIGNATURE)]),
        ([FIRST, SECOND, attrs.evolve(THIRD, sequence=4)], [(4, Fault.GAP), (4, Fault.OTHER_NUMBER)]),
        ([FIRST, ELSEWHERE[1]], [(2, Fault.OTHER_NUMBER), (2, Fault.BROKEN_LINK)]),
        ([FIRST, attrs.evolve(SECOND, payload=NO_RECORD, hash=record_hash(NO_RECORD))], [(2, Fault.MALFORMED)]),
        ([FIRST, attrs.evolve(SECOND, payload=NO_RECORD)], [(2, Fault.OTHER_HASH), (2, Fault.MALFORMED)]),
        ([FIRST, attrs.evolve(SECOND, signature=None), THIRD], [(2, Fault.NOT_REMOVED)]),
    ],
    ids=range(15),
)
def test_each_fault_has_its_name_and_its_number(chain: list[SignedRecord], found: list[tuple[int, Fault]]) -> None:
    verifier = ChainVerifier(NaclSignatures())
    verifier.add(chain)
    assert verifier.verdict().findings == tuple(Finding(number, fault) for number, fault in found)


def test_a_chain_may_come_in_parts() -> None:
    verifier = ChainVerifier(NaclSignatures(), known=SECOND.head)
    for part in ([FIRST], [], [SECOND, THIRD]):
        verifier.add(part)
    verdict = verifier.verdict()
    assert (verdict.holds, verdict.head, verdict.entries) == (True, THIRD.head, 3)
    assert verdict.authors == (KEY.public_key.fingerprint,)


def test_another_chain_than_was_known_was_forked() -> None:
    verifier = ChainVerifier(NaclSignatures(), known=SECOND.head)
    verifier.add(ELSEWHERE)
    assert verifier.verdict().findings == (Finding(2, Fault.ROLLED_BACK),)
    shorter = ChainVerifier(NaclSignatures(), known=THIRD.head)
    shorter.add([FIRST, SECOND])
    assert shorter.verdict().findings == (Finding(3, Fault.ROLLED_BACK),)


# Whatever is done to a chain, it is found

OTHER = a_key_pair()
KEYS = frozenset({KEY.public_key, OTHER.public_key})
FOREIGN = a_key_pair()


def a_whole_chain(diary: DiaryId, second_writer: NaclKeyPair = OTHER) -> list[SignedRecord]:
    """Seven records of two keys: an entry that was removed, one that replaces another, and its removal."""
    chain: list[SignedRecord] = []
    ids = [EntryId(an_id()) for _ in range(6)]

    def append(number: int, supersedes: EntryId | None = None) -> None:
        key = second_writer if number % 2 else KEY
        record = EntryRecord.of(
            NewEntry(content=f"text {number}", title="A title", tags=("one", "two")),
            diary_id=diary,
            head=chain[-1].head if chain else EMPTY,
            key=key.public_key,
            entry_id=ids[number],
            supersedes=supersedes,
            salt=bytes(16),
            at=NOON + timedelta(seconds=number),
        )
        chain.append(signed(record, f"text {number}", key))

    for number in range(5):
        append(number, ids[0] if number == 3 else None)
    removed = parse_record(chain[1].payload or b"")
    assert isinstance(removed, EntryRecord)
    removal = RemovalRecord.of(removed, head=chain[-1].head, key=KEY.public_key, at=NOON)
    chain.append(signed(removal, None))
    chain[1] = attrs.evolve(chain[1], payload=None, signature=None, content=None)
    append(5)
    return chain


WHOLE, ANOTHER = a_whole_chain(DIARY), a_whole_chain(DiaryId(an_id()))
# The same diary as another network would tell it, good in itself.
FORK = a_whole_chain(DIARY)
MIXED = a_whole_chain(DIARY, FOREIGN)
NUMBERS = st.integers(0, len(WHOLE) - 1)


def verified(
    chain: list[SignedRecord], known: Head = WHOLE[-1].head, keys: frozenset[PublicKey] | None = KEYS
) -> Verdict:
    verifier = ChainVerifier(NaclSignatures(), keys, known)
    verifier.add(chain)
    return verifier.verdict()


def test_the_chains_hold_that_are_changed_below() -> None:
    for chain in (WHOLE, ANOTHER, FORK, MIXED):
        assert verified(chain, EMPTY, None).holds
    assert verified(WHOLE).holds


@given(NUMBERS, st.sampled_from(["payload", "signature", "content", "hash"]), st.data())
def test_a_flipped_bit_is_found(number: int, member: str, data: st.DataObject) -> None:
    record = WHOLE[number]
    value = getattr(record, member)
    if value is None:
        return
    raw = bytearray(value if isinstance(value, bytes) else value.encode())
    bit = data.draw(st.integers(0, len(raw) * 8 - 1))
    raw[bit // 8] ^= 1 << bit % 8
    changed = bytes(raw) if isinstance(value, bytes) else raw.decode("latin-1")
    verdict = verified([*WHOLE[:number], attrs.evolve(record, **{member: changed}), *WHOLE[number + 1 :]], EMPTY, None)
    assert not verdict.holds
    if member == "payload":  # though its hash was made anew
        resealed = attrs.evolve(record, payload=changed, hash=record_hash(bytes(raw)))
        assert not verified([*WHOLE[:number], resealed, *WHOLE[number + 1 :]], EMPTY, None).holds


@given(st.permutations(range(len(WHOLE))))
def test_another_order_is_found(order: list[int]) -> None:
    assert verified([WHOLE[number] for number in order]).holds == (order == sorted(order))


@given(st.sets(NUMBERS))
def test_what_is_left_out_is_found(left_out: set[int]) -> None:
    chain = [record for number, record in enumerate(WHOLE) if number not in left_out]
    assert verified(chain).holds == (not left_out)


@given(NUMBERS, NUMBERS)
def test_what_is_shown_again_is_found(number: int, before: int) -> None:
    assert not verified([*WHOLE[:before], WHOLE[number], *WHOLE[before:]]).holds
    assert not verified([*WHOLE, WHOLE[number]]).holds


@given(NUMBERS, st.sampled_from([FORK, ANOTHER, MIXED]))
def test_a_record_of_another_chain_is_found(number: int, other: list[SignedRecord]) -> None:
    assert not verified([*WHOLE[:number], other[number], *WHOLE[number + 1 :]]).holds


@given(NUMBERS, NUMBERS)
def test_a_fork_is_found_by_who_saw_a_record_of_it(seen: int, since: int) -> None:
    """The chain goes on otherwise from a record on: by itself it holds where it is another one from the beginning."""
    forked = [*WHOLE[:since], *FORK[since:]]
    assert verified(forked, EMPTY).holds == (since == 0)  # a fork of the whole is another chain
    if since <= seen:
        assert not verified(forked, WHOLE[seen].head).holds
    assert not verified(FORK, WHOLE[seen].head).holds


@given(NUMBERS)
def test_a_key_that_is_not_expected_is_found(number: int) -> None:
    foreign = {finding.sequence for finding in verified(MIXED, EMPTY).findings if finding.fault is Fault.FOREIGN_KEY}
    assert foreign == {4, 7}
    record = WHOLE[number]
    if record.payload is not None:  # the same words under another key
        forged = attrs.evolve(record, signature=b64decode(FOREIGN.sign(signed_bytes(record.payload))))
        assert not verified([*WHOLE[:number], forged, *WHOLE[number + 1 :]]).holds


@given(NUMBERS)
def test_what_is_emptied_without_a_removal_is_found(number: int) -> None:
    emptied = attrs.evolve(WHOLE[number], payload=None, signature=None, content=None)
    assert verified([*WHOLE[:number], emptied, *WHOLE[number + 1 :]]).holds == (number == 1)
