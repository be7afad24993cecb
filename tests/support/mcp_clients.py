"""The official MCP client, over HTTP in either era."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import Any, Literal

import httpx2
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult, TextContent

Era = Literal["legacy", "auto"]
ERAS: Mapping[Era, str] = MappingProxyType({"legacy": "2025-11-25", "auto": "2026-07-28"})
"""The handshake with a session, and what the client finds by itself: each with the revision it ends up with."""


@asynccontextmanager
async def mcp_client(
    url: str, headers: Mapping[str, str] | None = None, era: Era = "legacy", auth: httpx2.Auth | None = None
) -> AsyncIterator[Client]:
    """A client that is connected to `/mcp` of a server."""
    async with (
        httpx2.AsyncClient(headers=headers, auth=auth, timeout=30) as http,
        Client(streamable_http_client(f"{url}/mcp", http_client=http), mode=era) as client,
    ):
        yield client


async def used(client: Client, tool: str, **given: object) -> dict[str, Any]:
    """What a tool answers when all goes well."""
    result = await client.call_tool(tool, given)
    assert isinstance(result, CallToolResult)
    assert not result.is_error, text_of(result)
    return dict(json.loads(text_of(result)))


async def refused(client: Client, tool: str, **given: object) -> dict[str, Any]:
    """What a tool answers when it does not."""
    result = await client.call_tool(tool, given)
    assert isinstance(result, CallToolResult)
    assert result.is_error
    return dict(json.loads(text_of(result)))


def text_of(result: CallToolResult) -> str:
    """The one text of a result."""
    (content,) = result.content
    assert isinstance(content, TextContent)
    return content.text
