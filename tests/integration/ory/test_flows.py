"""A server as a process before Ory, from end to end: its hooks, keys, recovery, and its agents' own clients."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
import pytest_asyncio
from aiohttp import ClientSession
from ory_client import (
    ApiClient,
    Configuration,
    FrontendApi,
    RecoveryFlow,
    UpdateRecoveryFlowBody,
    UpdateRecoveryFlowWithCodeMethod,
)

from moltnet.adapters.nacl import NaclKeyPair
from moltnet.domain.credentials import ALL_SCOPES
from moltnet.ports.keys import OwnIdentity
from tests.support.live_server import asked
from tests.support.ory.deployments import Deployment, a_deployment
from tests.support.ory.named import real_alone

pytestmark = [pytest.mark.real, pytest.mark.ory, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def deployment(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Deployment]:
    """One server for all of them."""
    async with a_deployment(tmp_path_factory.mktemp("flows") / "data") as built:
        yield built


async def token_of_hydra(deployment: Deployment, identity: OwnIdentity) -> str:
    """A token that its agent asks Hydra for, not the network."""
    secret = identity.credentials
    form = {"grant_type": "client_credentials", "client_id": str(secret.client_id), "client_secret": secret.secret}
    async with (
        ClientSession() as http,
        http.post(f"{deployment.sides['hydra', 'public']}/oauth2/token", data=form) as answer,
    ):
        assert answer.status == 200, await answer.text()
        return str((await answer.json())["access_token"])


def part(token: str, number: int) -> dict[str, Any]:
    """The header of a token, or its claims."""
    return json.loads(base64.urlsafe_b64decode(token.split(".")[number] + "=="))


async def status_of(deployment: Deployment, token: str) -> int:
    async with deployment.server.session(token) as http:
        status, _ = await asked(http, "GET", "/agents/whoami")
    return status


async def test_token_of_a_registered_agent_names_it_since_hydra_asks_us(deployment: Deployment):
    identity = await deployment.register()
    token = await token_of_hydra(deployment, identity)
    claims = part(token, 1)
    assert claims["moltnet:identity_id"] == str(identity.agent_id)
    assert claims["moltnet:public_key"] == identity.public_key.text
    assert set(claims["scp"]) == ALL_SCOPES
    assert await status_of(deployment, token) == 200


async def test_agent_recovers_with_orys_own_client(deployment: Deployment):
    identity, agent = await deployment.register(), deployment.founder
    key = NaclKeyPair(base64.b64decode(identity.private_key))
    challenge = await agent.recovery.request_challenge(key.public_key.text)
    way = await agent.recovery.verify_challenge(challenge, key.sign(challenge.text.encode()), key.public_key.text)
    flow = parse_qs(urlsplit(way.flow_url).query)["flow"][0]

    def answer() -> RecoveryFlow:
        method = UpdateRecoveryFlowWithCodeMethod(method="code", code=way.code)
        with ApiClient(Configuration(host=deployment.sides["kratos", "public"])) as kratos:
            return FrontendApi(kratos).update_recovery_flow(flow, UpdateRecoveryFlowBody(method))

    steps = (await asyncio.to_thread(answer)).to_dict()["continue_with"]
    (session,) = [step["ory_session_token"] for step in steps if step["action"] == "set_ory_session_token"]
    async with deployment.server.session() as http:
        status, fresh = await asked(http, "POST", "/auth/rotate-secret", headers={"X-Session-Token": session})
        assert status == 200, fresh
        again, _ = await asked(http, "POST", "/auth/rotate-secret", headers={"X-Session-Token": session})
        assert again == 401
        form = {"grant_type": "client_credentials", "client_id": fresh["clientId"]}
        status, _ = await asked(http, "POST", "/oauth2/token", data=form | {"client_secret": fresh["clientSecret"]})
        assert status == 200
        stale = form | {"client_secret": identity.credentials.secret}
        status, _ = await asked(http, "POST", "/oauth2/token", data=stale)
        assert status == 401


async def test_hydra_rotates_its_keys_while_agents_are_served(deployment: Deployment):
    """A token that was good stays so. One by an older key that Hydra is asked about only then is refused: it verifies
    by its newest key alone; then an agent gets another one, as our clients do.
    """
    identity = await deployment.register()
    before = await token_of_hydra(deployment, identity)
    assert await status_of(deployment, before) == 200
    rounds, kids, statuses = 0, [part(before, 0)["kid"]], set[int]()
    over, finished = asyncio.Event(), asyncio.Condition()

    async def work() -> None:
        nonlocal rounds
        while not over.is_set():
            for _ in range(2):
                token = await token_of_hydra(deployment, identity)
                if (status := await status_of(deployment, token)) == 200:
                    break
            kids.append(part(token, 0)["kid"])
            statuses.update([status, await status_of(deployment, before)])
            async with finished:
                rounds += 1
                finished.notify_all()

    async with asyncio.TaskGroup() as group:
        for _ in range(3):
            group.create_task(work())
        for _ in range(3):
            await deployment.rotate_keys()
            async with finished:
                reached = rounds
                await finished.wait_for(lambda reached=reached: rounds >= reached + 9)
        over.set()
    assert len(set(kids)) == 4
    assert statuses == {200}


@real_alone  # the stand-in has no registration of its own
async def test_kratos_own_registration_asks_us_first_and_notifies_us_after(deployment: Deployment):
    code = (await deployment.founder.vouch.issue()).code
    key = NaclKeyPair.generate().public_key
    async with ClientSession(deployment.sides["kratos", "public"]) as kratos:
        status, flow = await asked(kratos, "GET", "/self-service/registration/api")
        if status == 400:
            pytest.skip("registration is disabled at this Kratos, as deploy/ory has it")
        path = f"/self-service/registration?flow={flow['id']}"
        traits = {"public_key": key.text, "voucher_code": "f" * 64}
        body = {"method": "password", "password": f"{uuid4()}", "traits": traits}
        status, refused = await asked(kratos, "POST", path, json=body)
        assert (status, [message["id"] for node in refused["ui"]["nodes"] for message in node["messages"]]) == (
            400,
            [4000003],
        )
        status, found = await identities_of(deployment, key.text)
        assert found == []
        status, accepted = await asked(kratos, "POST", path, json=body | {"traits": traits | {"voucher_code": code}})
        assert status == 200, accepted
    profile = await deployment.founder.agents.lookup(key.fingerprint)
    assert profile.public_key == key


async def identities_of(deployment: Deployment, key: str) -> tuple[int, Any]:
    """What Kratos has under a key."""
    async with ClientSession(deployment.sides["kratos", "admin"]) as kratos:
        query = {"credentials_identifier": key, "consistency": "strong"}
        return await asked(kratos, "GET", "/admin/identities", params=query)
