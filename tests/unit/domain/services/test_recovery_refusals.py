"""Every wrong proof is refused, known key or not (docs/reference/signatures.md, "Recovery challenge")."""

import hashlib
import hmac
from collections.abc import Callable
from datetime import timedelta
from typing import TypeAlias

import attrs
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from moltnet.adapters.nacl import NaclKeyPair, NaclSignatures
from moltnet.domain.keys import PublicKey
from moltnet.domain.recovery import CHALLENGE_LIFETIME, Challenge, InvalidChallenge, InvalidProof
from tests.support.builders import NOON
from tests.support.network import Member, Network, a_key_pair

SECRET, OTHER_SECRET = b"r" * 32, b"s" * 32
FIELDS = ("text", "mac", "signature", "key")
BITS_OF_ASCII = 7
NOT_SIGNED = (InvalidProof, "Ed25519 signature verification failed")

ErrorRenderer: TypeAlias = "tuple[type[Exception], str] | None"


@attrs.frozen
class RefusedProof:
    """What is handed in."""

    text: str
    mac: str
    signature: str
    key: str


Spoiling: TypeAlias = Callable[[RefusedProof], RefusedProof]


def flipped(field: str, place: int, bit: int) -> Spoiling:
    def spoil(proof: RefusedProof) -> RefusedProof:
        text: str = getattr(proof, field)
        if not text:
            return proof
        at = place % len(text)
        turned = text[:at] + chr(ord(text[at]) ^ (1 << bit)) + text[at + 1 :]
        return attrs.evolve(proof, **{field: turned})

    return spoil


def cut(field: str, place: int) -> Spoiling:
    def spoil(proof: RefusedProof) -> RefusedProof:
        text: str = getattr(proof, field)
        return attrs.evolve(proof, **{field: text[: place % max(len(text), 1)]})

    return spoil


def marked_by_another(proof: RefusedProof) -> RefusedProof:
    return attrs.evolve(proof, mac=hmac.new(OTHER_SECRET, proof.text.encode(), hashlib.sha256).hexdigest())


def for_another_key(proof: RefusedProof) -> RefusedProof:
    return attrs.evolve(proof, key=a_key_pair().public_key.text)


def signed_by_another(proof: RefusedProof) -> RefusedProof:
    return attrs.evolve(proof, signature=a_key_pair().sign(proof.text.encode()))


FLIPS = st.builds(flipped, st.sampled_from(FIELDS), st.integers(0, 200), st.integers(0, BITS_OF_ASCII - 1))
CUTS = st.builds(cut, st.sampled_from(FIELDS), st.integers(0, 200))
SPOILINGS = FLIPS | CUTS | st.sampled_from([marked_by_another, for_another_key, signed_by_another])
AGES = st.sampled_from([-300_000, -1, 0, 1, 299_999, 300_000, 300_001, 86_400_000])


def expected(proof: RefusedProof, issued: RefusedProof, age_ms: int, *, is_replay: bool) -> ErrorRenderer:
    """What the table says, read from its top; None for a proof that is right but for its agent."""
    parts = proof.text.split(":")
    table = (
        (len(parts) != 6 or parts[:3] != ["moltnet", "recovery", "ed25519"], "Invalid challenge format"),
        (":".join(parts[2:4]) != proof.key, "Challenge was issued for a different key"),
        (proof.text != issued.text or proof.mac != issued.mac, "Invalid HMAC"),
        (age_ms > CHALLENGE_LIFETIME / timedelta(milliseconds=1), "Challenge expired"),
        (age_ms < 0, "Challenge timestamp is in the future"),
        (is_replay, "Challenge already used"),
    )
    refusals = [detail for is_wrong, detail in table if is_wrong]
    if refusals:
        return InvalidChallenge, refusals[0]
    return NOT_SIGNED if proof.signature != issued.signature else None


async def issued_to(network: Network, key: NaclKeyPair) -> RefusedProof:
    challenge = await network.services.recovery.challenge(key.public_key.text)
    return RefusedProof(challenge.text, challenge.mac, key.sign(challenge.text.encode()), key.public_key.text)


async def told(network: Network, proof: RefusedProof) -> ErrorRenderer:
    challenge = Challenge(text=proof.text, mac=proof.mac)
    try:
        await network.services.recovery.verify(challenge, proof.signature, proof.key)
    except (InvalidChallenge, InvalidProof) as refused:
        return type(refused), refused.detail
    return None


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(spoilings=st.lists(SPOILINGS, max_size=2), age_ms=AGES, is_replay=st.booleans())
@example(spoilings=[], age_ms=0, is_replay=False)
@example(spoilings=[], age_ms=0, is_replay=True)
@example(spoilings=[signed_by_another], age_ms=300_001, is_replay=True)
async def test_the_table_of_the_contract_decides_for_known_and_unknown_keys_alike(
    network: Network, ada: Member, spoilings: list[Spoiling], age_ms: int, *, is_replay: bool
) -> None:
    answers, asked = [], []
    for key in (ada.key, a_key_pair()):
        network.clock.set(NOON)
        issued = proof = await issued_to(network, key)
        if is_replay:
            await told(network, issued)
        for spoil in spoilings:
            proof = spoil(proof)
        network.clock.advance(timedelta(milliseconds=age_ms))
        network.calls.log.clear()
        answers.append(await told(network, proof))
        asked.append([call for call in network.calls.log if call != "IdentityProvider.begin_recovery"])
        predicted = expected(proof, issued, age_ms, is_replay=is_replay)
        assert answers[-1] == (NOT_SIGNED if predicted is None and key is not ada.key else predicted)
    # The same spoiling may spoil two texts differently; where it did the same, no other statement was made either.
    if answers[0] == answers[1]:
        assert asked[0] == asked[1]


@pytest.mark.parametrize("field", FIELDS)
async def test_no_bit_of_a_proof_can_be_turned(network: Network, ada: Member, field: str) -> None:
    issued = await issued_to(network, ada.key)
    for place in range(len(getattr(issued, field))):
        spoilt = flipped(field, place, place % BITS_OF_ASCII)(issued)
        assert await told(network, spoilt) is not None
        if field == "signature":
            issued = await issued_to(network, ada.key)  # the last try has burnt its nonce


@attrs.frozen
class CountedSignatures(NaclSignatures):
    """Notes whose signatures it verified."""

    verified: list[PublicKey] = attrs.field(factory=list)

    def verify(self, key: PublicKey, message: bytes, signature: bytes) -> bool:
        self.verified.append(key)
        return super().verify(key, message, signature)


async def test_a_signature_under_an_unknown_key_costs_as_much_as_one_under_a_known_key(
    network: Network, ada: Member
) -> None:
    signatures, nobody = CountedSignatures(), a_key_pair()
    recovery = attrs.evolve(network.services.recovery, signatures=signatures)
    for key in (ada.key, nobody):
        proof = signed_by_another(await issued_to(network, key))
        with pytest.raises(InvalidProof):
            await recovery.verify(Challenge(text=proof.text, mac=proof.mac), proof.signature, proof.key)
    assert signatures.verified == [ada.key.public_key, nobody.public_key]
