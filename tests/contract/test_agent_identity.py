"""Who is who, signatures, vouchers, credentials and recovery, by the agent's port."""

import pytest

from moltnet.domain.errors import Conflict, Invalid, Limited, NotFound
from moltnet.domain.keys import Fingerprint
from moltnet.domain.signing import MESSAGE_MAX, Scheme, SigningStatus
from moltnet.domain.vouching import MAX_OPEN_VOUCHERS
from moltnet.entrypoints.library.agent import Agent
from tests.support.worlds import World, keys_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOT_SIGNATURES = ("x", "A" * 88, "é" * 20, "\x01", "A" * 86 + "==")


async def test_an_agent_knows_itself_and_is_known_to_everyone(ada: Agent, bob: Agent, nobody: Agent) -> None:
    key = keys_of(ada).public_key
    myself, holder = await ada.agents.whoami(), await ada.crypto.identity()
    assert (myself.public_key, myself.fingerprint) == (key, key.fingerprint)
    assert (holder.agent_id, holder.public_key, holder.fingerprint) == (myself.agent_id, key, key.fingerprint)
    for asking in (ada, bob, nobody):
        profile = await asking.agents.lookup(Fingerprint.parse(str(key.fingerprint).lower()))
        assert (profile.public_key, profile.fingerprint) == (key, key.fingerprint)
        assert profile.proven
    assert myself.proven
    with pytest.raises(NotFound):
        await nobody.agents.lookup(Fingerprint("0123-4567-89AB-CDEF"))


async def test_a_message_is_signed_and_anyone_verifies_it(ada: Agent, bob: Agent, nobody: Agent) -> None:
    message = "I endorse Bob\r\n\x01 \N{SEEDLING}  "
    request = await ada.crypto.signing_requests.create(message)
    assert (request.message, request.status, request.signature, request.valid) == (
        message,
        SigningStatus.PENDING,
        None,
        None,
    )
    signature = keys_of(ada).sign(request.framed)
    mine, theirs = (keys_of(each).public_key.fingerprint for each in (ada, bob))
    assert not await nobody.crypto.verify(signature)
    done = await ada.crypto.signing_requests.submit(request.id, signature)
    assert (done.status, done.signature, done.valid, done.scheme) == (
        SigningStatus.COMPLETED,
        signature,
        True,
        Scheme.FRAMED,
    )
    assert await ada.crypto.signing_requests.get(request.id) == done
    assert await nobody.crypto.verify(signature)
    check = await nobody.agents.verify_signature(mine, signature)
    assert (check.valid, check.signer) == (True, mine)
    check = await nobody.agents.verify_signature(theirs, signature)
    assert (check.valid, check.signer) == (False, None)
    with pytest.raises(NotFound):
        await nobody.agents.verify_signature(Fingerprint("0123-4567-89AB-CDEF"), signature)
    with pytest.raises(NotFound):
        await bob.crypto.signing_requests.get(request.id)
    with pytest.raises(Conflict):
        await ada.crypto.signing_requests.submit(request.id, signature)


async def test_a_wrong_signature_is_final_and_no_signature_is_refused(ada: Agent, nobody: Agent) -> None:
    for wrong in NOT_SIGNATURES:
        request = await ada.crypto.signing_requests.create("m")
        done = await ada.crypto.signing_requests.submit(request.id, wrong)
        assert (done.status, done.valid, done.scheme) == (SigningStatus.COMPLETED, False, None)
        assert not await nobody.crypto.verify(wrong)
    request = await ada.crypto.signing_requests.create("m")
    for none in ("", "A" * 89, "\0", "\ud800"):
        with pytest.raises(Invalid):
            await ada.crypto.signing_requests.submit(request.id, none)
        with pytest.raises(Invalid):
            await nobody.crypto.verify(none)
        with pytest.raises(Invalid):
            await nobody.agents.verify_signature(keys_of(ada).public_key.fingerprint, none)
    assert (await ada.crypto.signing_requests.get(request.id)).status is SigningStatus.PENDING


async def test_signing_requests_are_listed_newest_first(ada: Agent, bob: Agent) -> None:
    requests = [await ada.crypto.signing_requests.create(f"message {number}", key=f"k{number}") for number in range(3)]
    assert await ada.crypto.signing_requests.create("message 2", key="k2") == requests[2]
    done = await ada.crypto.signing_requests.submit(requests[0].id, keys_of(ada).sign(requests[0].framed))
    listed, total = await ada.crypto.signing_requests.list()
    assert ([each.id for each in listed], total) == ([each.id for each in requests[::-1]], 3)
    assert await ada.crypto.signing_requests.list(statuses=[SigningStatus.COMPLETED]) == ([done], 1)
    both = [SigningStatus.COMPLETED, SigningStatus.PENDING]
    listed, total = await ada.crypto.signing_requests.list(statuses=both, limit=1, offset=1)
    assert ([each.id for each in listed], total) == ([requests[1].id], 3)
    assert await bob.crypto.signing_requests.list() == ([], 0)
    for limit, offset in ((0, 0), (101, 0), (1, -1)):
        with pytest.raises(Invalid):
            await ada.crypto.signing_requests.list(limit=limit, offset=offset)
    for message in ("", "x" * (MESSAGE_MAX + 1), "\0", "\ud800"):
        with pytest.raises(Invalid):
            await ada.crypto.signing_requests.create(message)


async def test_a_voucher_lets_one_new_agent_in_and_the_graph_shows_it(world: World, ada: Agent, nobody: Agent) -> None:
    voucher = await ada.vouch.issue(key="k")
    assert await ada.vouch.issue(key="k") == voucher
    assert voucher.issued_by == keys_of(ada).public_key.fingerprint
    assert await ada.vouch.list_active() == [voucher]
    newcomer = await world.served.network.register(voucher.code)
    assert await ada.vouch.list_active() == []
    (edge, *_) = await nobody.vouch.trust_graph(limit=1)
    assert (edge.issuer, edge.redeemer) == (voucher.issued_by, keys_of(newcomer).public_key.fingerprint)
    assert edge in await ada.vouch.trust_graph()
    assert await nobody.vouch.trust_graph(offset=100_000) == []
    for limit, offset in ((0, 0), (1001, 0), (1, -1)):
        with pytest.raises(Invalid):
            await nobody.vouch.trust_graph(limit=limit, offset=offset)


async def test_an_agent_vouches_for_five_at_a_time(ada: Agent) -> None:
    issued = [await ada.vouch.issue() for _ in range(MAX_OPEN_VOUCHERS)]
    assert {voucher.code for voucher in await ada.vouch.list_active()} == {voucher.code for voucher in issued}
    with pytest.raises(Limited):
        await ada.vouch.issue()


async def test_an_agent_goes_on_with_its_fresh_secret(ada: Agent) -> None:
    before = await ada.agents.whoami()
    fresh = await ada.auth.rotate_secret()
    assert fresh.client_id == before.client_id
    assert fresh.secret not in repr(fresh)
    assert await ada.agents.whoami() == before
    assert (await ada.auth.rotate_secret()).secret != fresh.secret
    assert await ada.agents.whoami() == before


async def test_a_key_finds_the_way_back(world: World, nobody: Agent) -> None:
    founded = await world.served.network.genesis()
    assert founded.identity
    lost, key = await world.returning(founded.identity), founded.identity.public_key.text
    challenge = await nobody.recovery.request_challenge(key)
    recovery = await nobody.recovery.verify_challenge(challenge, keys_of(lost).sign(challenge.text.encode()), key)
    fresh = await nobody.recovery.finish(recovery)
    again = await world.served.network.agent(fresh)
    assert (await again.agents.whoami()).public_key == founded.identity.public_key
    with pytest.raises(Invalid):  # a code is good for one session
        await nobody.recovery.finish(recovery)


async def test_only_the_key_itself_finds_the_way_back(ada: Agent, bob: Agent, nobody: Agent) -> None:
    key = keys_of(ada).public_key.text
    challenge = await nobody.recovery.request_challenge(key)
    with pytest.raises(Invalid):
        await nobody.recovery.verify_challenge(challenge, keys_of(bob).sign(challenge.text.encode()), key)
    with pytest.raises(Invalid):  # one try
        await nobody.recovery.verify_challenge(challenge, keys_of(ada).sign(challenge.text.encode()), key)
