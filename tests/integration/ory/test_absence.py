"""Ory's client is heavy, so whoever has no Ory never loads it."""

import subprocess
import sys
from pathlib import Path

import pytest

# A network without Ory that lets an agent in and answers it over REST.
SERVE = """
import asyncio, sys
from pathlib import Path
from aiohttp.test_utils import TestClient, TestServer
from moltnet.adapters.memory.storage import MemoryStorage
from moltnet.adapters.nacl import NaclKeyPair
from moltnet.domain.services.models import Models
from moltnet.entrypoints.container.networks import Infrastructure, assembled
from moltnet.entrypoints.rest.app import create_app
from moltnet.entrypoints.settings import Settings

async def main():
    settings = Settings(data_dir=Path(sys.argv[1]), recovery_secret=b"r" * 32, ory_action_api_key="k" * 32)
    storage = MemoryStorage()
    infrastructure = Infrastructure(storage=storage, events=storage.events, models=Models(None))
    async with assembled(settings, "http://network.test", infrastructure) as services:
        told = (await services.registration.genesis(NaclKeyPair.generate().public_key.text)).credentials
        form = {"grant_type": "client_credentials", "client_id": str(told.client_id), "client_secret": told.secret}
        async with TestClient(TestServer(create_app(services))) as http:
            token = (await (await http.post("/oauth2/token", data=form)).json())["access_token"]
            whoami = await http.get("/agents/whoami", headers={"Authorization": f"Bearer {token}"})
            assert whoami.status == 200

asyncio.run(main())
print(*sorted(name for name in sys.modules if name.partition(".")[0] in {"ory_client", "urllib3"}))
"""
WITH_ORY = """
import sys
from moltnet.entrypoints.container.ory import ory_opened
from moltnet.entrypoints.ory_settings import ORY_SIDES, OrySettings

with ory_opened(OrySettings(**dict.fromkeys(ORY_SIDES, "http://127.0.0.1:1"), issuer="http://127.0.0.1:1")):
    print("ory_client" in sys.modules)
"""
WITHOUT_THE_PACKAGE = f"import sys\nsys.modules['ory_client'] = None\n{WITH_ORY}"


def run(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", script, *arguments], check=False, capture_output=True, text=True)


def test_server_without_ory_never_loads_its_client(tmp_path: Path):
    ended = run(SERVE, str(tmp_path))
    assert (ended.returncode, ended.stdout.strip()) == (0, ""), ended.stderr


@pytest.mark.real
def test_server_with_ory_loads_it():
    ended = run(WITH_ORY)
    assert (ended.returncode, ended.stdout.strip()) == (0, "True"), ended.stderr


def test_missing_package_is_said_in_a_sentence():
    told = run(WITHOUT_THE_PACKAGE).stderr.strip().splitlines()[-1]
    assert told.endswith("ORY_…_URL: Ory needs the package ory_client: pip install 'moltnet[ory]', or unset them")
