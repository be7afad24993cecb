"""`moltnet mcp`: MCP on standard input and output, as the agent whose credentials are on this machine."""

import asyncio
import logging
from pathlib import Path

from moltnet.entrypoints.cli.connection import or_first_agent
from moltnet.entrypoints.cli.logs import log_to_stderr
from moltnet.entrypoints.cli.output import one_sentence
from moltnet.entrypoints.library.remote import connect
from moltnet.entrypoints.mcp.stdio import serve_stdio
from moltnet.entrypoints.settings import read_client_settings


def mcp(config_dir: Path | None, api_url: str | None) -> None:
    """Serves one client until it closes its end; what is said about it goes to standard error."""
    log_to_stderr(logging.WARNING)
    with one_sentence():
        asyncio.run(_serve(config_dir, api_url))


async def _serve(config_dir: Path | None, api_url: str | None) -> None:
    settings = read_client_settings(config_dir)
    first = or_first_agent(settings)
    directory = config_dir if first is settings else first.credentials_file.parent
    async with await connect(config_dir=directory, api_url=api_url) as agent:
        await serve_stdio(agent, is_authenticated=True)
