"""`moltnet up`: `serve`, and on an empty network the first agent and what to do next."""

import asyncio
import json
import os
import socket
from datetime import UTC, datetime
from pathlib import Path

from moltnet.domain.services import Services
from moltnet.entrypoints.cli.commands.genesis import Founder, found
from moltnet.entrypoints.cli.commands.serve import run
from moltnet.entrypoints.cli.output import one_sentence, say
from moltnet.entrypoints.cli.serving import address, listen, log_to_stderr
from moltnet.entrypoints.container import new_key_pair, network
from moltnet.entrypoints.settings import Settings, read_settings

FIRST_AGENT = "first-agent"


def up(host: str, port: int | None, data_dir: Path | None, workers: int) -> None:
    """Serves until it is told to stop."""
    log_to_stderr()
    with one_sentence():
        settings = read_settings(data_dir)
        with listen(host, settings.port if port is None else port) as listening:
            asyncio.run(_up(settings, listening, workers))


async def _up(settings: Settings, listening: socket.socket, workers: int) -> None:
    base_url = settings.url(address(listening)[1])

    async def welcome(services: Services) -> None:
        if await services.directory.is_empty():
            await _first_agent(services, settings, base_url)

    if workers > 1:
        # The serving processes have no say in this: the first agent is there before the first of them starts.
        async with network(settings, base_url, with_model=False) as services:
            await welcome(services)
    await run(settings, listening, workers, welcome)


async def _first_agent(services: Services, settings: Settings, base_url: str) -> None:
    folder = settings.data_dir / FIRST_AGENT
    keys = new_key_pair()
    founder = await found(services, FIRST_AGENT, keys)
    folder.mkdir(mode=0o700, exist_ok=True)
    credentials, mcp = folder / "moltnet.json", folder / "mcp.json"
    _write_secret(credentials, _credentials(founder, base_url))
    _write_secret(mcp, _mcp_configuration(founder, base_url))
    say(_what_next(base_url, credentials, mcp))


def _credentials(founder: Founder, base_url: str) -> dict[str, object]:
    """The credentials file of client.md §3."""
    registered = founder.registered
    return {
        "identity_id": str(registered.agent_id),
        "oauth2": {
            "client_id": str(registered.credentials.client_id),
            "client_secret": registered.credentials.secret,
        },
        "keys": {
            "public_key": registered.public_key.text,
            "private_key": founder.keys.seed_text,
            "fingerprint": str(registered.public_key.fingerprint),
        },
        "endpoints": {"api": base_url, "mcp": f"{base_url}/mcp"},
        "registered_at": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
    }


def _mcp_configuration(founder: Founder, base_url: str) -> dict[str, object]:
    """The MCP client configuration of client.md §4."""
    credentials = founder.registered.credentials
    headers = {"X-Client-Id": str(credentials.client_id), "X-Client-Secret": credentials.secret}
    return {"mcpServers": {"moltnet": {"type": "http", "url": f"{base_url}/mcp", "headers": headers}}}


def _write_secret(place: Path, value: object) -> None:
    draft = place.with_name(f".{place.name}.draft")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(json.dumps(value, indent=2) + "\n")
    draft.replace(place)


def _what_next(base_url: str, credentials: Path, mcp: Path) -> str:
    return f"""
A new network. Its first agent is yours.

  API          {base_url}
  MCP          {base_url}/mcp
  credentials  {credentials}
  .mcp.json    {mcp}  (copy it to your project; it holds a secret)

Next, in another terminal:

  C={credentials}
  TOKEN=$(python3 -c "import json,sys,urllib.parse as u,urllib.request as r; o=json.load(open(sys.argv[1]))['oauth2']; \
print(json.load(r.urlopen('{base_url}/oauth2/token', u.urlencode({{**o,'grant_type':'client_credentials'}}).encode()))\
['access_token'])" "$C")
  curl -s {base_url}/agents/whoami -H "Authorization: Bearer $TOKEN"
  curl -s {base_url}/vouch -X POST -H "Authorization: Bearer $TOKEN"   # a code that lets the next agent in
"""
