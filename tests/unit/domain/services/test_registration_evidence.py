"""What a caller shows beside key and voucher: that the key is its own, and that it asked before (ADR-14)."""

import asyncio

import pytest

from moltnet.domain.credentials import InvalidClient
from moltnet.domain.idempotency import KEY_MAX, MalformedIdempotencyKey
from moltnet.domain.ids import AgentId
from moltnet.domain.registration import (
    NO_EVIDENCE,
    SECRET_KEY_MIN,
    Evidence,
    GuessableIdempotencyKey,
    Registered,
    RegistrationProofRefused,
    proof_message,
)
from moltnet.domain.vouching import VoucherRedeemed
from moltnet.ports.keys import KeyPair
from tests.support.network import Network, a_key_pair

SECRET = "8e03978e-40d5-43dd-bc93-6894a57f9324"


@pytest.fixture
async def code(network: Network) -> str:
    """A member's voucher."""
    member = await network.member()
    return (await network.services.vouching.issue(member.caller)).code


def proof(keys: KeyPair, code: str | None) -> Evidence:
    return Evidence(proof=keys.sign(proof_message(keys.public_key, code)))


async def registered(network: Network, keys: KeyPair, code: str, evidence: Evidence = NO_EVIDENCE) -> Registered:
    return await network.services.registration.register(keys.public_key.text, code, evidence)


async def is_proven(network: Network, agent_id: AgentId) -> bool:
    async with network.storage.snapshot() as work:
        agent = await work.agents.find(agent_id)
    assert agent is not None
    return agent.proven


async def works(network: Network, told: Registered) -> bool:
    credentials = told.credentials
    try:
        await network.services.credentials.token(str(credentials.client_id), credentials.secret, None)
    except InvalidClient:
        return False
    return True


# Repeating


@pytest.mark.parametrize("theirs", [NO_EVIDENCE, Evidence(idempotency_key="a guess that is long".replace(" ", "-"))])
@pytest.mark.parametrize("mine", [NO_EVIDENCE, Evidence(idempotency_key=SECRET)])
async def test_who_knows_voucher_and_key_gets_no_credentials_by_repeating(
    network: Network, code: str, mine: Evidence, theirs: Evidence
) -> None:
    newcomer = a_key_pair()
    told = await registered(network, newcomer, code, mine)
    before = network.kept()
    with pytest.raises(VoucherRedeemed):
        await registered(network, newcomer, code, theirs)
    assert network.kept() == before
    assert await works(network, told)


async def test_who_joins_a_registration_under_way_gets_no_credentials_either(network: Network, code: str) -> None:
    newcomer, under_way, go_on = a_key_pair(), asyncio.Event(), asyncio.Event()

    async def wait() -> None:
        under_way.set()
        await go_on.wait()

    network.calls.before("ClientRegistry.create", [wait])
    first = asyncio.create_task(registered(network, newcomer, code, Evidence(idempotency_key=SECRET)))
    await under_way.wait()
    joining = asyncio.create_task(registered(network, newcomer, code))
    go_on.set()
    told = await first
    with pytest.raises(VoucherRedeemed):
        await joining
    assert await works(network, told)


async def test_the_first_caller_gets_credentials_again(network: Network, code: str) -> None:
    newcomer = a_key_pair()
    told = [await registered(network, newcomer, code, Evidence(idempotency_key=SECRET)) for _ in range(2)]
    assert told[0].agent_id == told[1].agent_id
    assert [await works(network, each) for each in told] == [False, True]
    assert not await is_proven(network, told[0].agent_id)


@pytest.mark.parametrize("first", [NO_EVIDENCE, Evidence(idempotency_key=SECRET)])
async def test_the_key_itself_gets_credentials_again_and_is_proven(
    network: Network, code: str, first: Evidence
) -> None:
    newcomer = a_key_pair()
    await registered(network, newcomer, code, first)
    again = await registered(network, newcomer, code, proof(newcomer, code))
    assert await works(network, again)
    assert await is_proven(network, again.agent_id)


async def test_an_idempotency_key_of_another_registration_recognises_nobody(network: Network, code: str) -> None:
    newcomer, other = a_key_pair(), a_key_pair()
    issuer = await network.member()
    others = (await network.services.vouching.issue(issuer.caller)).code
    mine = Evidence(idempotency_key=SECRET)
    await registered(network, other, others, mine)
    await registered(network, newcomer, code)
    with pytest.raises(VoucherRedeemed):
        await registered(network, newcomer, code, mine)


async def test_nothing_that_is_stored_reveals_the_idempotency_key(network: Network, code: str) -> None:
    await registered(network, a_key_pair(), code, Evidence(idempotency_key=SECRET))
    assert SECRET not in str(network.kept())
    assert SECRET not in str(network.journal)
    assert SECRET not in repr(Evidence(idempotency_key=SECRET))


@pytest.mark.parametrize(
    ("key", "refusal"),
    [
        ("x" * (SECRET_KEY_MIN - 1), GuessableIdempotencyKey),
        ("", MalformedIdempotencyKey),
        ("x" * (KEY_MAX + 1), MalformedIdempotencyKey),
        ("with a space, and long enough", MalformedIdempotencyKey),
        ("nul\x00" * 8, MalformedIdempotencyKey),
        ("\ud800" * 20, MalformedIdempotencyKey),
    ],
)
def test_a_key_that_can_be_guessed_or_not_be_sent_is_refused(key: str, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        Evidence(idempotency_key=key)


# Proving


async def test_a_new_agent_that_signs_is_proven(network: Network, code: str) -> None:
    newcomer = a_key_pair()
    told = await registered(network, newcomer, code, proof(newcomer, code))
    assert await is_proven(network, told.agent_id)


async def test_a_new_agent_that_does_not_sign_is_not(network: Network, code: str) -> None:
    told = await registered(network, a_key_pair(), code)
    assert not await is_proven(network, told.agent_id)


async def test_a_founder_may_sign_too(network: Network) -> None:
    keys = a_key_pair()
    told = await network.services.registration.genesis(keys.public_key.text, evidence=proof(keys, None))
    assert await is_proven(network, told.agent_id)
    with pytest.raises(RegistrationProofRefused):
        await network.services.registration.genesis(a_key_pair().public_key.text, evidence=proof(keys, None))


async def test_a_wrong_proof_is_refused_and_the_voucher_stays_usable(network: Network, code: str) -> None:
    newcomer, other = a_key_pair(), a_key_pair()
    message = proof_message(newcomer.public_key, code)
    before = network.kept()
    wrong = [
        "",
        "no signature",
        "\x00",
        "\ud800",
        newcomer.sign(b"another text"),
        newcomer.sign(proof_message(newcomer.public_key, "0" * 64)),  # for another voucher
        newcomer.sign(proof_message(newcomer.public_key, None)),
        other.sign(message),  # by another key
        newcomer.sign(message)[:-4],
    ]
    for text in wrong:
        with pytest.raises(RegistrationProofRefused):
            await registered(network, newcomer, code, Evidence(proof=text))
    assert network.kept() == before
    assert not network.journal.runs
    assert await registered(network, newcomer, code, proof(newcomer, code))


async def test_coming_back_by_the_key_proves_it(network: Network, code: str) -> None:
    newcomer = a_key_pair()
    told = await registered(network, newcomer, code)
    key = newcomer.public_key.text
    challenge = await network.services.recovery.challenge(key)
    await network.services.recovery.verify(challenge, newcomer.sign(challenge.text.encode()), key)
    assert await is_proven(network, told.agent_id)
