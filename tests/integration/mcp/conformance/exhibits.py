"""What the official conformance suite asks a server to have on show, served in place of our own tools."""

from collections.abc import Mapping
from typing import Any

from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError
from mcp_types import (
    METHOD_NOT_FOUND,
    CallToolRequestParams,
    GetPromptRequestParams,
    PaginatedRequestParams,
    ReadResourceRequestParams,
)

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
SILENCE = "UklGRiQAAABXQVZFZm10IBAAAAABAAEARKwAAIhYAQACABAAZGF0YQAAAAA="

Json = dict[str, Any]


def text(words: str) -> Json:
    return {"type": "text", "text": words}


def resource(uri: str, media_type: str, words: str) -> Json:
    return {"type": "resource", "resource": {"uri": uri, "mimeType": media_type, "text": words}}


IMAGE = {"type": "image", "data": PIXEL, "mimeType": "image/png"}
TOOLS: Mapping[str, Json] = {
    "test_simple_text": {"content": [text("This is a simple text response for testing.")]},
    "test_image_content": {"content": [IMAGE]},
    "test_audio_content": {"content": [{"type": "audio", "data": SILENCE, "mimeType": "audio/wav"}]},
    "test_embedded_resource": {
        "content": [resource("test://embedded-resource", "text/plain", "This is an embedded resource content.")]
    },
    "test_multiple_content_types": {
        "content": [
            text("Multiple content types test:"),
            IMAGE,
            resource("test://mixed-content-resource", "application/json", '{"test":"data","value":123}'),
        ]
    },
    "test_error_handling": {
        "content": [text("This tool intentionally returns an error for testing")],
        "isError": True,
    },
    "json_schema_2020_12_tool": {"content": [text("A schema is all there is to it.")]},
}
SCHEMA: Json = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {"address": {"type": "object", "properties": {"street": {"type": "string"}, "city": {"type": "string"}}}},
    "properties": {"name": {"type": "string"}, "address": {"$ref": "#/$defs/address"}},
    "additionalProperties": False,
}
RESOURCES: Mapping[str, Json] = {
    "test://static-text": {"mimeType": "text/plain", "text": "This is the content of the static text resource."},
    "test://static-binary": {"mimeType": "image/png", "blob": PIXEL},
}
PROMPTS: Mapping[str, tuple[str, ...]] = {
    "test_simple_prompt": (),
    "test_prompt_with_arguments": ("arg1", "arg2"),
    "test_prompt_with_embedded_resource": ("resourceUri",),
    "test_prompt_with_image": (),
}


def exhibition() -> Server[Any]:
    """A server that shows them."""
    server: Server[Any] = Server("moltnet", version="0.1.0")
    listings: Mapping[str, Json] = {
        "tools/list": {"tools": [_tool(name) for name in TOOLS]},
        "resources/list": {"resources": [{"uri": uri, "name": uri} for uri in RESOURCES]},
        "resources/templates/list": {"resourceTemplates": [{"uriTemplate": "test://template/{id}/data", "name": "t"}]},
        "prompts/list": {"prompts": [_prompt(name) for name in PROMPTS]},
    }
    for method, listing in listings.items():
        server.add_request_handler(method, PaginatedRequestParams, _answering(listing))
    server.add_request_handler("tools/call", CallToolRequestParams, _call)
    server.add_request_handler("resources/read", ReadResourceRequestParams, _read)
    server.add_request_handler("prompts/get", GetPromptRequestParams, _get)
    return server


def _answering(listing: Json) -> Any:
    async def handle(*_: object) -> Json:
        return listing

    return handle


async def _call(_: object, params: CallToolRequestParams) -> Json:
    if params.name not in TOOLS:
        raise MCPError(code=METHOD_NOT_FOUND, message=f"Unknown tool: {params.name}")
    return TOOLS[params.name]


async def _read(_: object, params: ReadResourceRequestParams) -> Json:
    uri = str(params.uri)
    if uri in RESOURCES:
        return {"contents": [{"uri": uri, **RESOURCES[uri]}]}
    part = uri.removeprefix("test://template/").removesuffix("/data")
    words = f'{{"id":"{part}","templateTest":true,"data":"Data for ID: {part}"}}'
    return {"contents": [{"uri": uri, "mimeType": "application/json", "text": words}]}


async def _get(_: object, params: GetPromptRequestParams) -> Json:
    given = params.arguments or {}
    said: Mapping[str, list[Json]] = {
        "test_simple_prompt": [text("This is a simple prompt for testing.")],
        "test_prompt_with_arguments": [
            text(f"Prompt with arguments: arg1='{given.get('arg1')}', arg2='{given.get('arg2')}'")
        ],
        "test_prompt_with_embedded_resource": [
            resource(given.get("resourceUri", ""), "text/plain", "Embedded resource content for testing."),
            text("Please process the embedded resource above."),
        ],
        "test_prompt_with_image": [IMAGE, text("Please analyze the image above.")],
    }
    return {"messages": [{"role": "user", "content": content} for content in said[params.name]]}


def _tool(name: str) -> Json:
    schema = SCHEMA if name == "json_schema_2020_12_tool" else {"type": "object"}
    return {"name": name, "description": "An exhibit", "inputSchema": schema}


def _prompt(name: str) -> Json:
    arguments = [{"name": each, "description": each, "required": True} for each in PROMPTS[name]]
    return {"name": name, "description": "An exhibit", "arguments": arguments}
