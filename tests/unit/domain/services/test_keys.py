"""Another key for an agent, over the fakes: what ends with the former key, and what stays."""

import asyncio
import json
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import attrs
import pytest

from moltnet.adapters.nacl import NaclKeyPair
from moltnet.domain.agents import AgentNotFound, KeyReplaced, KeyTaken, ProfileNotFound
from moltnet.domain.audit import AuditAction
from moltnet.domain.caller import Caller, MissingScope
from moltnet.domain.constraints import Page
from moltnet.domain.credentials import ALL_SCOPES, InvalidClient, InvalidToken, Scope
from moltnet.domain.errors import MoltNetError, Unavailable
from moltnet.domain.key_changes import (
    ChangedKey,
    KeyMoved,
    KeyStatement,
    MalformedStatement,
    StatementNotSigned,
    StatementRefused,
    statement_bytes,
)
from moltnet.domain.keys import Fingerprint, PublicKey, UnusableKey
from moltnet.domain.recovery import CodeSpent, InvalidProof, InvalidSession
from moltnet.domain.registration import Registered
from moltnet.domain.services.keys import CHANGE_KEY
from moltnet.domain.sharing import ShareRole
from tests.support.interruptions import failing
from tests.support.network import BASE_URL, Member, Network, a_key_pair
from tests.support.tokens import a_token_key

SECOND = timedelta(seconds=1)


@pytest.fixture
async def founded(network: Network) -> tuple[NaclKeyPair, Registered]:
    """An agent with credentials, and its key."""
    async with network.storage.transaction() as work:
        await work.signing_keys.add(a_token_key())
    keys = a_key_pair()
    return keys, await network.services.registration.genesis(keys.public_key.text)


async def token(network: Network, registered: Registered) -> str:
    credentials = registered.credentials
    return (await network.services.credentials.token(str(credentials.client_id), credentials.secret, None)).text


async def caller_of(network: Network, registered: Registered) -> Caller:
    return await network.services.authentication.authenticate(await token(network, registered))


def a_statement(network: Network, caller: Caller, former: PublicKey, key: PublicKey) -> KeyStatement:
    return KeyStatement(
        network=BASE_URL, agent_id=caller.agent_id, former=former, key=key, created_at=network.clock.now()
    )


async def rotated(network: Network, caller: Caller, former: NaclKeyPair, key: NaclKeyPair) -> ChangedKey:
    payload = a_statement(network, caller, former.public_key, key.public_key).payload
    signed = statement_bytes(payload)
    return await network.services.keys.rotate(caller, payload, former.sign(signed), key.sign(signed))


async def test_identity_diaries_shares_and_rights_outlive_the_key(network: Network, ada: Member, bob: Member) -> None:
    diary = await network.diary(ada)
    await network.admit(diary, ada, bob, ShareRole.WRITER)
    entry = await network.entry(bob, diary)
    fresh = a_key_pair()
    changed = await rotated(network, bob.caller, bob.key, fresh)
    assert (changed.public_key, changed.fingerprint) == (fresh.public_key, fresh.public_key.fingerprint)
    now = attrs.evolve(bob.caller, public_key=fresh.public_key)
    assert (await network.services.directory.whoami(now)).id == bob.agent_id
    assert (await network.services.entries.get(now, diary.id, entry.id)).writer.public_key == fresh.public_key
    await network.entry(Member(key=fresh, caller=now), diary)


async def test_secrets_and_tokens_of_the_former_key_end_at_once(
    network: Network, founded: tuple[NaclKeyPair, Registered]
) -> None:
    keys, registered = founded
    old_token, fresh = await token(network, registered), a_key_pair()
    caller = await network.services.authentication.authenticate(old_token)
    browser = await network.services.web_sessions.by_secret(
        str(registered.credentials.client_id), registered.credentials.secret, "a browser", read_only=False
    )
    changed = await rotated(network, caller, keys, fresh)
    with pytest.raises(InvalidToken):
        await network.services.authentication.authenticate(old_token)
    with pytest.raises(InvalidClient):
        await token(network, registered)
    assert await network.services.web_sessions.resolve(browser.token) is None
    now = await caller_of(network, attrs.evolve(registered, credentials=changed.credentials))
    assert (now.agent_id, now.public_key) == (registered.agent_id, fresh.public_key)
    assert now.client_id == registered.credentials.client_id
    assert changed.client_secret not in repr(changed)


async def test_what_an_old_token_began_yields_no_credentials(
    network: Network, founded: tuple[NaclKeyPair, Registered]
) -> None:
    keys, registered = founded
    caller = await caller_of(network, registered)
    await rotated(network, caller, keys, a_key_pair())
    with pytest.raises(KeyReplaced):  # its token was verified before, and used after
        await network.services.credentials.rotate(caller)
    with pytest.raises(KeyMoved):
        await rotated(network, caller, keys, a_key_pair())


async def test_the_change_is_in_the_audit_log_and_in_the_history(network: Network, ada: Member) -> None:
    network.clock.advance(SECOND)
    fresh, at = a_key_pair(), network.clock.now()
    await rotated(network, attrs.evolve(ada.caller, address="203.0.113.7"), ada.key, fresh)
    (event, *_) = await network.services.audit.of_caller(ada.caller, Page(10))
    assert (event.action, event.at, event.address) == (AuditAction.KEY_REPLACED, at, "203.0.113.7")
    assert event.detail == f"{ada.fingerprint} to {fresh.public_key.fingerprint}"
    for fingerprint in (ada.fingerprint, fresh.public_key.fingerprint):
        former, present = await network.services.keys.history(fingerprint)
        assert (former.public_key, former.until, former.statement) == (ada.key.public_key, at, None)
        assert (present.public_key, present.since, present.until) == (fresh.public_key, at, None)
        assert present.statement is not None
        assert KeyStatement.parse(present.statement.payload).former == ada.key.public_key
    with pytest.raises(AgentNotFound):
        await network.services.keys.history(Fingerprint("0123-4567-89AB-CDEF"))


async def test_of_two_changes_at_once_one_is_made(network: Network, ada: Member) -> None:
    keys = [a_key_pair() for _ in range(3)]
    made = await asyncio.gather(*(rotated(network, ada.caller, ada.key, key) for key in keys), return_exceptions=True)
    (changed,) = [each for each in made if isinstance(each, ChangedKey)]
    assert sum(isinstance(each, KeyMoved) for each in made) == 2
    present = (await network.services.keys.history(ada.fingerprint))[-1]
    assert present.public_key == changed.public_key


async def test_a_statement_is_good_once(network: Network, ada: Member) -> None:
    fresh = a_key_pair()
    payload = a_statement(network, ada.caller, ada.key.public_key, fresh.public_key).payload
    signed = statement_bytes(payload)
    signatures = ada.key.sign(signed), fresh.sign(signed)
    await network.services.keys.rotate(ada.caller, payload, *signatures)
    now = attrs.evolve(ada.caller, public_key=fresh.public_key)
    with pytest.raises(KeyMoved):
        await network.services.keys.rotate(now, payload, *signatures)


async def test_no_key_is_taken_that_anybody_has_or_had(network: Network, ada: Member, bob: Member) -> None:
    fresh = a_key_pair()
    with pytest.raises(KeyTaken):
        await rotated(network, ada.caller, ada.key, bob.key)
    await rotated(network, bob.caller, bob.key, fresh)
    for taken in (bob.key, fresh):
        with pytest.raises(KeyTaken):
            await rotated(network, ada.caller, ada.key, taken)
    now = attrs.evolve(bob.caller, public_key=fresh.public_key)
    with pytest.raises(KeyTaken):
        await rotated(network, now, fresh, bob.key)
    with pytest.raises(KeyTaken):
        await network.services.registration.genesis(bob.key.public_key.text)
    assert len(await network.services.keys.history(ada.fingerprint)) == 1


async def test_both_keys_must_have_signed(network: Network, ada: Member, bob: Member) -> None:
    fresh = a_key_pair()
    payload = a_statement(network, ada.caller, ada.key.public_key, fresh.public_key).payload
    signed = statement_bytes(payload)
    for former, signature in (
        (ada.key.sign(signed), ada.key.sign(signed)),
        (fresh.sign(signed), fresh.sign(signed)),
        (bob.key.sign(signed), fresh.sign(signed)),
        (ada.key.sign(payload), fresh.sign(signed)),
        ("x", fresh.sign(signed)),
        (ada.key.sign(signed), ""),
    ):
        with pytest.raises(StatementNotSigned):
            await network.services.keys.rotate(ada.caller, payload, former, signature)
    assert len(await network.services.keys.history(ada.fingerprint)) == 1


async def test_what_does_not_hold_changes_nothing(network: Network, ada: Member, bob: Member) -> None:
    fresh, weak = a_key_pair(), PublicKey(bytes([1] + [0] * 31))
    good = a_statement(network, ada.caller, ada.key.public_key, fresh.public_key)
    refusals: list[tuple[type[MoltNetError], Caller, bytes]] = [
        (MalformedStatement, ada.caller, b"{}"),
        (StatementRefused, ada.caller, attrs.evolve(good, network="https://other.example").payload),
        (StatementRefused, bob.caller, good.payload),
        (StatementRefused, ada.caller, attrs.evolve(good, created_at=good.created_at - timedelta(hours=1)).payload),
        (KeyMoved, ada.caller, attrs.evolve(good, former=bob.key.public_key).payload),
        (UnusableKey, ada.caller, attrs.evolve(good, key=weak).payload),
        (MissingScope, attrs.evolve(ada.caller, scopes=ALL_SCOPES - {Scope.DIARY_READ}), good.payload),
    ]
    for refusal, caller, payload in refusals:
        signed = statement_bytes(payload)
        with pytest.raises(refusal):
            await network.services.keys.rotate(caller, payload, ada.key.sign(signed), fresh.sign(signed))
    assert len(await network.services.keys.history(ada.fingerprint)) == 1


# Recovery and another key


async def proven(network: Network, keys: NaclKeyPair) -> tuple[str, str]:
    """The flow and the code of a recovery that a key began."""
    challenge = await network.services.recovery.challenge(keys.public_key.text)
    proof = keys.sign(challenge.text.encode())
    recovery = await network.services.recovery.verify(challenge, proof, keys.public_key.text)
    return parse_qs(urlsplit(recovery.flow_url).query)["flow"][0], recovery.code


async def test_a_recovery_that_the_former_key_began_leads_nowhere(network: Network, ada: Member) -> None:
    flow, code = await proven(network, ada.key)
    fresh = a_key_pair()
    await rotated(network, ada.caller, ada.key, fresh)
    with pytest.raises(CodeSpent):
        await network.services.recovery.answer_flow(flow, code)
    with pytest.raises(InvalidProof):
        await proven(network, ada.key)
    flow, code = await proven(network, fresh)
    session = (await network.services.recovery.answer_flow(flow, code)).session_token
    assert session is not None
    assert await network.services.credentials.rotate_by_session(session)


async def test_a_session_of_the_former_key_ends_with_it(network: Network, ada: Member) -> None:
    session = (await network.services.recovery.answer_flow(*await proven(network, ada.key))).session_token
    assert session is not None
    await rotated(network, ada.caller, ada.key, a_key_pair())
    with pytest.raises(InvalidSession):
        await network.services.credentials.rotate_by_session(session)


async def test_a_recovery_that_a_change_overtakes_yields_nothing(network: Network, ada: Member) -> None:
    session = (await network.services.recovery.answer_flow(*await proven(network, ada.key))).session_token
    assert session is not None

    async def change() -> None:
        await rotated(network, ada.caller, ada.key, a_key_pair())

    network.calls.before("ClientRegistry.rotate", [change])
    with pytest.raises(KeyReplaced):
        await network.services.credentials.rotate_by_session(session)


async def test_a_proof_that_a_change_overtakes_begins_no_recovery(network: Network, ada: Member) -> None:
    async def change() -> None:
        await rotated(network, ada.caller, ada.key, a_key_pair())

    network.calls.before("IdentityProvider.begin_recovery", [change])
    with pytest.raises(InvalidProof):
        await proven(network, ada.key)


# A change that breaks off


async def test_a_service_that_does_not_answer_is_asked_until_it_holds(network: Network, ada: Member) -> None:
    network.calls.before("IdentityProvider.replace_key", [failing(Unavailable()), failing(Unavailable())])
    network.calls.before("ClientRegistry.rotate", [failing(Unavailable())])
    fresh = a_key_pair()
    assert (await rotated(network, ada.caller, ada.key, fresh)).public_key == fresh.public_key
    assert network.calls.log.count("IdentityProvider.replace_key") == 3


async def test_a_change_that_is_made_already_is_not_made_again(network: Network, ada: Member) -> None:
    await rotated(network, ada.caller, ada.key, a_key_pair())
    before = await network.services.keys.history(ada.fingerprint)
    (run,) = [run for name, run in network.journal.runs.items() if name.startswith("key-")]
    # As after a crash between the commit and the memory of the step.
    await network.workflows.start(CHANGE_KEY, "again", json.loads(run.argument))
    await network.workflows.result("again")
    assert await network.services.keys.history(ada.fingerprint) == before
    events = await network.services.audit.of_caller(ada.caller, Page(10))
    assert [event.action for event in events].count(AuditAction.KEY_REPLACED) == 1


async def test_an_agent_that_is_gone_meanwhile_ends_the_work(network: Network, ada: Member) -> None:
    async def gone() -> None:
        async with network.storage.transaction() as work:
            await work.agents.remove(ada.agent_id)

    network.calls.before("agents.find", [gone])
    with pytest.raises(ProfileNotFound):
        await rotated(network, ada.caller, ada.key, a_key_pair())
