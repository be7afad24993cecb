"""Coming back with nothing but the key (docs/reference/signatures.md, "Recovery challenge" and "Recovery flow")."""

import asyncio
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import attrs
import pytest

from moltnet.domain.errors import Unavailable
from moltnet.domain.recovery import (
    CHALLENGE_LIFETIME,
    Challenge,
    CodeSpent,
    FlowNotFound,
    InvalidChallenge,
    InvalidProof,
    Recovery,
)
from moltnet.domain.registration import Registered
from tests.support.builders import an_id
from tests.support.interruptions import failing
from tests.support.network import BASE_URL, Member, Network, a_key_pair
from tests.support.usecases import tidied

MILLISECOND = timedelta(milliseconds=1)


@attrs.frozen
class Proof:
    """What an agent hands in to come back."""

    challenge: Challenge
    signature: str
    key_text: str


async def proof_of(network: Network, member: Member) -> Proof:
    """A proof that is good."""
    key_text = member.key.public_key.text
    challenge = await network.services.recovery.challenge(key_text)
    return Proof(challenge, member.key.sign(challenge.text.encode()), key_text)


async def verified(network: Network, proof: Proof) -> Recovery:
    return await network.services.recovery.verify(proof.challenge, proof.signature, proof.key_text)


async def refusal(network: Network, proof: Proof) -> tuple[type[Exception], str]:
    with pytest.raises((InvalidChallenge, InvalidProof)) as refused:
        await verified(network, proof)
    return type(refused.value), refused.value.detail


def altered(proof: Proof, text: str) -> Proof:
    """The proof with another challenge text, and the old mark."""
    return attrs.evolve(proof, challenge=attrs.evolve(proof.challenge, text=text))


async def test_the_key_opens_the_way_back(network: Network, ada: Member) -> None:
    recovery = await verified(network, await proof_of(network, ada))
    assert recovery.flow_url.startswith(f"{BASE_URL}/self-service/recovery?flow=")
    (flow,) = parse_qs(urlsplit(recovery.flow_url).query)["flow"]
    answer = await network.services.recovery.answer_flow(flow, recovery.code)
    assert answer.session_token is not None
    recovered = await network.identities.finish_recovery(answer.session_token)
    assert (recovered.id, recovered.key) == (ada.agent_id, ada.key.public_key)


async def test_everything_was_lost_but_the_key(network: Network) -> None:
    key = a_key_pair()
    lost: Registered = await network.services.registration.genesis(key.public_key.text)
    challenge = await network.services.recovery.challenge(key.public_key.text)
    proof = Proof(challenge, key.sign(challenge.text.encode()), key.public_key.text)
    recovery = await verified(network, proof)
    (flow,) = parse_qs(urlsplit(recovery.flow_url).query)["flow"]
    session = (await network.services.recovery.answer_flow(flow, recovery.code)).session_token
    assert session is not None
    fresh = await network.services.credentials.rotate_by_session(session)
    assert (fresh.client_id, fresh.secret != lost.credentials.secret) == (lost.credentials.client_id, True)


async def test_a_challenge_does_not_show_whether_a_key_is_known(network: Network, ada: Member) -> None:
    unknown = a_key_pair().public_key.text
    challenges, asked = [], []
    for key_text in (ada.key.public_key.text, unknown):
        network.calls.log.clear()
        challenges.append(await network.services.recovery.challenge(key_text))
        asked.append(list(network.calls.log))
    known, other = challenges
    assert known.text.replace(ada.key.public_key.text, unknown).split(":")[:4] == other.text.split(":")[:4]
    assert len(known.mac) == len(other.mac)
    assert asked[0] == asked[1] == ["agents.find_by_key"]


async def test_a_challenge_is_issued_even_for_what_is_no_key(network: Network) -> None:
    challenge = await network.services.recovery.challenge("ed25519:short")
    assert challenge.text.startswith("moltnet:recovery:ed25519:short:")
    proof = Proof(challenge, a_key_pair().sign(challenge.text.encode()), "ed25519:short")
    assert (await refusal(network, proof))[0] is InvalidProof


async def test_no_two_challenges_are_alike(network: Network, ada: Member) -> None:
    texts = {(await proof_of(network, ada)).challenge.text for _ in range(3)}
    assert len(texts) == 3


# The order of checks


async def test_the_first_check_that_fails_is_the_answer(network: Network, ada: Member, bob: Member) -> None:
    good = await proof_of(network, ada)
    *parts, at = good.challenge.text.split(":")
    everything_wrong = attrs.evolve(good, challenge=Challenge(text="no challenge", mac=""), key_text="x", signature="")
    another_key = attrs.evolve(altered(good, ":".join([*parts, "then"])), key_text=bob.key.public_key.text)
    unmarked = attrs.evolve(altered(good, ":".join([*parts, "then"])), signature="")
    assert await refusal(network, everything_wrong) == (InvalidChallenge, "Invalid challenge format")
    assert await refusal(network, another_key) == (InvalidChallenge, "Challenge was issued for a different key")
    assert await refusal(network, unmarked) == (InvalidChallenge, "Invalid HMAC")
    assert at
    network.clock.advance(CHALLENGE_LIFETIME + MILLISECOND)
    assert await refusal(network, attrs.evolve(good, signature="")) == (InvalidChallenge, "Challenge expired")


async def test_a_challenge_is_good_for_five_minutes(network: Network, ada: Member, bob: Member) -> None:
    proof, late = await proof_of(network, ada), await proof_of(network, bob)
    network.clock.advance(CHALLENGE_LIFETIME)
    assert await verified(network, proof)
    network.clock.advance(MILLISECOND)
    assert await refusal(network, late) == (InvalidChallenge, "Challenge expired")


async def test_a_clock_that_was_set_back_refuses_challenges_of_the_future(network: Network, ada: Member) -> None:
    proof = await proof_of(network, ada)
    network.clock.advance(-MILLISECOND)
    assert await refusal(network, proof) == (InvalidChallenge, "Challenge timestamp is in the future")


async def test_a_challenge_that_fails_a_check_before_its_nonce_can_still_be_used(network: Network, ada: Member) -> None:
    proof = await proof_of(network, ada)
    assert (await refusal(network, altered(proof, proof.challenge.text + "0")))[1] == "Invalid HMAC"
    assert await verified(network, proof)


# One try


async def test_a_challenge_is_used_once(network: Network, ada: Member) -> None:
    proof = await proof_of(network, ada)
    assert await verified(network, proof)
    assert await refusal(network, proof) == (InvalidChallenge, "Challenge already used")


@pytest.mark.parametrize("signature", ["", "x", "A" * 88, "\u00e9"])
async def test_a_wrong_signature_costs_the_challenge(network: Network, ada: Member, signature: str) -> None:
    proof = await proof_of(network, ada)
    wrong = attrs.evolve(proof, signature=signature)
    assert await refusal(network, wrong) == (InvalidProof, "Ed25519 signature verification failed")
    assert await refusal(network, proof) == (InvalidChallenge, "Challenge already used")


async def test_of_two_tries_at_once_one_gets_in(network: Network, ada: Member) -> None:
    proof = await proof_of(network, ada)
    answers = await asyncio.gather(*(verified(network, proof) for _ in range(3)), return_exceptions=True)
    assert [type(answer) for answer in answers].count(Recovery) == 1
    assert [type(answer) for answer in answers].count(InvalidChallenge) == 2


async def test_a_used_challenge_stays_used_after_maintenance(network: Network, ada: Member) -> None:
    proof = await proof_of(network, ada)
    assert await verified(network, proof)
    network.clock.advance(CHALLENGE_LIFETIME)
    await tidied(network.services)
    assert await refusal(network, proof) == (InvalidChallenge, "Challenge already used")
    network.clock.advance(2 * MILLISECOND)
    await tidied(network.services)
    assert await refusal(network, proof) == (InvalidChallenge, "Challenge expired")


# The proof


async def test_an_unknown_key_and_a_foreign_signature_get_the_same_answer(
    network: Network, ada: Member, bob: Member
) -> None:
    nobody = a_key_pair()
    unknown = await network.services.recovery.challenge(nobody.public_key.text)
    foreign = await proof_of(network, ada)
    told = {
        await refusal(network, Proof(unknown, nobody.sign(unknown.text.encode()), nobody.public_key.text)),
        await refusal(network, attrs.evolve(foreign, signature=bob.key.sign(foreign.challenge.text.encode()))),
    }
    assert told == {(InvalidProof, "Ed25519 signature verification failed")}
    assert "IdentityProvider.begin_recovery" not in network.calls.log


async def test_a_key_text_that_no_encoding_holds_is_refused_like_any_other(network: Network, ada: Member) -> None:
    key_text = f"{ada.key.public_key.text}\ud800"  # half of a pair, as a reader of JSON may make it
    challenge = await network.services.recovery.challenge(key_text)
    proof = Proof(challenge, ada.key.sign(b"something else"), key_text)
    assert (await refusal(network, proof))[0] is InvalidProof


async def test_a_key_that_was_replaced_opens_nothing(network: Network, ada: Member) -> None:
    proof = await proof_of(network, ada)
    await network.services.hooks.after_settings(str(ada.agent_id), a_key_pair().public_key.text)
    assert (await refusal(network, proof))[0] is InvalidProof


async def test_a_failing_identity_service_is_reported_as_that(network: Network, ada: Member) -> None:
    network.calls.before("IdentityProvider.begin_recovery", [failing(Unavailable())])
    with pytest.raises(Unavailable):
        await verified(network, await proof_of(network, ada))


# Flows


async def test_a_code_is_good_once_and_only_in_its_flow(network: Network, ada: Member, bob: Member) -> None:
    mine, others = (
        await verified(network, await proof_of(network, ada)),
        await verified(network, await proof_of(network, bob)),
    )
    flow, other_flow = (parse_qs(urlsplit(each.flow_url).query)["flow"][0] for each in (mine, others))
    answer_flow = network.services.recovery.answer_flow
    assert (await answer_flow(other_flow, mine.code)).session_token is None
    assert (await answer_flow(flow, mine.code)).session_token is not None
    with pytest.raises(CodeSpent):
        await answer_flow(flow, mine.code)
    with pytest.raises(FlowNotFound):
        await answer_flow(str(an_id()), mine.code)
