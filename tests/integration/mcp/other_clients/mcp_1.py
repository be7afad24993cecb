"""The official package in version 1, as langchain-mcp-adapters and fastmcp 3 bring it: every way it can sign in.

Run by `python -m tests.integration.mcp.other_clients`, with the interpreter of an environment that has it. Named a file
behind that, it writes its exchanges there, without secrets: `test_version_1_client.py` replays them.
"""

import asyncio
import base64
import json
import re
import sys
from importlib.metadata import version
from pathlib import Path
from urllib.parse import quote

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from mcp import ClientSession, McpError
from mcp.client.auth.extensions.client_credentials import (
    ClientCredentialsOAuthProvider,
    PrivateKeyJWTOAuthProvider,
    SignedJWTParameters,
)
from mcp.client.streamable_http import streamable_http_client

HELD = json.loads(sys.argv[1])
MCP = f"{HELD['url']}/mcp"
HEADERS = {"X-Client-Id": HELD["client_id"], "X-Client-Secret": HELD["secret"]}
EXCHANGES = {}
OURS = {"host", "content-length", "accept-encoding", "connection"}  # of the connection, not of the client


def recording(name):
    """Hooks that take down what is sent, and what it is answered with."""
    exchanges = EXCHANGES[name] = []

    async def take(response):
        request = response.request
        headers = {key: value for key, value in request.headers.items() if key not in OURS}
        sent = {"method": request.method, "path": request.url.path, "headers": headers}
        exchanges.append({**sent, "body": (await request.aread()).decode(), "status": response.status_code})

    return {"response": [take]}


def write(path):
    """Writes what was recorded, with names in place of what differs each time, and of what is secret."""
    text = json.dumps({"version": version("mcp"), "exchanges": EXCHANGES}, indent=1)
    for name in ("client_id", "secret", "url"):
        text = text.replace(HELD[name], f"<{name}>").replace(quote(HELD[name], safe=""), f"<{name}>")
    text = re.sub(r"(Bearer|Basic) [^\"]+", r"\1 <credentials>", text)
    text = re.sub(r'("mcp-session-id": )"[^"]+"', r'\1"<session>"', text)
    Path(path).write_text(re.sub(r"client_assertion=[^&\"]+", "client_assertion=<assertion>", text) + "\n")


class Tokens:
    """Keeps the token as long as the program runs."""

    kept = None

    async def get_tokens(self):
        return self.kept

    async def set_tokens(self, tokens):
        self.kept = tokens

    async def get_client_info(self):
        return None

    async def set_client_info(self, client_info):
        raise AssertionError(client_info)


def by_secret(method):
    return ClientCredentialsOAuthProvider(
        server_url=MCP,
        storage=Tokens(),
        client_id=HELD["client_id"],
        client_secret=HELD["secret"],
        token_endpoint_auth_method=method,
        issuer=HELD["url"],
    )


def by_key():
    key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(HELD["seed"]))
    signing = SignedJWTParameters(
        issuer=HELD["client_id"],
        subject=HELD["client_id"],
        signing_key=key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
        signing_algorithm="EdDSA",
    )
    return PrivateKeyJWTOAuthProvider(
        server_url=MCP,
        storage=Tokens(),
        client_id=HELD["client_id"],
        assertion_provider=signing.create_assertion_provider(),
        issuer=HELD["url"],
    )


def told(result):
    assert not result.isError, result
    return json.loads(result.content[0].text)


async def use(name, **more):
    async with (
        httpx.AsyncClient(timeout=30, event_hooks=recording(name), **more) as http,
        streamable_http_client(MCP, http_client=http) as (read, write, _),
        ClientSession(read, write) as session,
    ):
        opened = await session.initialize()
        tools = (await session.list_tools()).tools
        me = told(await session.call_tool("moltnet_whoami", {}))
        assert me["identity"]["fingerprint"] == HELD["fingerprint"], me
        made = told(await session.call_tool("diary_create", {"diary_ref": "default", "content": "The deploy failed"}))
        found = told(await session.call_tool("diary_search", {"query": "deploy"}))
        assert made["entry"]["id"] in {hit["id"] for hit in found["results"]}
        failed = await session.call_tool("diary_get", {"diary_ref": "default", "entry_id": "x"})
        assert failed.isError
        await session.read_resource("moltnet://identity")
        await session.get_prompt("identity_bootstrap", {})
        return f"{len(tools)} tools, protocol {opened.protocolVersion}"


async def use_without_credentials():
    async with (
        httpx.AsyncClient(timeout=30) as http,
        streamable_http_client(MCP, http_client=http) as (read, write, _),
        ClientSession(read, write) as session,
    ):
        await session.initialize()
        tools = (await session.list_tools()).tools
        marked = [tool.name for tool in tools if tool.meta["securitySchemes"] == tool.model_extra["securitySchemes"]]
        told(await session.call_tool("moltnet_info", {}))
        return f"{len(tools)} tools, {len(marked)} of them marked; public tools answer"


async def refused_without_credentials():
    async with (
        httpx.AsyncClient(timeout=30) as http,
        streamable_http_client(MCP, http_client=http) as (read, write, _),
        ClientSession(read, write) as session,
    ):
        await session.initialize()
        try:
            await asyncio.wait_for(session.call_tool("moltnet_whoami", {}), 10)
        except McpError as error:
            return f"an error: {error}"
    raise AssertionError("it was answered")


async def main():
    for name, way in (
        (
            "headers",
            lambda: use("headers", headers={"X-Client-Id": HELD["client_id"], "X-Client-Secret": HELD["secret"]}),
        ),
        ("bearer token", lambda: use("bearer", headers={"Authorization": f"Bearer {HELD['token']}"})),
        ("OAuth, client_secret_basic", lambda: use("basic", auth=by_secret("client_secret_basic"))),
        # It leaves client_id out of the form, so no server can know the client.
        ("OAuth, client_secret_post (known to fail)", lambda: use("post", auth=by_secret("client_secret_post"))),
        ("OAuth, private_key_jwt", lambda: use("key", auth=by_key())),
        ("without credentials", use_without_credentials),
        ("a protected tool without credentials (known to end its session)", refused_without_credentials),
    ):
        try:
            print(f"{name}: {await way()}")
        except BaseException as error:  # noqa: BLE001  # whatever it is, the next way is tried
            print(f"{name}: FAILED: {error!r}")


asyncio.run(main())
for file in sys.argv[2:]:
    write(file)
