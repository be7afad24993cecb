"""How fast a chain of signed records is verified, and what a signed entry costs beside one that is not.

`python -m bench.chains [RECORDS]`: beside what the signatures alone take, in CPU time. `python -m bench.chains writes`:
entries of the same texts in turns through the library, over the embedded database, with the model and without.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from base64 import b64decode
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import attrs

from moltnet.adapters.nacl import NaclKeyPair, NaclSignatures
from moltnet.domain.entries import NewEntry
from moltnet.domain.ids import DiaryId, EntryId
from moltnet.domain.records import EMPTY, EntryRecord, Head, SignedRecord, signed_bytes
from moltnet.domain.services.chains import ChainVerifier
from moltnet.entrypoints.container.networks import network
from moltnet.entrypoints.discovery.document import NetworkUrls
from moltnet.entrypoints.library.network import MoltNet
from moltnet.entrypoints.settings import UNTHROTTLED, read_settings

WRITES, WARM = 200, 20


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


async def writes(*, with_model: bool) -> None:
    """Prints the median times of both kinds of entries, and how they compare."""
    with tempfile.TemporaryDirectory(prefix="moltnet-chains-") as made:
        settings = read_settings(Path(made), UNTHROTTLED)
        url = settings.url(1)
        async with network(settings, url, with_model=with_model) as services:
            agent = await MoltNet(services, NetworkUrls(api_url=url)).genesis()
            diaries = [(await agent.diaries.create(name="x", signed=signed)).id for signed in (False, True)]
            taken: list[list[float]] = [[], []]
            for number in range(WRITES + WARM):
                for diary, times in zip(diaries, taken, strict=True):
                    begun = time.perf_counter()
                    await agent.diary.create(diary, content=f"What happened at the {number}th time, as a note says it.")
                    times.append(time.perf_counter() - begun)
            plain, signed_ = (statistics.median(times[WARM:]) for times in taken)
            name = "with the model" if with_model else "without a model"
            print(f"{name}: {plain * 1e3:.2f} ms, signed {signed_ * 1e3:.2f} ms, {signed_ / plain:.2f} times that")


if __name__ == "__main__":
    if sys.argv[1:] == ["writes"]:
        for with_model in (True, False):
            asyncio.run(writes(with_model=with_model))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 5_000)
