"""Witnesses: what one of them signs, and how a network asks them."""

import hashlib
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moltnet.adapters.files.log_memory import FileWitnessMemory, origin_hash
from moltnet.adapters.memory.storage import MemoryStorage
from moltnet.adapters.memory.system import MemoryClock
from moltnet.adapters.nacl import NaclKeyPair, NaclSignatures
from moltnet.domain.checkpoints import (
    COSIGNATURE,
    LOG_SIGNATURE,
    Checkpoint,
    MalformedCheckpoint,
    SignatureLine,
    VerifierKey,
    WitnessRequest,
)
from moltnet.domain.errors import Unavailable
from moltnet.domain.merkle import consistency_ranges, leaf_hash, root_of
from moltnet.domain.services.transparency import TransparencyService
from moltnet.domain.services.witness import ASKED_AGAIN_AFTER, Witnessing, WitnessService
from moltnet.domain.transparency import CheckpointUnsigned, NotGrown, UnknownLog, WitnessAhead
from tests.support.builders import NOON
from tests.unit.domain.services.test_transparency import a_log, added

LOG_KEYS, KEYS = NaclKeyPair(bytes(31) + b"\1"), NaclKeyPair(bytes(31) + b"\2")
LOG = VerifierKey(name="net.example/log", kind=LOG_SIGNATURE, key=LOG_KEYS.public_key)
SIGNATURES = NaclSignatures()
HASHES = [leaf_hash(b"%d" % number) for number in range(20)]
FORKED = [leaf_hash(b"other"), *HASHES[1:]]


@attrs.define
class LastInMemory:
    checkpoints: dict[str, Checkpoint] = attrs.field(factory=dict)
    origin: str = ""

    @contextmanager
    def alone(self, origin: str) -> Iterator["LastInMemory"]:
        self.origin = origin
        yield self

    def read(self) -> Checkpoint | None:
        return self.checkpoints.get(self.origin)

    def keep(self, checkpoint: Checkpoint) -> None:
        self.checkpoints[self.origin] = checkpoint


def a_witness(memory: object = None, logs: dict[str, VerifierKey] | None = None) -> WitnessService:
    known = {LOG.name: LOG} if logs is None else logs
    clock = MemoryClock(NOON)
    return WitnessService("witness.example/w1", KEYS, known, memory or LastInMemory(), SIGNATURES, clock)  # type: ignore[arg-type]


def a_head(size: int, hashes: list[bytes] = HASHES, keys: NaclKeyPair = LOG_KEYS) -> Checkpoint:
    head = Checkpoint(origin=LOG.name, size=size, root=root_of(hashes[:size]))
    return head.signed(LOG, lambda text: b64decode(keys.sign(text)))


def a_request(before: int, head: Checkpoint, hashes: list[bytes] = HASHES) -> WitnessRequest:
    ranges = consistency_ranges(min(before, head.size), head.size)
    proof = tuple(root_of(hashes[each.start : each.end]) for each in ranges)
    return WitnessRequest(before=before, hashes=proof, checkpoint=head)


def is_signed(witness: WitnessService, head: Checkpoint, answer: str) -> bool:
    assert answer.endswith("\n")
    return head.adding(SignatureLine.parse(answer[:-1])).is_signed_by(witness.key, SIGNATURES.verify)


@given(st.lists(st.integers(0, 20), min_size=1, max_size=6).map(sorted))
def test_a_log_that_only_grows_is_signed(sizes: list[int]) -> None:
    witness, before = a_witness(), 0
    for size in sizes:
        head = a_head(size)
        assert is_signed(witness, head, witness.add_checkpoint(a_request(before, head).text))
        before = size


def test_a_fork_is_never_signed() -> None:
    witness = a_witness()
    witness.add_checkpoint(a_request(0, a_head(5)).text)
    for hashes in (HASHES, FORKED):
        for size in (5, 9):
            with pytest.raises(NotGrown):
                witness.add_checkpoint(a_request(5, a_head(size, FORKED), hashes).text)
    with pytest.raises(NotGrown):
        witness.add_checkpoint(attrs.evolve(a_request(5, a_head(9)), hashes=()).text)
    assert witness.add_checkpoint(a_request(5, a_head(9)).text)


def test_who_says_another_size_hears_the_right_one() -> None:
    witness = a_witness()
    witness.add_checkpoint(a_request(0, a_head(5)).text)
    for before in (0, 4, 6):
        with pytest.raises(WitnessAhead) as ahead:
            witness.add_checkpoint(a_request(before, a_head(9)).text)
        assert ahead.value.size == 5


def test_what_is_not_the_log_s_is_refused() -> None:
    witness = a_witness()
    with pytest.raises(CheckpointUnsigned):
        witness.add_checkpoint(a_request(0, a_head(5, keys=KEYS)).text)
    with pytest.raises(UnknownLog):
        a_witness(logs={}).add_checkpoint(a_request(0, a_head(5)).text)
    for text in ("", "old 0\n", a_request(6, a_head(5)).text):
        with pytest.raises(MalformedCheckpoint):
            witness.add_checkpoint(text)


def test_what_was_signed_is_remembered_in_a_file(tmp_path: Path) -> None:
    memory = FileWitnessMemory(tmp_path)
    a_witness(memory).add_checkpoint(a_request(0, a_head(5)).text)
    restarted = a_witness(FileWitnessMemory(tmp_path))
    with pytest.raises(WitnessAhead):
        restarted.add_checkpoint(a_request(0, a_head(9, FORKED), FORKED).text)
    assert origin_hash(LOG.name) == hashlib.sha256(LOG.name.encode()).hexdigest()
    kept = memory.of(origin_hash(LOG.name)).read()
    assert kept is not None
    assert kept.is_signed_by(LOG, SIGNATURES.verify)
    assert kept.is_signed_by(restarted.key, SIGNATURES.verify)


# How a network asks


@attrs.define
class NearWitness:
    """The port `Witness`, over a witness in this process that may be away or lie."""

    service: WitnessService
    is_away: bool = False
    answer: SignatureLine | None = None
    asked: int = 0

    @property
    def key(self) -> VerifierKey:
        return self.service.key

    async def add_checkpoint(self, request: WitnessRequest) -> SignatureLine:
        self.asked += 1
        if self.is_away:
            raise Unavailable
        return self.answer or SignatureLine.parse(self.service.add_checkpoint(request.text)[:-1])


@attrs.define
class Watched:
    """A network with one witness."""

    storage: MemoryStorage
    log: TransparencyService
    witness: NearWitness
    clock: MemoryClock

    async def is_cosigned(self) -> bool:
        await self.log.extend()
        return (await self.log.checkpoint()).is_signed_by(self.witness.key, SIGNATURES.verify)


async def watched() -> Watched:
    storage, clock = MemoryStorage(), MemoryClock(NOON)
    log = a_log(storage)
    key = await log.key()
    witness = NearWitness(a_witness(logs={key.name: key}))
    return Watched(storage, attrs.evolve(log, witnessing=Witnessing([witness], SIGNATURES, clock)), witness, clock)


async def test_a_checkpoint_is_shown_with_its_witness_s_signature() -> None:
    network = await watched()
    for number in (0, 3, 1):
        await added(network.storage, number)
        assert await network.is_cosigned()
    assert (await network.log.checkpoint()).size == 4
    asked = network.witness.asked
    await network.log.extend()
    assert network.witness.asked == asked


async def test_a_witness_that_knows_more_than_the_process_is_asked_again() -> None:
    network = await watched()
    await added(network.storage, 3)
    assert await network.is_cosigned()
    restarted = attrs.evolve(network.log, witnessing=Witnessing([network.witness], SIGNATURES, network.clock))
    await added(network.storage, 2)
    assert await attrs.evolve(network, log=restarted).is_cosigned()


async def test_a_witness_that_is_away_holds_nothing_up_and_is_asked_again_later() -> None:
    network = await watched()
    network.witness.is_away = True
    await added(network.storage, 3)
    assert not await network.is_cosigned()
    assert (await network.log.checkpoint()).size == 3
    network.witness.is_away = False
    assert not await network.is_cosigned()
    network.clock.advance(ASKED_AGAIN_AFTER)
    assert await network.is_cosigned()


async def test_a_signature_that_is_not_good_is_left_out() -> None:
    network = await watched()
    key = network.witness.key
    network.witness.answer = SignatureLine(name=key.name, key_id=key.id, signature=bytes(72))
    await added(network.storage, 3)
    assert not await network.is_cosigned()
    assert (await network.log.checkpoint()).size == 3


async def test_a_witness_of_a_longer_log_does_not_sign_a_shorter_one() -> None:
    network = await watched()
    await added(network.storage, 3)
    assert await network.is_cosigned()
    behind = await watched()
    signing = network.log.log_signing
    restored = attrs.evolve(behind.log, log_signing=signing)
    restored = attrs.evolve(restored, witnessing=Witnessing([network.witness], SIGNATURES, network.clock))
    await added(behind.storage, 2)
    await restored.extend()
    assert not (await restored.checkpoint()).is_signed_by(network.witness.key, SIGNATURES.verify)


async def test_what_was_signed_before_a_crash_is_shown_after_it() -> None:
    """As after a process that ended while it asked the witness."""
    network = await watched()
    await added(network.storage, 3)
    silent = attrs.evolve(network.log, witnessing=Stopping())
    with pytest.raises(ZeroDivisionError):
        await silent.extend()
    async with network.storage.autocommit() as work:
        head = await work.transparency.head()
    assert head.published is None
    assert await network.is_cosigned()
    assert (await network.log.checkpoint()).size == 3


class Stopping(Witnessing):
    """Witnesses during which the process ends."""

    def __init__(self) -> None:
        super().__init__([NearWitness(a_witness())], SIGNATURES, MemoryClock(NOON))

    async def cosigned(self, *_: object) -> Checkpoint:
        raise ZeroDivisionError


def test_the_key_of_a_witness_says_that_it_is_one() -> None:
    assert a_witness().key == VerifierKey(name="witness.example/w1", kind=COSIGNATURE, key=KEYS.public_key)
