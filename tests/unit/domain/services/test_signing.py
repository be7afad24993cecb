"""Preparing and judging signatures, and anyone's check of one.

Source: docs/reference/signatures.md, "Signing requests" and "Verification".
"""

import asyncio
import base64
from datetime import timedelta

import attrs
import pytest

from moltnet.domain.agents import AgentNotFound
from moltnet.domain.constraints import Page
from moltnet.domain.credentials import CLOCK_SKEW
from moltnet.domain.ids import SigningRequestId
from moltnet.domain.keys import Fingerprint
from moltnet.domain.signing import (
    MESSAGE_MAX,
    SIGNING_LIFETIME,
    MessageOutOfLimits,
    Scheme,
    SigningRequest,
    SigningRequestCompleted,
    SigningRequestExpired,
    SigningRequestNotFound,
    SigningStatus,
    signing_bytes,
)
from tests.support.builders import NOON, an_id
from tests.support.network import Member, Network, a_key_pair
from tests.support.usecases import tidied

ALL = frozenset[SigningStatus]()
SECOND = timedelta(seconds=1)
MICROSECOND = timedelta(microseconds=1)
NOT_SIGNATURES = [
    "x",
    "",
    "A" * 88,
    base64.b64encode(bytes(64)).decode(),
    base64.b64encode(bytes(63)).decode(),
    "\u00e9",
]


@pytest.fixture
async def request_(network: Network, ada: Member) -> SigningRequest:
    """A pending request of Ada's."""
    return await network.services.signing.prepare(ada.caller, "I was here")


async def submitted(network: Network, member: Member, request: SigningRequest, signature: str) -> SigningRequest:
    return await network.services.signing.submit(member.caller, request.id, signature)


async def signed(network: Network, member: Member, message: str = "I was here") -> str:
    """A signature of the member's that was found valid."""
    request = await network.services.signing.prepare(member.caller, message)
    signature = member.key.sign(request.framed)
    assert (await submitted(network, member, request, signature)).valid
    return signature


# Preparing


async def test_a_request_waits_300_seconds(network: Network, ada: Member, request_: SigningRequest) -> None:
    assert (request_.message, request_.agent_id, request_.status) == ("I was here", ada.agent_id, SigningStatus.PENDING)
    assert (request_.created_at, request_.expires_at) == (NOON, NOON + timedelta(seconds=300))
    assert await network.services.signing.get(ada.caller, request_.id) == request_


async def test_no_two_requests_have_the_same_nonce(network: Network, ada: Member) -> None:
    requests = [await network.services.signing.prepare(ada.caller, "again") for _ in range(3)]
    assert len({request.nonce for request in requests}) == 3
    assert {request.nonce.version for request in requests} == {4}


@pytest.mark.parametrize("message", ["", "m" * (MESSAGE_MAX + 1)])
async def test_a_message_has_its_limits(network: Network, ada: Member, message: str) -> None:
    with pytest.raises(MessageOutOfLimits):
        await network.services.signing.prepare(ada.caller, message)
    assert await network.services.signing.list(ada.caller, ALL, Page(10)) == ([], 0)


async def test_a_request_is_its_agents_alone(network: Network, eve: Member, request_: SigningRequest) -> None:
    told = set()
    for request_id in (request_.id, SigningRequestId(an_id())):
        for act in (
            network.services.signing.get(eve.caller, request_id),
            network.services.signing.submit(eve.caller, request_id, eve.key.sign(request_.framed)),
        ):
            with pytest.raises(SigningRequestNotFound) as refused:
                await act
            told.add(refused.value.detail)
    assert told == {"Signing request not found"}


async def test_requests_are_listed_newest_first_by_status(network: Network, ada: Member, bob: Member) -> None:
    await network.services.signing.prepare(bob.caller, "another's")
    for number in range(3):
        network.clock.advance(SECOND)
        request = await network.services.signing.prepare(ada.caller, f"message {number}")
    await submitted(network, ada, request, "wrong")
    listed, total = await network.services.signing.list(ada.caller, ALL, Page(2, 1))
    assert ([each.message for each in listed], total) == (["message 1", "message 0"], 3)
    pending = frozenset({SigningStatus.PENDING})
    listed, total = await network.services.signing.list(ada.caller, pending, Page(1))
    assert ([each.message for each in listed], total) == (["message 1"], 2)


# Judging


async def test_a_signature_over_the_framed_bytes_is_valid(
    network: Network, ada: Member, request_: SigningRequest
) -> None:
    network.clock.advance(SECOND)
    signature = ada.key.sign(base64.b64decode(request_.signing_input))
    done = await submitted(network, ada, request_, signature)
    assert (done.status, done.valid, done.scheme) == (SigningStatus.COMPLETED, True, Scheme.FRAMED)
    assert (done.signature, done.completed_at) == (signature, NOON + SECOND)
    assert await network.services.signing.get(ada.caller, request_.id) == done


async def test_a_signature_over_the_payload_is_valid(network: Network, ada: Member) -> None:
    request = await network.services.signing.prepare(ada.caller, "\u00e9\U0001f9e0")
    done = await submitted(network, ada, request, ada.key.sign(f"\u00e9\U0001f9e0.{request.nonce}".encode()))
    assert (done.valid, done.scheme) == (True, Scheme.PAYLOAD)


async def test_nothing_else_verifies(network: Network, ada: Member, bob: Member) -> None:
    other = await network.services.signing.prepare(ada.caller, "I was here")
    for key, wrong in (
        (ada.key, b"I was here"),
        (ada.key, other.framed),  # the same message under another nonce
        (bob.key, None),
    ):
        request = await network.services.signing.prepare(ada.caller, "I was here")
        done = await submitted(network, ada, request, key.sign(wrong or request.framed))
        assert (done.status, done.valid, done.scheme) == (SigningStatus.COMPLETED, False, None)


@pytest.mark.parametrize("text", NOT_SIGNATURES)
async def test_any_text_is_stored_and_judged(
    network: Network, ada: Member, request_: SigningRequest, text: str
) -> None:
    done = await submitted(network, ada, request_, text)
    assert (done.valid, done.signature) == (False, text)
    assert await network.services.signing.get(ada.caller, request_.id) == done


async def test_a_wrong_signature_is_final(network: Network, ada: Member, request_: SigningRequest) -> None:
    await submitted(network, ada, request_, "wrong")
    with pytest.raises(SigningRequestCompleted):
        await submitted(network, ada, request_, ada.key.sign(request_.framed))
    kept = await network.services.signing.get(ada.caller, request_.id)
    assert (kept.valid, kept.signature) == (False, "wrong")


async def test_a_signature_is_judged_under_the_key_its_agent_has_then(
    network: Network, ada: Member, request_: SigningRequest
) -> None:
    other = a_key_pair()
    network.clock.advance(2 * CLOCK_SKEW)
    await network.services.hooks.after_settings(str(ada.agent_id), other.public_key.text)
    assert (await submitted(network, ada, request_, other.sign(request_.framed))).valid is True
    network.clock.advance(CLOCK_SKEW)
    old = await network.services.signing.prepare(ada.caller, "again")
    assert (await submitted(network, ada, old, ada.key.sign(old.framed))).valid is False


async def test_an_agent_that_is_gone_has_no_request_left(
    network: Network, ada: Member, request_: SigningRequest
) -> None:
    async def gone() -> None:
        async with network.storage.transaction() as work:
            await work.agents.remove(ada.agent_id)

    network.calls.before("keys.of_agent", [gone])
    with pytest.raises(SigningRequestNotFound):
        await submitted(network, ada, request_, ada.key.sign(request_.framed))


@pytest.mark.parametrize(("late", "expired"), [(SIGNING_LIFETIME - MICROSECOND, False), (SIGNING_LIFETIME, True)])
async def test_a_signature_comes_in_time_or_not(
    network: Network, ada: Member, request_: SigningRequest, *, late: timedelta, expired: bool
) -> None:
    network.clock.advance(late)
    signature = ada.key.sign(request_.framed)
    if expired:
        with pytest.raises(SigningRequestExpired):
            await submitted(network, ada, request_, signature)
    else:
        assert (await submitted(network, ada, request_, signature)).valid


async def test_past_its_time_a_completed_request_answers_that_it_expired(
    network: Network, ada: Member, request_: SigningRequest
) -> None:
    signature = ada.key.sign(request_.framed)
    await submitted(network, ada, request_, signature)
    with pytest.raises(SigningRequestCompleted):
        await submitted(network, ada, request_, signature)
    network.clock.advance(SIGNING_LIFETIME)
    with pytest.raises(SigningRequestExpired):
        await submitted(network, ada, request_, signature)


# Races


async def test_of_two_submissions_at_once_one_is_judged(
    network: Network, ada: Member, request_: SigningRequest
) -> None:
    signature = ada.key.sign(request_.framed)
    answers = await asyncio.gather(
        *(submitted(network, ada, request_, text) for text in ("wrong", signature, "wrong too")), return_exceptions=True
    )
    done = [answer for answer in answers if isinstance(answer, SigningRequest)]
    assert [type(answer) for answer in answers].count(SigningRequestCompleted) == 2
    assert await network.services.signing.get(ada.caller, request_.id) == done[0]


async def test_a_submission_that_time_overtakes_gets_that_answer(
    network: Network, ada: Member, request_: SigningRequest
) -> None:
    async def time_is_over() -> None:
        network.clock.advance(SIGNING_LIFETIME)
        await tidied(network.services)

    network.calls.before("keys.of_agent", [time_is_over])
    with pytest.raises(SigningRequestExpired):
        await submitted(network, ada, request_, ada.key.sign(request_.framed))
    kept = await network.services.signing.get(ada.caller, request_.id)
    assert (kept.status, kept.signature, kept.valid) == (SigningStatus.EXPIRED, None, None)


async def test_a_submission_that_maintenance_overtakes_gets_that_answer(
    network: Network, ada: Member, request_: SigningRequest
) -> None:
    async def time_is_over() -> None:
        network.clock.advance(SIGNING_LIFETIME)
        await tidied(network.services)

    network.calls.before("signing_requests.complete", [time_is_over])
    with pytest.raises(SigningRequestExpired):
        await submitted(network, ada, request_, ada.key.sign(request_.framed))


async def test_a_signature_that_was_handed_over_is_judged_by_its_workflow_too(
    network: Network, ada: Member, request_: SigningRequest
) -> None:
    async def ends() -> None:
        raise OSError("the process")

    signature = ada.key.sign(request_.framed)
    network.calls.before("signing_requests.complete", [ends])
    with pytest.raises(OSError, match="the process"):
        await submitted(network, ada, request_, signature)
    await network.workflows.result(request_.workflow_id, SIGNING_LIFETIME.total_seconds())
    done = await network.services.signing.get(ada.caller, request_.id)
    assert (done.valid, done.signature) == (True, signature)


async def test_a_workflow_ends_once_its_request_is_judged(
    network: Network, ada: Member, request_: SigningRequest
) -> None:
    done = await submitted(network, ada, request_, "wrong")
    await network.workflows.result(request_.workflow_id, SIGNING_LIFETIME.total_seconds())
    assert await network.services.signing.get(ada.caller, request_.id) == done


async def test_a_request_whose_workflow_never_began_is_judged_all_the_same(network: Network, ada: Member) -> None:
    class Ended:
        """Workflows of a process that ended just before one began."""

        async def start(self, *_: object) -> None:
            """Nothing begins."""

    ended = attrs.evolve(network.services.signing, workflows=Ended())
    request = await ended.prepare(ada.caller, "I was here")
    assert (await submitted(network, ada, request, ada.key.sign(request.framed))).valid


# Anyone's check


async def test_a_valid_signature_is_known(network: Network, ada: Member) -> None:
    signature = await signed(network, ada)
    network.clock.advance(timedelta(days=400))
    assert await network.services.signing.verify(signature)
    assert await network.services.signing.verify_by(ada.fingerprint, signature)


async def test_what_is_unknown_or_was_wrong_is_not_valid(network: Network, ada: Member) -> None:
    pending = await network.services.signing.prepare(ada.caller, "not yet")
    unknown = ada.key.sign(pending.framed)
    wrong = ada.key.sign(b"something else")
    await submitted(network, ada, await network.services.signing.prepare(ada.caller, "m"), wrong)
    for text in (unknown, wrong, "", "x"):
        assert not await network.services.signing.verify(text)
        assert not await network.services.signing.verify_by(ada.fingerprint, text)


async def test_a_signature_is_one_agents_only(network: Network, ada: Member, bob: Member) -> None:
    assert not await network.services.signing.verify_by(bob.fingerprint, await signed(network, ada))


async def test_an_unknown_fingerprint_has_no_signatures(network: Network, ada: Member) -> None:
    with pytest.raises(AgentNotFound):
        await network.services.signing.verify_by(Fingerprint("0123-4567-89AB-CDEF"), await signed(network, ada))


async def test_nobody_spoils_a_signature_by_submitting_it_too(network: Network, ada: Member, eve: Member) -> None:
    signature = await signed(network, ada)
    network.clock.advance(SECOND)
    for submitter in (eve, ada):  # even its own agent cannot, by a later request
        copied = await network.services.signing.prepare(submitter.caller, "copied")
        assert (await submitted(network, submitter, copied, signature)).valid is False
    assert await network.services.signing.verify(signature)
    assert await network.services.signing.verify_by(ada.fingerprint, signature)
    assert not await network.services.signing.verify_by(eve.fingerprint, signature)


async def test_a_signature_stays_valid_when_its_agent_gets_another_key(network: Network, ada: Member) -> None:
    signature = await signed(network, ada)
    network.clock.advance(timedelta(days=1))
    other = a_key_pair().public_key
    await network.services.hooks.after_settings(str(ada.agent_id), other.text)
    assert await network.services.signing.verify(signature)
    for fingerprint in (ada.fingerprint, other.fingerprint):
        assert await network.services.signing.verify_by(fingerprint, signature) == ada.fingerprint


async def test_a_signature_of_an_agent_that_is_gone_is_not_valid(network: Network, ada: Member) -> None:
    signature = await signed(network, ada)
    async with network.storage.transaction() as work:
        await work.agents.remove(ada.agent_id)
    assert not await network.services.signing.verify(signature)


async def test_whose_a_signature_is_and_since_when(network: Network, ada: Member) -> None:
    request = await network.services.signing.prepare(ada.caller, "line 1\nline 2")
    network.clock.advance(SECOND)
    signature = ada.key.sign(request.framed)
    await submitted(network, ada, request, signature)
    network.clock.advance(SECOND)
    for message, is_of_message in (
        (None, None),
        ("line 1\nline 2", True),
        ("line 1\r\nline 2", True),  # as forms send it
        ("line 1 line 2", False),
        ("", False),
    ):
        found = await network.services.signing.find_signer(signature, message)
        assert found is not None
        assert (found.agent.id, found.at, found.is_of_message) == (ada.agent_id, NOON + SECOND, is_of_message)


async def test_there_is_no_signer_of_what_is_not_known_as_valid(network: Network, ada: Member, bob: Member) -> None:
    pending = await network.services.signing.prepare(ada.caller, "not yet")
    unknown, wrong, good = ada.key.sign(pending.framed), ada.key.sign(b"something else"), await signed(network, ada)
    await submitted(network, ada, await network.services.signing.prepare(ada.caller, "m"), wrong)
    for text in (unknown, wrong, "", "x"):
        assert await network.services.signing.find_signer(text) is None
    assert await network.services.signing.find_signer(good) is not None
    other = await signed(network, bob)
    async with network.storage.transaction() as work:
        await work.agents.remove(bob.agent_id)
    assert await network.services.signing.find_signer(other) is None


async def test_a_pasted_message_is_checked_under_either_scheme(network: Network, ada: Member, bob: Member) -> None:
    check, nonce = network.services.signing.check, "a nonce"
    text, pasted = "line 1\nline 2", "line 1\r\nline 2"
    for signed_bytes in (signing_bytes(text, nonce), f"{text}.{nonce}".encode()):
        signature = ada.key.sign(signed_bytes)
        for message in (text, pasted):
            assert check.is_by(ada.key.public_key, message, nonce, signature)
            assert not check.is_by(bob.key.public_key, message, nonce, signature)
            assert not check.is_by(ada.key.public_key, message, "another", signature)
        assert not check.is_by(ada.key.public_key, "another", nonce, signature)
    # What was signed with CR LF is not the text without.
    assert not check.is_by(ada.key.public_key, text, nonce, ada.key.sign(signing_bytes(pasted, nonce)))
    for no_signature in ("", "x"):
        assert not check.is_by(ada.key.public_key, text, nonce, no_signature)
