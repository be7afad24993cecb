"""Checkpoints and what is signed of them, by the examples of the specifications and for every other text."""

import re
from base64 import b64decode
from pathlib import Path

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moltnet.adapters.nacl import NaclKeyPair, NaclSignatures
from moltnet.domain.checkpoints import (
    COSIGNATURE,
    LOG_SIGNATURE,
    Checkpoint,
    LogProof,
    MalformedCheckpoint,
    SignatureLine,
    VerifierKey,
    WitnessRequest,
)
from moltnet.domain.keys import PublicKey
from moltnet.domain.merkle import leaf_hash
from moltnet.domain.transparency import Leaf, LogForked, LogProofWrong
from moltnet.entrypoints.library.log import verify_proof
from tests.support.builders import NOON

KEYS = NaclKeyPair(bytes(31) + b"\1")
OTHER = NaclKeyPair(bytes(31) + b"\2")
LOG = VerifierKey(name="example.com/log", kind=LOG_SIGNATURE, key=KEYS.public_key)
WITNESS = VerifierKey(name="witness.example/w1", kind=COSIGNATURE, key=OTHER.public_key)
VERIFY = NaclSignatures().verify
# c2sp.org/signed-note, "Example", whose key signs a text that is no checkpoint.
EXAMPLE_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
EXAMPLE_LINE = (
    "— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM="
)
# c2sp.org/tlog-checkpoint and c2sp.org/tlog-cosignature, whose keys are not given there.
BY_LOG = "Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8="
BY_WITNESS = "jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA=="
EXAMPLE = f"""example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa {BY_LOG}
— witness.example.com/w1 {BY_WITNESS}
"""
ROOTS = st.binary(min_size=32, max_size=32)


def by(keys: NaclKeyPair):
    return lambda message: b64decode(keys.sign(message))


def a_checkpoint(size: int = 7, root: bytes = bytes(32)) -> Checkpoint:
    return Checkpoint(origin=LOG.name, size=size, root=root).signed(LOG, by(KEYS))


def test_the_examples_of_the_specifications() -> None:
    key = VerifierKey.parse(EXAMPLE_KEY)
    assert key.text == EXAMPLE_KEY
    line = SignatureLine.parse(EXAMPLE_LINE)
    assert line.is_of(key)
    assert VERIFY(key.key, b"This is an example message.\n", line.signature)
    checkpoint = Checkpoint.parse(EXAMPLE)
    assert (checkpoint.origin, checkpoint.size) == ("example.com/behind-the-sofa", 20852163)
    assert checkpoint.text == EXAMPLE
    witness = attrs.evolve(WITNESS, name="witness.example.com/w1")
    assert not checkpoint.is_signed_by(witness, VERIFY)
    assert int.from_bytes(checkpoint.signatures[1].signature[:8], "big") == 1679315147


@given(st.integers(0, 2**63 - 1), ROOTS)
def test_a_checkpoint_is_read_as_it_was_written(size: int, root: bytes) -> None:
    checkpoint = a_checkpoint(size, root)
    assert Checkpoint.parse(checkpoint.text) == checkpoint
    assert checkpoint.is_signed_by(LOG, VERIFY)
    cosigned = checkpoint.cosigned(WITNESS, NOON, by(OTHER))
    assert Checkpoint.parse(cosigned.text) == cosigned
    assert cosigned.is_signed_by(WITNESS, VERIFY)
    assert cosigned.is_signed_by(LOG, VERIFY)


def test_a_witness_signs_once() -> None:
    later = a_checkpoint().cosigned(WITNESS, NOON, by(OTHER)).cosigned(WITNESS, NOON, by(OTHER))
    assert len(later.signatures) == 2


@given(st.data())
def test_every_change_of_a_signed_checkpoint_is_found(data: st.DataObject) -> None:
    text = a_checkpoint(data.draw(st.integers(0, 300)), data.draw(ROOTS)).cosigned(WITNESS, NOON, by(OTHER)).text
    raw = bytearray(text.encode())
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= 1 << data.draw(st.integers(0, 7))
    try:
        changed = Checkpoint.parse(raw.decode())
    except (MalformedCheckpoint, UnicodeDecodeError):
        return
    assert not (changed.is_signed_by(LOG, VERIFY) and changed.is_signed_by(WITNESS, VERIFY))


def test_signatures_of_other_keys_count_for_nothing() -> None:
    forged = Checkpoint(origin=LOG.name, size=7, root=bytes(32)).signed(LOG, by(OTHER))
    assert not forged.is_signed_by(LOG, VERIFY)
    both = attrs.evolve(forged, signatures=(*a_checkpoint().signatures, *forged.signatures))
    assert not both.is_signed_by(LOG, VERIFY)  # one that says to be the log's is not
    short = SignatureLine(name=WITNESS.name, key_id=WITNESS.id, signature=bytes(8))
    assert not a_checkpoint().adding(short).is_signed_by(WITNESS, VERIFY)
    assert not a_checkpoint().adding(attrs.evolve(short, signature=bytes(72))).is_signed_by(WITNESS, VERIFY)


GOOD = a_checkpoint().text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        GOOD[:-1],
        GOOD + "\n",
        GOOD + "x\n",
        GOOD.replace("\n7\n", "\n07\n"),
        GOOD.replace("\n7\n", "\n-7\n"),
        GOOD.replace("\n7\n", "\n\u0667\n"),
        GOOD.replace("\n7\n", f"\n{2**63}\n"),
        GOOD.replace("\n7\n", f"\n{'9' * 5000}\n"),
        GOOD.replace("AAA=", "AA=="),
        GOOD.replace("AAA=", "AAB="),
        GOOD.replace("\n\n", "\nextension\n\n"),
        GOOD.replace("\n\n", "\n"),
        GOOD.replace("— ", "- "),
        GOOD.replace("— example", "—  example"),
        GOOD.removeprefix("example.com/log"),
        GOOD.replace("example.com/log\n", "a\0b\n"),
        GOOD + (GOOD.rsplit("\n", 2)[1] + "\n") * 40,
        "x" * 100_000,
    ],
)
def test_other_texts_are_no_checkpoints(text: str) -> None:
    with pytest.raises(MalformedCheckpoint):
        Checkpoint.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "a+b+c",
        EXAMPLE_KEY[:-1],
        EXAMPLE_KEY.replace("530d", "530e"),
        EXAMPLE_KEY.replace("+530d", "+530D"),
        LOG.text.replace("log+", "lo g+"),
        "a+530d903a+" + "A" * 44,
        "é" + EXAMPLE_KEY,
        EXAMPLE_KEY + "\ud800",
    ],
)
def test_other_texts_are_no_verifier_keys(text: str) -> None:
    with pytest.raises(MalformedCheckpoint):
        VerifierKey.parse(text)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb", "a\0b", "a\u00a0b", "x" * 256])
def test_names_that_would_tear_a_line_apart_are_refused(name: str) -> None:
    with pytest.raises(MalformedCheckpoint):
        VerifierKey(name=name, kind=LOG_SIGNATURE, key=KEYS.public_key)


@given(st.integers(0, 2**63 - 1), st.lists(ROOTS, max_size=63))
def test_proofs_and_requests_are_read_as_they_were_written(number: int, hashes: list[bytes]) -> None:
    proof = LogProof(index=number, hashes=tuple(hashes), checkpoint=a_checkpoint())
    assert LogProof.parse(proof.text) == proof
    first, _, rest = proof.text.partition("\n")
    assert LogProof.parse(f"{first}\nextra AAAA\n{rest}") == proof
    request = WitnessRequest(before=number, hashes=tuple(hashes), checkpoint=a_checkpoint())
    assert WitnessRequest.parse(request.text) == request


PROOF = LogProof(index=1, hashes=(bytes(32),), checkpoint=a_checkpoint()).text
REQUEST = WitnessRequest(before=1, hashes=(bytes(32),), checkpoint=a_checkpoint()).text


@pytest.mark.parametrize(
    "text",
    [
        *["", GOOD, REQUEST, PROOF.replace("@v1", "@v2"), PROOF.replace("index 1", "index 01")],
        *[PROOF.replace("index", "at"), PROOF.replace("\nAAAA", "\nAAA")],
        PROOF.replace("index 1\n", "index 1\n" + f"{'A' * 43}=\n" * 63),
    ],
)
def test_other_texts_are_no_proofs(text: str) -> None:
    with pytest.raises(MalformedCheckpoint):
        LogProof.parse(text)


@pytest.mark.parametrize("text", ["", GOOD, PROOF, REQUEST.replace("old 1", "old -1"), REQUEST.partition("\n\n")[0]])
def test_other_texts_are_no_requests_to_a_witness(text: str) -> None:
    with pytest.raises(MalformedCheckpoint):
        WitnessRequest.parse(text)


def test_a_key_that_is_no_log_s_or_witness_s_is_refused() -> None:
    odd = VerifierKey(name="x", kind=2, key=PublicKey(bytes(32))).text
    with pytest.raises(MalformedCheckpoint):
        VerifierKey.parse(odd)


def test_the_example_of_the_reference_page() -> None:
    page = (Path(__file__).parents[3] / "docs" / "reference" / "log.md").read_text()
    shown, hashes, key_text, proof_text = re.findall(r"```\n(.*?)```", page, re.DOTALL)
    leaves = [Leaf.parse(line.encode()) for line in shown.splitlines()]
    assert [leaf_hash(leaf.data).hex() for leaf in leaves] == hashes.split()
    key, proof = VerifierKey.parse(key_text.strip()), LogProof.parse(proof_text)
    assert proof.text == proof_text
    assert verify_proof(leaves[1].data, proof, key) == leaves[1]
    for wrong in (leaves[0], leaves[2]):
        with pytest.raises(LogProofWrong):
            verify_proof(wrong.data, proof, key)
    with pytest.raises(LogForked):
        verify_proof(leaves[1].data, proof, key, witnesses=[WITNESS])
