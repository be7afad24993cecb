"""A key that is lost, over the fakes: who lets another one wait, who objects, and what the new key gets."""

import asyncio
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import attrs
import pytest

from moltnet.adapters.nacl import NaclKeyPair
from moltnet.domain.agents import KeyReplaced, KeyTaken
from moltnet.domain.audit import AuditAction
from moltnet.domain.caller import MissingScope
from moltnet.domain.constraints import Page
from moltnet.domain.credentials import ALL_SCOPES, Scope
from moltnet.domain.errors import MoltNetError, Unavailable
from moltnet.domain.key_changes import KeyMoved, KeyStatement, MalformedStatement, StatementRefused, statement_bytes
from moltnet.domain.keys import PublicKey, UnusableKey
from moltnet.domain.lost_keys import (
    COMPLETED_WITHIN,
    STATEMENT_LIFETIME,
    LostKey,
    LostKeyNotFound,
    LostKeyNotSigned,
    LostKeyOfAnother,
    LostKeyOpen,
    LostKeyOver,
    LostKeyStatement,
    LostKeyWaits,
)
from moltnet.domain.recovery import InvalidProof
from moltnet.domain.transparency import ChangeCause, LeafKind
from tests.support.builders import an_agent
from tests.support.interruptions import failing
from tests.support.network import BASE_URL, Member, Network, a_key_pair

WAITING = timedelta(days=7)


def a_statement(network: Network, former: PublicKey, key: PublicKey) -> LostKeyStatement:
    return LostKeyStatement(network=BASE_URL, former=former, key=key, created_at=network.clock.now())


async def reported(network: Network, by: Member, lost: Member, key: NaclKeyPair) -> LostKey:
    statement = a_statement(network, lost.key.public_key, key.public_key)
    return await network.services.lost_keys.report(by.caller, statement.payload, key.sign(statement.signing_input))


async def vouched_by(network: Network, voucher: Member) -> Member:
    """An agent that came in on a voucher of another."""
    member = await network.member()
    issued = await network.services.vouching.issue(voucher.caller)
    async with network.storage.transaction() as work:
        assert await work.vouchers.redeem(issued.code, member.agent_id, network.clock.now())
    return member


async def proven(network: Network, keys: NaclKeyPair) -> str:
    """The fresh secret of the agent that has a key, by recovery."""
    recovery_service = network.services.recovery
    challenge = await recovery_service.challenge(keys.public_key.text)
    recovery = await recovery_service.verify(challenge, keys.sign(challenge.text.encode()), keys.public_key.text)
    flow = parse_qs(urlsplit(recovery.flow_url).query)["flow"][0]
    session = (await recovery_service.answer_flow(flow, recovery.code)).session_token
    assert session is not None
    return (await network.services.credentials.rotate_by_session(session)).secret


async def present_key(network: Network, member: Member) -> PublicKey:
    async with network.storage.snapshot() as work:
        agent = await work.agents.find(member.agent_id)
    assert agent is not None
    return agent.public_key


@pytest.fixture
async def child(network: Network, ada: Member) -> Member:
    """An agent that Ada vouched for."""
    return await vouched_by(network, ada)


@pytest.fixture(params=["agent", "voucher"])
def asker(request: pytest.FixtureRequest, ada: Member, child: Member) -> Member:
    """Who may ask for the place of the child's key."""
    return ada if request.param == "voucher" else child


async def test_a_new_key_takes_the_place_after_its_time(network: Network, child: Member, asker: Member) -> None:
    diary, fresh = await network.diary(child), a_key_pair()
    entry = await network.entry(child, diary)
    lost = await reported(network, asker, child, fresh)
    assert (lost.agent_id, lost.former, lost.key) == (child.agent_id, child.key.public_key, fresh.public_key)
    assert lost.due_at == network.clock.now() + WAITING
    network.clock.advance(WAITING)
    assert await proven(network, fresh)
    assert await present_key(network, child) == fresh.public_key
    now = attrs.evolve(child.caller, public_key=fresh.public_key)
    assert (await network.services.entries.get(now, diary.id, entry.id)).writer.public_key == fresh.public_key
    with pytest.raises(InvalidProof):
        await proven(network, child.key)
    with pytest.raises(KeyReplaced):
        await network.services.credentials.rotate(child.caller)


async def test_history_and_log_say_that_the_key_was_lost(network: Network, child: Member, asker: Member) -> None:
    fresh = a_key_pair()
    lost = await reported(network, asker, child, fresh)
    network.clock.advance(WAITING)
    await proven(network, fresh)
    former, present = await network.services.keys.history(child.fingerprint)
    assert (former.public_key, former.until) == (child.key.public_key, present.since)
    assert present.statement is not None
    assert (present.statement.payload, present.statement.signature) == (lost.payload, lost.signature)
    assert (present.statement.former_signature, present.statement.cause) == (None, ChangeCause.RECOVERY)
    (leaf,) = [leaf for leaf in await network.logged() if leaf.kind is LeafKind.KEY_CHANGED]
    assert leaf.members == {
        "agent": str(fresh.public_key.fingerprint),
        "key": fresh.public_key.text,
        "before": str(child.fingerprint),
        "cause": "recovery",
    }


async def test_before_its_time_the_new_key_learns_when(network: Network, child: Member, asker: Member) -> None:
    fresh = a_key_pair()
    lost = await reported(network, asker, child, fresh)
    network.clock.advance(WAITING - timedelta(seconds=1))
    with pytest.raises(LostKeyWaits) as refused:
        await proven(network, fresh)
    assert refused.value.due_at == lost.due_at
    assert await present_key(network, child) == child.key.public_key


async def test_what_is_not_completed_in_time_is_over(network: Network, child: Member, asker: Member) -> None:
    fresh = a_key_pair()
    await reported(network, asker, child, fresh)
    network.clock.advance(WAITING + COMPLETED_WITHIN)
    with pytest.raises(InvalidProof):
        await proven(network, fresh)
    with pytest.raises(LostKeyOver):
        await network.services.lost_keys.veto(child.caller, fresh.public_key.fingerprint)
    await reported(network, asker, child, a_key_pair())


async def test_agent_voucher_and_who_vouched_for_that_one_can_veto(network: Network, ada: Member) -> None:
    child = await vouched_by(network, ada)
    grandchild = await vouched_by(network, child)
    for objecting in (grandchild, child, ada):
        fresh = a_key_pair()
        await reported(network, child, grandchild, fresh)
        await network.services.lost_keys.veto(objecting.caller, fresh.public_key.fingerprint)
        network.clock.advance(WAITING)
        with pytest.raises(InvalidProof):
            await proven(network, fresh)
        with pytest.raises(LostKeyOver):
            await network.services.lost_keys.veto(objecting.caller, fresh.public_key.fingerprint)
    assert await present_key(network, grandchild) == grandchild.key.public_key


async def test_others_have_no_say(network: Network, ada: Member, bob: Member, child: Member) -> None:
    grandchild, fresh = await vouched_by(network, child), a_key_pair()
    for stranger in (bob, grandchild):
        with pytest.raises(LostKeyOfAnother):
            await reported(network, stranger, child, fresh)
    with pytest.raises(LostKeyOfAnother):  # who vouched for the voucher may object, and not ask
        await reported(network, ada, grandchild, fresh)
    await reported(network, child, child, fresh)
    for stranger in (bob, grandchild):
        with pytest.raises(LostKeyOfAnother):
            await network.services.lost_keys.veto(stranger.caller, fresh.public_key.fingerprint)
    with pytest.raises(LostKeyNotFound):
        await network.services.lost_keys.veto(child.caller, child.fingerprint)
    assert await network.services.lost_keys.of_caller(child.caller)


async def test_the_key_itself_ends_it(network: Network, child: Member, asker: Member) -> None:
    """Whoever still has the key proves it, though the secret was stolen and replaced."""
    fresh = a_key_pair()
    await reported(network, asker, child, fresh)
    await proven(network, child.key)
    assert await network.services.lost_keys.of_caller(child.caller) is None
    network.clock.advance(WAITING)
    with pytest.raises(InvalidProof):
        await proven(network, fresh)


async def test_a_rotation_ends_it(network: Network, child: Member, asker: Member) -> None:
    fresh, rotated = a_key_pair(), a_key_pair()
    await reported(network, asker, child, fresh)
    statement = KeyStatement(
        network=BASE_URL,
        agent_id=child.agent_id,
        former=child.key.public_key,
        key=rotated.public_key,
        created_at=network.clock.now(),
    )
    signed = statement_bytes(statement.payload)
    await network.services.keys.rotate(child.caller, statement.payload, child.key.sign(signed), rotated.sign(signed))
    network.clock.advance(WAITING)
    with pytest.raises(InvalidProof):
        await proven(network, fresh)
    assert await present_key(network, child) == rotated.public_key
    with pytest.raises(KeyMoved):
        await reported(network, asker, child, a_key_pair())


async def test_a_statement_is_good_once(network: Network, child: Member, asker: Member) -> None:
    fresh = a_key_pair()
    statement = a_statement(network, child.key.public_key, fresh.public_key)
    sent = asker.caller, statement.payload, fresh.sign(statement.signing_input)
    await network.services.lost_keys.report(*sent)
    with pytest.raises(LostKeyOpen):
        await network.services.lost_keys.report(*sent)
    await network.services.lost_keys.veto(child.caller, fresh.public_key.fingerprint)
    with pytest.raises(KeyTaken):
        await network.services.lost_keys.report(*sent)
    network.clock.advance(WAITING + COMPLETED_WITHIN + timedelta(minutes=1))
    async with network.storage.autocommit() as work:
        assert await work.lost_keys.purge(network.clock.now()) == 1
    with pytest.raises(StatementRefused):  # it is forgotten, and too old
        await network.services.lost_keys.report(*sent)


async def test_of_two_at_once_one_waits(network: Network, ada: Member, child: Member) -> None:
    outcomes = await asyncio.gather(
        *(reported(network, by, child, a_key_pair()) for by in (ada, child, ada)), return_exceptions=True
    )
    assert sum(isinstance(each, LostKey) for each in outcomes) == 1
    assert sum(isinstance(each, LostKeyOpen) for each in outcomes) == 2


async def test_what_does_not_hold_changes_nothing(network: Network, ada: Member, bob: Member) -> None:
    fresh, weak = a_key_pair(), PublicKey(bytes([1] + [0] * 31))
    good = a_statement(network, ada.key.public_key, fresh.public_key)
    narrow = attrs.evolve(ada.caller, scopes=ALL_SCOPES - {Scope.DIARY_READ})
    old = good.created_at - STATEMENT_LIFETIME - timedelta(seconds=1)
    refusals: list[tuple[type[MoltNetError], LostKeyStatement]] = [
        (StatementRefused, attrs.evolve(good, network="https://other.example")),
        (StatementRefused, attrs.evolve(good, created_at=old)),
        (StatementRefused, attrs.evolve(good, created_at=good.created_at + timedelta(hours=1))),
        (StatementRefused, attrs.evolve(good, former=fresh.public_key)),
        (KeyMoved, attrs.evolve(good, former=a_key_pair().public_key)),
        (UnusableKey, attrs.evolve(good, key=weak)),
        (LostKeyNotSigned, attrs.evolve(good, key=bob.key.public_key)),
    ]
    report = network.services.lost_keys.report
    for refusal, statement in refusals:
        with pytest.raises(refusal):
            await report(ada.caller, statement.payload, fresh.sign(statement.signing_input))
    for signature in ("", "x", fresh.sign(good.payload), ada.key.sign(good.signing_input)):
        with pytest.raises(LostKeyNotSigned):
            await report(ada.caller, good.payload, signature)
    for payload in (b"", b"{}", b"[]", b"null", b"\x00", b"\xff", good.payload + b" ", good.payload * 100):
        with pytest.raises(MalformedStatement):
            await report(ada.caller, payload, fresh.sign(payload))
    with pytest.raises(MissingScope):
        await report(narrow, good.payload, fresh.sign(good.signing_input))
    stale = attrs.evolve(ada.caller, public_key=bob.key.public_key)
    with pytest.raises(KeyMoved):  # a token of a key that was replaced since
        await report(stale, good.payload, fresh.sign(good.signing_input))
    with pytest.raises(KeyTaken):
        await reported(network, ada, ada, bob.key)
    assert await network.services.lost_keys.waiting_keys(Page(10)) == []


async def test_a_founder_has_its_own_word_alone(network: Network, ada: Member, bob: Member) -> None:
    fresh = a_key_pair()
    await reported(network, ada, ada, fresh)
    with pytest.raises(LostKeyOfAnother):
        await network.services.lost_keys.veto(bob.caller, fresh.public_key.fingerprint)
    network.clock.advance(WAITING)
    await proven(network, fresh)
    assert await present_key(network, ada) == fresh.public_key


async def test_each_learns_of_it_whom_it_concerns(network: Network, ada: Member, child: Member) -> None:
    for by, other in ((ada, child), (child, ada)):
        fresh = a_key_pair()
        await reported(network, by, child, fresh)
        await network.services.lost_keys.veto(other.caller, fresh.public_key.fingerprint)
        for member in (ada, child):
            vetoed, asked = await network.services.audit.of_caller(member.caller, Page(2))
            assert (vetoed.action, asked.action) == (AuditAction.LOST_KEY_VETOED, AuditAction.KEY_LOST)
            assert (asked.actor_id, asked.subject_id) == (by.agent_id, other.agent_id)
            assert asked.detail == f"{child.fingerprint} to {fresh.public_key.fingerprint}"


async def test_a_key_that_another_agent_has_by_then_takes_no_place(network: Network, child: Member) -> None:
    fresh = a_key_pair()
    await reported(network, child, child, fresh)
    async with network.storage.transaction() as work:
        await work.agents.add(an_agent(public_key=fresh.public_key))
    network.clock.advance(WAITING)
    await proven(network, fresh)  # as the other agent
    assert await present_key(network, child) == child.key.public_key


async def test_of_a_veto_and_the_new_key_one_comes_first(network: Network, child: Member, ada: Member) -> None:
    fresh = a_key_pair()
    await reported(network, child, child, fresh)
    network.clock.advance(WAITING)

    async def veto() -> None:
        await network.services.lost_keys.veto(ada.caller, fresh.public_key.fingerprint)

    network.calls.after("lost_keys.find", [veto])
    with pytest.raises(LostKeyOver):
        await proven(network, fresh)
    assert await present_key(network, child) == child.key.public_key
    assert len(await network.services.keys.history(child.fingerprint)) == 1


async def test_a_service_that_does_not_answer_is_asked_until_it_holds(network: Network, child: Member) -> None:
    fresh = a_key_pair()
    await reported(network, child, child, fresh)
    network.clock.advance(WAITING)
    network.calls.before("IdentityProvider.replace_key", [failing(Unavailable()), failing(Unavailable())])
    assert await proven(network, fresh)
    assert network.calls.log.count("IdentityProvider.replace_key") == 3
