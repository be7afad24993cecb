"""What a network that lies about its log is caught by: a shorter log, another one, a leaf that is in none."""

from base64 import b64decode, b64encode

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moltnet.adapters.nacl import NaclKeyPair, NaclSignatures
from moltnet.domain.checkpoints import (
    COSIGNATURE,
    LOG_SIGNATURE,
    Checkpoint,
    KnownLog,
    MalformedCheckpoint,
    VerifierKey,
)
from moltnet.domain.log_views import GrowthProof, LeafProof, ShownLeaf
from moltnet.domain.merkle import (
    EMPTY_ROOT,
    Frontier,
    Range,
    consistency_ranges,
    inclusion_ranges,
    leaf_hash,
    root_of,
)
from moltnet.domain.services.log_check import CompleteLog, LogVerifier
from moltnet.domain.transparency import (
    Leaf,
    LogForked,
    LoggedLeaf,
    LogProofWrong,
    LogRolledBack,
    MalformedLeaf,
    NoSuchLeaf,
)
from tests.support.builders import NOON, a_public_key

KEYS, OTHER = NaclKeyPair(bytes(31) + b"\1"), NaclKeyPair(bytes(31) + b"\2")
KEY = VerifierKey(name="net.example/log", kind=LOG_SIGNATURE, key=KEYS.public_key)
WITNESS = VerifierKey(name="witness.example", kind=COSIGNATURE, key=OTHER.public_key)
VERIFIER = LogVerifier(NaclSignatures())
LEAVES = [Leaf.registered(a_public_key(), NOON) for _ in range(20)]
HASHES = [leaf_hash(leaf.data) for leaf in LEAVES]
FORKED = [*HASHES[:3], leaf_hash(b"other"), *HASHES[4:]]


def head(size: int, hashes: list[bytes] = HASHES, keys: NaclKeyPair = KEYS) -> KnownLog:
    root = root_of(hashes[:size])
    checkpoint = Checkpoint(origin=KEY.name, size=size, root=root)
    return KnownLog(key=KEY, checkpoint=checkpoint.signed(KEY, lambda text: b64decode(keys.sign(text))))


def growth(before: int, shown: KnownLog, hashes: list[bytes] = HASHES) -> GrowthProof:
    size = shown.checkpoint.size
    ranges = consistency_ranges(min(before, size), size)
    return GrowthProof.of(before, size, _hashes(ranges, hashes), shown.checkpoint)


def proof(index: int, shown: KnownLog) -> LeafProof:
    size = shown.checkpoint.size
    leaf = LoggedLeaf(index=index, data=LEAVES[index].data)
    return LeafProof.of(leaf, size, _hashes(inclusion_ranges(index, size), HASHES), shown.checkpoint)


def _hashes(ranges: list[Range], hashes: list[bytes]) -> list[bytes]:
    return [root_of(hashes[each.start : each.end]) for each in ranges]


@given(st.integers(0, 20), st.integers(0, 20))
def test_a_log_that_grew_is_accepted(one: int, other: int) -> None:
    before, after = sorted((one, other))
    assert VERIFIER.grown(head(before), growth(before, head(after))) == head(after)


@given(st.integers(1, 20), st.data())
def test_a_log_that_went_back_is_refused(size: int, data: st.DataObject) -> None:
    shorter = data.draw(st.integers(0, size - 1))
    with pytest.raises(LogRolledBack) as caught:
        VERIFIER.grown(head(size), growth(size, head(shorter)))
    assert (caught.value.known, caught.value.size) == (size, shorter)


@given(st.integers(4, 20), st.data())
def test_a_log_that_was_changed_is_refused(before: int, data: st.DataObject) -> None:
    after = data.draw(st.integers(before, 20))
    for hashes in (HASHES, FORKED):
        with pytest.raises(LogForked):
            VERIFIER.grown(head(before), growth(before, head(after, FORKED), hashes))


def test_a_log_under_another_key_is_refused() -> None:
    with pytest.raises(LogForked):
        VERIFIER.grown(head(3), growth(3, head(4, keys=OTHER)))
    with pytest.raises(LogForked):
        VERIFIER.accepted(head(3).checkpoint, attrs.evolve(KEY, name="other.example"))


def test_a_log_that_its_witness_has_not_seen_is_refused() -> None:
    shown = head(4)
    with pytest.raises(LogForked, match=r"witness\.example"):
        VERIFIER.grown(head(3), growth(3, shown), [WITNESS])
    seen = shown.checkpoint.cosigned(WITNESS, NOON, lambda text: b64decode(OTHER.sign(text)))
    cosigned = attrs.evolve(shown, checkpoint=seen)
    assert VERIFIER.grown(head(3), growth(3, cosigned), [WITNESS]) == cosigned


def test_an_empty_log_has_one_root() -> None:
    assert VERIFIER.accepted(head(0).checkpoint, KEY) == head(0)
    odd = Checkpoint(origin=KEY.name, size=0, root=bytes(32)).signed(KEY, lambda text: b64decode(KEYS.sign(text)))
    with pytest.raises(LogForked):
        VERIFIER.accepted(odd, KEY)


@given(st.integers(1, 20), st.data())
def test_a_leaf_is_proven_or_refused(size: int, data: st.DataObject) -> None:
    index, known = data.draw(st.integers(0, size - 1)), head(size)
    shown = proof(index, known)
    verified = VERIFIER.leaf(known, shown)
    assert (verified.index, verified.leaf) == (index, LEAVES[index])
    for changed in (
        attrs.evolve(shown, leaf=LEAVES[index - 1].data.decode() if size > 1 else "{}"),
        attrs.evolve(shown, index=index + 1),
        attrs.evolve(shown, hashes=[*shown.hashes, b64encode(bytes(32)).decode()]),
    ):
        with pytest.raises(LogProofWrong):
            VERIFIER.leaf(known, changed)
    with pytest.raises(LogProofWrong):
        VERIFIER.leaf(head(20, FORKED), shown)
    assert shown.proof_in(known.checkpoint).index == index
    with pytest.raises(NoSuchLeaf):
        shown.proof_in(head(size - 1).checkpoint)


def test_a_leaf_that_says_nothing_known_is_refused_though_it_is_in_the_log() -> None:
    known = head(1, [leaf_hash(b"{}")])
    with pytest.raises(MalformedLeaf):
        VERIFIER.leaf(known, LeafProof(index=0, leaf="{}", size=1, hashes=[], checkpoint=known.checkpoint.text))


@pytest.mark.parametrize("hashes", [["x"], [""], ["A" * 43 + "="] * 64])
def test_hashes_that_are_none_are_refused(hashes: list[str]) -> None:
    with pytest.raises(MalformedCheckpoint):
        VERIFIER.leaf(head(4), attrs.evolve(proof(0, head(4)), hashes=hashes))


@given(st.integers(0, 20))
def test_the_whole_log_has_the_root_that_was_signed(size: int) -> None:
    whole = CompleteLog(head(size))
    for index in range(size):
        shown = ShownLeaf.of(index, LEAVES[index].data)
        assert whole.add(shown).leaf == LEAVES[index]
        assert whole.size == index + 1
    whole.check()


def test_a_log_that_is_not_shown_whole_is_refused() -> None:
    whole = CompleteLog(head(3))
    whole.add(ShownLeaf.of(0, LEAVES[0].data))
    with pytest.raises(LogProofWrong):
        whole.check()
    with pytest.raises(LogProofWrong):
        whole.add(ShownLeaf.of(2, LEAVES[2].data))
    for index in (2, 1):
        whole.add(ShownLeaf.of(whole.size, LEAVES[index].data))
    with pytest.raises(LogProofWrong):
        whole.check()


@given(st.integers(0, 20))
def test_a_frontier_has_every_root(size: int) -> None:
    frontier = Frontier()
    assert frontier.root == EMPTY_ROOT
    for each in HASHES[:size]:
        frontier.add(each)
    assert (frontier.size, frontier.root) == (size, root_of(HASHES[:size]))


def test_what_is_known_of_a_log_is_read_as_it_was_written() -> None:
    assert KnownLog.parse(head(3).text) == head(3)
    for text in ("", head(3).checkpoint.text, head(3).key.text):
        with pytest.raises(MalformedCheckpoint):
            KnownLog.parse(text)


# Whatever is done to a proof, it is found

REFUSALS = (LogProofWrong, LogForked, LogRolledBack, MalformedCheckpoint, MalformedLeaf)


def flipped(text: str, data: st.DataObject) -> str:
    """A text with one bit of it changed."""
    raw = bytearray(text.encode())
    bit = data.draw(st.integers(0, len(raw) * 8 - 1))
    raw[bit // 8] ^= 1 << bit % 8
    return raw.decode("latin-1")


@given(st.integers(1, 20), st.data())
def test_a_flipped_bit_of_a_leafs_proof_is_found(size: int, data: st.DataObject) -> None:
    known = head(size)
    shown = proof(data.draw(st.integers(0, size - 1)), known)
    changed = [attrs.evolve(shown, leaf=flipped(shown.leaf, data))]
    for number, each in enumerate(shown.hashes):
        hashes = [*shown.hashes[:number], flipped(each, data), *shown.hashes[number + 1 :]]
        changed.append(attrs.evolve(shown, hashes=hashes))
    for each in changed:
        with pytest.raises(REFUSALS):
            VERIFIER.leaf(known, each)


@given(st.integers(2, 20), st.data())
def test_hashes_in_another_order_or_fewer_prove_nothing(size: int, data: st.DataObject) -> None:
    known = head(size)
    shown = proof(data.draw(st.integers(0, size - 1)), known)
    order = data.draw(st.permutations(shown.hashes))
    fewer = shown.hashes[: data.draw(st.integers(0, len(shown.hashes) - 1))]
    for hashes in (order, fewer, [*shown.hashes, shown.hashes[0]]):
        if hashes != shown.hashes:
            with pytest.raises(REFUSALS):
                VERIFIER.leaf(known, attrs.evolve(shown, hashes=hashes))


@given(st.integers(2, 20), st.data())
def test_the_proof_of_another_leaf_or_size_proves_nothing(size: int, data: st.DataObject) -> None:
    known, index = head(size), data.draw(st.integers(0, size - 1))
    shown, other = proof(index, known), data.draw(st.integers(0, size - 1).filter(lambda each: each != index))
    for replayed in (
        attrs.evolve(proof(other, known), index=index),
        attrs.evolve(shown, leaf=proof(other, known).leaf),
        attrs.evolve(shown, index=other),
    ):
        with pytest.raises(REFUSALS):
            VERIFIER.leaf(known, replayed)
    earlier = data.draw(st.integers(1, size - 1))
    if index < earlier and proof(index, head(earlier)).hashes != shown.hashes:
        with pytest.raises(REFUSALS):
            VERIFIER.leaf(known, proof(index, head(earlier)))


@given(st.integers(1, 20), st.data())
def test_a_flipped_bit_of_what_a_log_grew_to_is_found(after: int, data: st.DataObject) -> None:
    before = data.draw(st.integers(0, after - 1))
    shown = growth(before, head(after))
    changed = [attrs.evolve(shown, checkpoint=flipped(shown.checkpoint, data))]
    for number, each in enumerate(shown.hashes):
        hashes = [*shown.hashes[:number], flipped(each, data), *shown.hashes[number + 1 :]]
        changed.append(attrs.evolve(shown, hashes=hashes))
    for each in changed:
        with pytest.raises(REFUSALS):
            VERIFIER.grown(head(before), each)


@given(st.integers(1, 19), st.data())
def test_growth_between_other_sizes_is_not_this_growth(before: int, data: st.DataObject) -> None:
    after = data.draw(st.integers(before + 1, 20))
    shown, other = growth(before, head(after)), data.draw(st.integers(1, 20))
    replayed = growth(min(other, after), head(after))
    if replayed.hashes != shown.hashes:
        with pytest.raises(REFUSALS):
            VERIFIER.grown(head(before), attrs.evolve(shown, hashes=replayed.hashes))
    if other < before:  # an earlier checkpoint, which the log signed once
        with pytest.raises(REFUSALS):
            VERIFIER.grown(head(before), growth(other, head(other)))


@given(st.permutations(range(8)), st.sets(st.integers(0, 7)))
def test_a_log_in_another_order_or_in_part_is_found(order: list[int], left_out: set[int]) -> None:
    whole, shown = CompleteLog(head(8)), [number for number in order if number not in left_out]
    for index, number in enumerate(shown):
        whole.add(ShownLeaf.of(index, LEAVES[number].data))
    if shown == list(range(8)):
        whole.check()
        return
    with pytest.raises(LogProofWrong):
        whole.check()
