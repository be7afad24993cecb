"""`moltnet ory import` and `export` between an embedded database and the stand-in."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from moltnet.adapters.nacl import NaclKeyPair
from moltnet.adapters.postgres.embedded import EmbeddedPostgres
from moltnet.entrypoints.container.networks import network
from moltnet.entrypoints.settings import read_settings
from tests.support.commands import run
from tests.support.live_server import genesis
from tests.support.ory import faults as f
from tests.support.ory.server import API_KEY, OryStandIn, an_ory

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


async def test_without_ory_there_is_nowhere_to_move_to(tmp_path: Path):
    ended = await run("ory", "import", "--data", str(tmp_path))
    assert ended.status == 2
    assert ended.err.startswith("error: ORY_PROJECT_URL: required, or the six addresses of Ory")
