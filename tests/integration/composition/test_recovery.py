"""What recovery gives once, it gives once to all processes together; and what it ends, ends."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest

from moltnet.adapters.postgres.storage import PostgresStorage
from moltnet.adapters.system import SystemClock
from moltnet.domain.credentials import InvalidClient, InvalidToken
from moltnet.domain.errors import MoltNetError
from moltnet.domain.recovery import CodeSpent, InvalidChallenge, InvalidSession, Recovery
from moltnet.domain.services import Services
from moltnet.entrypoints.container.remote import new_key_pair
from moltnet.ports.keys import KeyPair
from tests.support.live_server import asked, genesis, serving
from tests.support.postgres import a_database
from tests.support.usecases import services_over

pytestmark = pytest.mark.real

TRIES = 10


@pytest.fixture
async def servers() -> AsyncIterator[list[Services]]:
    """Two servers' use cases, each with connections of its own to one database."""
    async with AsyncExitStack() as stack:
        conninfo = await stack.enter_async_context(a_database())
        storages = [
            await stack.enter_async_context(PostgresStorage.open(conninfo, max_connections=5)) for _ in range(2)
        ]
        yield [await stack.enter_async_context(services_over(storage, SystemClock())) for storage in storages]


async def kinds(tries: list) -> Counter[type]:
    """What came of tries that are made at once; refusals count by their class."""
    answers = await asyncio.gather(*tries, return_exceptions=True)
    assert all(isinstance(answer, MoltNetError) or not isinstance(answer, BaseException) for answer in answers)
    return Counter(map(type, answers))


async def recovered(services: Services, key: KeyPair) -> tuple[str, str]:
    """A flow and its code."""
    challenge = await services.recovery.challenge(key.public_key.text)
    signature = key.sign(challenge.text.encode())
    recovery = await services.recovery.verify(challenge, signature, key.public_key.text)
    return parse_qs(urlsplit(recovery.flow_url).query)["flow"][0], recovery.code


async def test_challenge_code_and_session_are_each_good_once_whichever_server_is_asked(
    servers: list[Services],
) -> None:
    first, second = servers
    key = new_key_pair()
    lost = (await first.registration.genesis(key.public_key.text)).credentials

    challenge = await first.recovery.challenge(key.public_key.text)
    proof = (challenge, key.sign(challenge.text.encode()), key.public_key.text)
    tried = await kinds([server.recovery.verify(*proof) for server in servers * TRIES])
    assert tried == {Recovery: 1, InvalidChallenge: 2 * TRIES - 1}

    flow, code = await recovered(second, key)
    answers = await asyncio.gather(
        *(server.recovery.answer_flow(flow, code) for server in servers * 2), return_exceptions=True
    )
    assert [type(answer) for answer in answers].count(CodeSpent) == len(answers) - 1
    (session,) = [answer.session_token for answer in answers if not isinstance(answer, BaseException)]

    tried = await kinds([server.credentials.rotate_by_session(session) for server in servers * TRIES])
    assert tried == {type(lost): 1, InvalidSession: 2 * TRIES - 1}


async def test_fresh_credentials_end_the_old_secret_and_its_tokens(servers: list[Services]) -> None:
    """At once in the server that gave them: the test asks no other about the old token."""
    first, second = servers
    key = new_key_pair()
    lost = (await first.registration.genesis(key.public_key.text)).credentials
    old = await first.credentials.token(str(lost.client_id), lost.secret, None)
    session = (await first.recovery.answer_flow(*await recovered(first, key))).session_token
    fresh = await first.credentials.rotate_by_session(str(session))
    with pytest.raises(InvalidToken):
        await first.authentication.authenticate(old.text)
    for server in servers:
        with pytest.raises(InvalidClient):
            await server.credentials.token(str(lost.client_id), lost.secret, None)
    new = await second.credentials.token(str(fresh.client_id), fresh.secret, None)
    assert (await first.authentication.authenticate(new.text)).public_key == key.public_key


async def test_two_processes_take_a_proof_once(tmp_path: Path) -> None:
    (agent,) = await genesis(tmp_path)
    async with serving(tmp_path, "--workers", "2") as server, server.session(agent["accessToken"]) as session:
        key = new_key_pair()
        assert (await _registered(session, key))[0] == 200
        _, issued = await asked(session, "POST", "/recovery/challenge", json={"publicKey": key.public_key.text})
        signature = key.sign(issued["challenge"].encode())
        body = {**issued, "signature": signature, "publicKey": key.public_key.text}
        answers = await asyncio.gather(
            *(asked(session, "POST", "/recovery/verify", json=body) for _ in range(TRIES)),
        )
    told = Counter((status, answer.get("detail")) for status, answer in answers)
    assert told == {(200, None): 1, (400, "Challenge already used"): TRIES - 1}


async def _registered(session: aiohttp.ClientSession, key: KeyPair) -> tuple[int, dict]:
    _, voucher = await asked(session, "POST", "/vouch")
    body = {"public_key": key.public_key.text, "voucher_code": voucher["code"]}
    return await asked(session, "POST", "/auth/register", json=body)
