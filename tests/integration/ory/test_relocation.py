"""`moltnet ory import` and `export` between an embedded database and the stand-in."""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from moltnet.adapters.nacl import NaclKeyPair
from moltnet.adapters.postgres.embedded import EmbeddedPostgres
from moltnet.domain.entries import NewEntry
from moltnet.domain.services import Services
from moltnet.domain.sharing import ShareRole
from moltnet.entrypoints.container.networks import network
from moltnet.entrypoints.settings import read_settings
from tests.support.builders import a_caller, an_agent
from tests.support.commands import run
from tests.support.live_server import genesis
from tests.support.ory import faults as f
from tests.support.ory.named import is_real
from tests.support.ory.named import settings as settings_for_tests
from tests.support.ory.server import API_KEY, OryStandIn, an_ory
from tests.support.postgres import rows

pytestmark = pytest.mark.real


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    """A native network with a founder, whose first diary is its own."""
    folder = tmp_path / "data"
    with EmbeddedPostgres(folder):
        asyncio.run(genesis(folder))
        yield folder


@pytest.fixture
async def ory() -> AsyncIterator[OryStandIn]:
    async with an_ory(lambda: datetime.now(UTC)) as stand_in:
        yield stand_in


def named(ory: OryStandIn) -> dict[str, str]:
    return {
        "ORY_PROJECT_URL": ory.addresses["kratos", "public"],
        "ORY_API_KEY": API_KEY,
        "MOLTNET_ORY_ISSUER": "https://auth.example",
    }


async def test_network_moves_into_ory_and_back(data: Path, ory: OryStandIn):
    looked = await run("ory", "import", "--data", str(data), "--dry-run", **named(ory))
    assert looked.status == 0, looked.err
    assert (ory.kratos.identities, ory.hydra.clients, ory.keto.tuples) == ({}, {}, [])
    ory.faults.arrange("H1", [f.BROKEN] * 3)
    broken = await run("ory", "import", "--data", str(data), **named(ory))
    assert broken.status == 1
    assert broken.err.endswith("run it again: it goes on where it broke off\n")
    moved = await run("ory", "import", "--data", str(data), **named(ory))
    assert moved.status == 0, moved.err
    (agent,) = json.loads(moved.out)
    assert (agent["hadClient"], agent["differences"]) == (False, [])
    (identity,) = ory.kratos.identities.values()
    assert identity["metadata_admin"] == {"moltnet_registration": f"import-{agent['identityId']}"}
    assert {(each[0], each[2]) for each in ory.keto.tuples} == {("Agent", "self"), ("Diary", "owner")}
    settings = read_settings(data, named(ory))
    async with network(settings, "http://network.test", with_model=False) as services:
        token = await services.credentials.token(agent["clientId"], agent["clientSecret"], None)
        assert str((await services.authentication.authenticate(token.text)).agent_id) == agent["identityId"]
    back = await run("ory", "export", "--data", str(data), **named(ory))
    assert (back.status, json.loads(back.out)[0]["relations"]) == (0, 0)
    async with network(read_settings(data, {}), "http://network.test", with_model=False) as services:
        token = await services.credentials.token(agent["clientId"], agent["clientSecret"], None)
        assert str((await services.authentication.authenticate(token.text)).agent_id) == agent["identityId"]


async def test_imported_agent_recovers_by_its_key(tmp_path: Path, ory: OryStandIn):
    folder, key = tmp_path / "data", NaclKeyPair.generate()
    with EmbeddedPostgres(folder):
        async with network(read_settings(folder, {}), "http://network.test", with_model=False) as services:
            registered = await services.registration.genesis(key.public_key.text)
        assert (await run("ory", "import", "--data", str(folder), **named(ory))).status == 0
        async with network(read_settings(folder, named(ory)), "http://network.test", with_model=False) as services:
            challenge = await services.recovery.challenge(key.public_key.text)
            recovery = await services.recovery.verify(challenge, key.sign(challenge.text.encode()), key.public_key.text)
            answer = await services.recovery.answer_flow(recovery.flow_url.partition("flow=")[2], recovery.code)
            assert answer.session_token is not None
            secret = await services.credentials.rotate_by_session(answer.session_token)
    assert secret.client_id == registered.credentials.client_id


@pytest.mark.ory
@pytest.mark.parametrize("count", [8, pytest.param(1000, marks=pytest.mark.soak)])
async def test_many_agents_move_with_what_they_share(tmp_path: Path, count: int):
    """A ring: each agent's diary, with an entry in it, is shared with the next agent."""
    folder = tmp_path / "data"
    with EmbeddedPostgres(folder) as database:
        async with network(read_settings(folder, {}), "http://network.test", with_model=False) as services:
            await a_ring(services, count)
        relations = "select * from relation_tuples order by 1, 2, 3, 4"
        before = await rows(database.start(), relations)
        async with services_named() as settings:
            moved = await timed("import", folder, settings)
            assert len(moved) == count
            assert {agent["hadClient"] for agent in moved} == {False}
            assert {agent["relations"] for agent in moved} == {4}  # itself, its diary, another's, and an entry
            repeated = await timed("import", folder, settings)
            assert {(agent["hadClient"], agent["relations"]) for agent in repeated} == {(True, 0)}
            back = await timed("export", folder, settings)
        assert {tuple(each["differences"]) for each in (*moved, *repeated, *back)} == {()}
        assert await rows(database.start(), relations) == before
        async with network(read_settings(folder, {}), "http://network.test", with_model=False) as services:
            for agent in moved[::100]:
                token = await services.credentials.token(agent["clientId"], agent["clientSecret"], None)
                caller = await services.authentication.authenticate(token.text)
                assert len(await services.diaries.mine(caller)) == len(await services.diaries.shared_with(caller)) == 1


async def a_ring(services: Services, count: int) -> None:
    """So many agents, each of which shares its diary with the next."""
    joined = [await services.registration.genesis(NaclKeyPair.generate().public_key.text) for _ in range(count)]
    callers = [a_caller(agent=an_agent(agent_id=each.agent_id, public_key=each.public_key)) for each in joined]
    for owner, guest in zip(callers, [*callers[1:], callers[0]], strict=True):
        (diary,) = await services.diaries.mine(owner)
        await services.entries.create(owner, diary.id, NewEntry(content="The harbour"))
        share = await services.sharing.share(owner, diary.id, guest.public_key.fingerprint, ShareRole.READER)
        await services.sharing.accept(guest, share.id)


@asynccontextmanager
async def services_named() -> AsyncIterator[dict[str, str]]:
    """The settings for the real services, where they are named, or for a stand-in."""
    if is_real():
        yield settings_for_tests()
        return
    async with an_ory(lambda: datetime.now(UTC)) as ory:
        yield named(ory)


async def timed(command: str, folder: Path, settings: dict[str, str]) -> list[dict[str, Any]]:
    """What a command printed of each agent; says how long it took."""
    started = time.monotonic()
    ended = await run("ory", command, "--data", str(folder), folder=None, **settings)
    assert ended.status == 0, ended.err
    printed: list[dict[str, Any]] = json.loads(ended.out)
    sys.stdout.write(f"ory {command} of {len(printed)} agents: {time.monotonic() - started:.1f} s\n")
    return printed


async def test_without_ory_there_is_nowhere_to_move_to(tmp_path: Path):
    ended = await run("ory", "import", "--data", str(tmp_path))
    assert ended.status == 2
    assert ended.err.startswith("error: ORY_PROJECT_URL: required, or the six addresses of Ory")
