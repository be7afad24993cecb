"""How clients sign in where Hydra gives the tokens: by secret, in either place, and not by key."""

import base64
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import attrs
import pytest
from aiohttp.test_utils import TestClient, TestServer

from moltnet.adapters.memory.storage import MemoryStorage
from moltnet.adapters.memory.system import MemoryWorkers
from moltnet.adapters.system import MemoryRateLimits
from moltnet.domain.caller import Limits
from moltnet.domain.challenges import ASSERTION_TYPE
from moltnet.domain.credentials import ALL_SCOPES, ClientSecret
from moltnet.domain.ids import ClientId
from moltnet.domain.services.credentials import AuthenticationService, CredentialService
from moltnet.domain.services.requests import ThrottlingService
from moltnet.entrypoints.mcp.endpoint import McpOptions, mount_mcp
from moltnet.entrypoints.rest.app import create_app
from moltnet.entrypoints.rest.options import RestOptions
from moltnet.ports.telemetry import NO_TELEMETRY
from tests.integration.rest.members import ask
from tests.support.builders import an_id
from tests.support.ory.tokens import ory_tokens
from tests.support.stored import joined


@attrs.frozen
class OryServed:
    """A server, and the credentials of an agent."""

    http: TestClient[Any, Any]
    held: ClientSecret


@pytest.fixture
async def served() -> AsyncIterator[OryServed]:
    storage = MemoryStorage()
    async with ory_tokens(storage) as tokens:
        held = await tokens.clients.create(ClientId(an_id()), await joined(storage), ALL_SCOPES)
        unused: Any = None
        services: Any = SimpleNamespace(
            authentication=AuthenticationService(tokens=tokens.verifier),
            credentials=CredentialService(
                clients=tokens.clients, issuer=tokens.issuer, identities=unused, clock=tokens.clock
            ),
            throttling=ThrottlingService(counts=MemoryRateLimits(tokens.clock), limits=Limits(global_anon=1000)),
            workers=MemoryWorkers(),
            telemetry=NO_TELEMETRY,
        )
        options = RestOptions(api_url="http://net.test")
        app = create_app(services, options)
        mount_mcp(app, McpOptions(urls=options.urls, session_secret=b"s" * 32))
        async with TestClient(TestServer(app)) as http:
            yield OryServed(http, held)


async def test_a_secret_is_taken_from_the_header_and_from_the_form(served: OryServed) -> None:
    client_id, grant = str(served.held.client_id), {"grant_type": "client_credentials"}
    pair = base64.b64encode(f"{client_id}:{served.held.secret}".encode()).decode()
    basic = await ask(served.http, "POST", "/oauth2/token", data=grant, headers={"Authorization": f"Basic {pair}"})
    form = grant | {"client_id": client_id, "client_secret": served.held.secret}
    posted = await ask(served.http, "POST", "/oauth2/token", data=form)
    assert (basic.status, posted.status) == (200, 200)


async def test_an_assertion_is_refused_and_not_offered(served: OryServed) -> None:
    form = {"grant_type": "client_credentials", "client_assertion_type": ASSERTION_TYPE, "client_assertion": "x.y.z"}
    refused = await ask(served.http, "POST", "/oauth2/token", data=form)
    assert (refused.status, refused.json["error"]) == (401, "invalid_client")
    told = (await ask(served.http, "GET", "/.well-known/oauth-authorization-server")).json
    assert told["token_endpoint_auth_methods_supported"] == ["client_secret_basic", "client_secret_post"]
    assert told["token_endpoint_auth_signing_alg_values_supported"] == []
