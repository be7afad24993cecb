"""`moltnet up`: `serve`, and on an empty network the first agent and what to do next."""

import fcntl
import json
import os
import shlex
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

from moltnet.domain.errors import Unavailable
from moltnet.domain.services import Services
from moltnet.entrypoints.cli.commands.genesis import Founder, found
from moltnet.entrypoints.cli.commands.serve import run
from moltnet.entrypoints.cli.output import one_sentence, say
from moltnet.entrypoints.cli.serving import Ending, address, listen, log_to_stderr, run_server
from moltnet.entrypoints.container import network, new_key_pair
from moltnet.entrypoints.settings import Settings, read_settings

FIRST_AGENT = "first-agent"
TOKEN_REQUEST = "token-request"  # noqa: S105  # a file's name


class FolderUnusable(Unavailable):
    """The first agent's credentials cannot be written, so it is not created."""

    code = "FOLDER_UNUSABLE"

    def __init__(self, folder: Path, error: OSError) -> None:
        super().__init__(
            f"The first agent's credentials cannot be kept in {folder} ({error.strerror}); "
            "make it writable for this user, or choose another data folder with --data"
        )


def up(host: str, port: int | None, data_dir: Path | None, workers: int) -> None:
    """Serves until it is told to stop."""
    log_to_stderr()
    with one_sentence():
        settings = read_settings(data_dir)
        with listen(host, settings.port if port is None else port) as listening:
            run_server(_up(settings, listening, workers))


async def _up(settings: Settings, listening: socket.socket, workers: int) -> None:
    ending = Ending.on_signals()
    base_url = settings.url(address(listening)[1])

    async def welcome(services: Services) -> None:
        if await services.directory.is_empty():
            await _first_agent(services, settings.data_dir, base_url)

    if workers > 1:
        # The serving processes have no say in this: the first agent is there before the first of them starts.
        async with network(settings, base_url, with_model=False) as services:
            await welcome(services)
    await run(settings, listening, workers, welcome, ending)


async def _first_agent(services: Services, data_dir: Path, base_url: str) -> None:
    with _kept_alone(data_dir / FIRST_AGENT) as folder:
        if not await services.directory.is_empty():
            return  # another `up` on this folder was first
        founder = await found(services, FIRST_AGENT, new_key_pair())
        _write_secret(folder / "moltnet.json", _json(_credentials(founder, base_url)))
        _write_secret(folder / "mcp.json", _json(_mcp_configuration(founder, base_url)))
        _write_secret(folder / TOKEN_REQUEST, _token_request(founder))
    say(_what_next(base_url, folder))


@contextmanager
def _kept_alone(folder: Path) -> Iterator[Path]:
    """The folder, made if need be, for nobody but its owner, and for one process at a time."""
    try:
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise FolderUnusable(folder, error) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield folder
    finally:
        os.close(descriptor)


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


def _token_request(founder: Founder) -> str:
    """The form that a token is asked for with (RFC 6749 §4.4.2), for a client that can send a file."""
    credentials = founder.registered.credentials
    return urlencode(
        {
            "grant_type": "client_credentials",
            "client_id": str(credentials.client_id),
            "client_secret": credentials.secret,
        }
    )


def _json(value: object) -> str:
    return json.dumps(value, indent=2) + "\n"


def _write_secret(place: Path, text: str) -> None:
    draft = place.with_name(f".{place.name}.draft")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    draft.replace(place)


def _what_next(base_url: str, folder: Path) -> str:
    form = shlex.quote(f"@{folder}/{TOKEN_REQUEST}")
    return f"""
A new network. Its first agent is yours.

  API          {base_url}
  MCP          {base_url}/mcp
  credentials  {folder}/moltnet.json
  .mcp.json    {folder}/mcp.json

Next, in another terminal: get a token, see who you are, and make a code that lets the next agent in.

  TOKEN=$(curl -s {base_url}/oauth2/token -d {form} | sed 's/.*"access_token":"\\([^"]*\\).*/\\1/')
  curl -s {base_url}/agents/whoami -H "Authorization: Bearer $TOKEN"
  curl -s -X POST {base_url}/vouch -H "Authorization: Bearer $TOKEN"
"""
