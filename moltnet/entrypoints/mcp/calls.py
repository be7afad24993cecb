"""Calls of tools: from what a client sends to what it gets, whatever happens on the way; and what needs credentials.

Each tool and resource needs them whose operation asks a token for scopes, and some prompts.
"""

import logging
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import attrs

from moltnet.domain.errors import Limited, MoltNetError, Unauthenticated, Unavailable
from moltnet.entrypoints.mcp.prompts import PROMPTS
from moltnet.entrypoints.mcp.resources import RESOURCES
from moltnet.entrypoints.mcp.sessions import McpSession, answering
from moltnet.entrypoints.mcp.tools import ALIASES, TOOLS
from moltnet.entrypoints.mcp.tools.tool import InvalidArguments, Tool, failure
from moltnet.entrypoints.operations.table import scopes_of
from moltnet.entrypoints.rest.bodies import read_json, size_of
from moltnet.entrypoints.rest.json_text import to_long_json
from moltnet.entrypoints.schema.convert import json_value

BY_NAME: Mapping[str, Tool] = MappingProxyType({tool.name: tool for tool in TOOLS})

_LOG = logging.getLogger(__name__)


@attrs.frozen
class Result:
    """What a call is answered: members of an object, or a sentence where there are none."""

    members: Mapping[str, object] | None = None
    sentence: str = ""
    failed: bool = False

    @property
    def text(self) -> str:
        """What a model reads."""
        return self.sentence if self.members is None else to_long_json(self.members).decode()

    @property
    def payload(self) -> dict[str, object]:
        """The result of `tools/call`: one text, and a mark only when it failed.

        The members are not sent a second time as structured content: several clients show a model both.
        """
        return {"content": [{"type": "text", "text": self.text}], **({"isError": True} if self.failed else {})}


def tool_named(name: str) -> Tool | None:
    """The tool of a name, present or past."""
    return BY_NAME.get(ALIASES.get(name, name))


async def call(session: McpSession, tool: Tool, arguments: Mapping[str, object]) -> Result:
    """What a client gets when it calls a tool; nothing is raised."""
    try:
        parsed_arguments = await read_json(
            session.workers, lambda: tool.parsed_arguments(arguments), size_of(arguments)
        )
    except InvalidArguments as invalid:
        return Result(sentence=f"Invalid tool arguments: {invalid}", failed=True)
    try:
        members = await _run(session, tool, parsed_arguments)
    except MoltNetError as error:
        return _failed(tool, _error_for(session, tool, error), arguments)
    except Exception:  # noqa: BLE001  # the last place that can still answer; it is logged here
        _LOG.exception("%s failed", tool.name)
        return Result(sentence="Tool execution failed: an unexpected error occurred", failed=True)
    return Result(_hinted(members, tool, arguments))


def signed_out(tool: Tool) -> Result:
    """What a tool that needs credentials answers a client that shows none."""
    return Result(failure(Unauthenticated(), tool.face.signed_out).members, failed=True)


async def _run(session: McpSession, tool: Tool, parsed_arguments: Mapping[str, object]) -> dict[str, object]:
    async with answering(session, tool.operation):
        answer = await tool.run(session.agent, parsed_arguments)
        return await read_json(session.workers, lambda: _members(answer), size_of(answer))


def _error_for(session: McpSession, tool: Tool, error: MoltNetError) -> MoltNetError:
    # What is public an anonymous client may read by other tools too; when it fails, signing in is what helps.
    is_anonymous = not session.is_authenticated and not tool.is_public
    return Unauthenticated() if is_anonymous and not isinstance(error, Unavailable | Limited) else error


def _failed(tool: Tool, error: MoltNetError, arguments: Mapping[str, object]) -> Result:
    if tool.instead is not None:
        return Result(_members(tool.instead(error)))
    return Result(failure(error, tool.message(error, arguments)).members, failed=True)


def _members(answer: object) -> dict[str, object]:
    members = json_value(answer)
    if not isinstance(members, dict):
        raise TypeError(f"a tool answers an object, not {answer!r}")
    return members


def _hinted(members: dict[str, object], tool: Tool, arguments: Mapping[str, object]) -> dict[str, object]:
    hints = [hint for name, hint in tool.face.retired.items() if name in arguments]
    return {"hint": "; ".join(hints)} | members if hints else members


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


def marked(tool: Tool) -> dict[str, object]:
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
