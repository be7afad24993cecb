"""How fast a chain of signed records is verified, beside what its signatures alone take.

python -m bench.chains [RECORDS]
"""

import sys
import time
from base64 import b64decode
from datetime import UTC, datetime
from uuid import uuid4

import attrs

from moltnet.adapters.nacl import NaclKeyPair, NaclSignatures
from moltnet.domain.entries import NewEntry
from moltnet.domain.ids import DiaryId, EntryId
from moltnet.domain.records import EMPTY, EntryRecord, Head, SignedRecord, signed_bytes
from moltnet.domain.services.chains import ChainVerifier


def a_chain(length: int) -> tuple[NaclKeyPair, list[SignedRecord]]:
    """A key, and records that it signed, with short contents."""
    keys, head, chain = NaclKeyPair.generate(), EMPTY, []
    diary, at = DiaryId(uuid4()), datetime.now(UTC)
    for number in range(length):
        text = f"What happened at the {number}th time, in about as many words as a note has."
        record = EntryRecord.of(
            NewEntry(content=text, title="A note", tags=("bench",)),
            diary_id=diary,
            head=head,
            key=keys.public_key,
            entry_id=EntryId(uuid4()),
            supersedes=None,
            salt=bytes(16),
            at=at,
        )
        payload = record.payload
        signed = SignedRecord.of(record, b64decode(keys.sign(signed_bytes(payload))))
        chain.append(attrs.evolve(signed, content=text))
        head = Head(sequence=signed.sequence, hash=signed.hash)
    return keys, chain


def main(length: int) -> None:
    """Prints both rates, and how they compare; CPU time of this process, so that others do not count."""
    keys, chain = a_chain(length)
    signatures, verifier = NaclSignatures(), ChainVerifier(NaclSignatures())
    begun = time.process_time()
    for each in chain:
        assert signatures.verify(keys.public_key, signed_bytes(each.payload or b""), each.signature or b"")
    alone = time.process_time() - begun
    begun = time.process_time()
    verifier.add(chain)
    whole = time.process_time() - begun
    assert verifier.verdict().holds
    print(f"signatures alone: {length / alone:,.0f} a second")
    print(f"whole records:    {length / whole:,.0f} a second, {alone / whole:.0%} of the time in signatures")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5_000)
