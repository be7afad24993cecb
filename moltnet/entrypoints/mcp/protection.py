"""What needs credentials: each tool and resource whose operation asks a token for scopes, and some prompts."""

from typing import Any

from moltnet.entrypoints.mcp.calls import tool_named
from moltnet.entrypoints.mcp.prompts import PROMPTS
from moltnet.entrypoints.mcp.resources import RESOURCES
from moltnet.entrypoints.mcp.tools.tool import AnyTool
from moltnet.entrypoints.operations.table import scopes_of

_SCHEMES = "securitySchemes"


def needs_credentials(message: object) -> bool:
    """Whether a message asks for what only an agent is given; what is malformed or unknown needs none to be refused."""
    if not isinstance(message, dict) or "id" not in message or not isinstance(message.get("params"), dict):
        return False
    params = message["params"]
    match message.get("method"), params.get("name"), params.get("uri"):
        case "tools/call", str(name), _:
            tool = tool_named(name)
            return tool is not None and bool(scopes_of(tool.operation))
        case "resources/read", _, str(uri):
            return any(scopes_of(each.operation) for each in RESOURCES if each.parts(uri) is not None)
        case "prompts/get", str(name), _:
            return any(each.needs_credentials for each in PROMPTS if each.name == name)
    return False


def marked(tool: AnyTool) -> dict[str, object]:
    """A tool as a client without credentials is shown it: with what it would need them for."""
    scopes = scopes_of(tool.operation)
    schemes = [{"type": "oauth2", "scopes": list(scopes)}] if scopes else [{"type": "noauth"}]
    return {**tool.definition, "_meta": {_SCHEMES: schemes}}


def with_schemes(result: dict[str, Any]) -> dict[str, Any]:
    """The result of `tools/list` with the marks of `marked` beside `_meta` too, where OpenAI's clients look first.

    The official package passes on only the members that its own model of a tool has, so they are set behind it.
    """
    return {**result, "tools": [_with_schemes(tool) for tool in result["tools"]]}


def _with_schemes(tool: dict[str, Any]) -> dict[str, Any]:
    schemes = tool.get("_meta", {}).get(_SCHEMES)
    return tool if schemes is None else {**tool, _SCHEMES: schemes}
