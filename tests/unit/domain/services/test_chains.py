"""What is wrong with a chain, for each way in which one can be."""

from base64 import b64decode
from datetime import timedelta

import attrs
import pytest

from moltnet.adapters.nacl import NaclSignatures
from moltnet.domain.entries import NewEntry
from moltnet.domain.ids import DiaryId, EntryId
from moltnet.domain.records import EMPTY, EntryRecord, SignedRecord, record_hash, signed_bytes
from moltnet.domain.services.chains import ChainVerifier, Fault, Finding
from tests.support.builders import NOON, an_id
from tests.support.network import a_key_pair

KEY = a_key_pair()
DIARY = DiaryId(an_id())
NO_RECORD = b'{"kind":"entry"}'


def signed(record: EntryRecord, content: str) -> SignedRecord:
    signature = b64decode(KEY.sign(signed_bytes(record.payload)))
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
