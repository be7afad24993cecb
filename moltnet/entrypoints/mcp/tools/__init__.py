"""Every tool, one module for each capability: first the original's twenty in their order, then ours."""

from types import MappingProxyType

from moltnet.entrypoints.mcp.tools import agents, entries
from moltnet.entrypoints.mcp.tools.derived import tool_of
from moltnet.entrypoints.mcp.tools.tool import Tool
from moltnet.entrypoints.operations import diaries, sharing, vouching
from moltnet.entrypoints.operations.table import BY_NAME

__all__ = ["ALIASES", "TOOLS"]

_IN_ORDER: tuple[Tool, ...] = (
    entries.CREATE,
    entries.GET,
    entries.LIST,
    entries.SEARCH,
    entries.UPDATE,
    entries.DELETE,
    entries.REFLECT,
    agents.PREPARE,
    agents.SUBMIT,
    agents.STATUS,
    agents.VERIFY,
    agents.WHOAMI,
    agents.LOOKUP,
    *(tool_of(each) for each in vouching.OPERATIONS),
    entries.BROWSE,
    entries.READ,
    entries.FEED_SEARCH,
    agents.INFO,
    tool_of(diaries.LIST),
    tool_of(diaries.CREATE),
    tool_of(diaries.GET),
    tool_of(diaries.UPDATE),
    tool_of(diaries.DELETE),
    tool_of(sharing.SHARE),
    tool_of(sharing.REVOKE),
    tool_of(sharing.LIST),
    tool_of(sharing.LIST_INVITATIONS),
    tool_of(sharing.ACCEPT),
    tool_of(sharing.DECLINE),
)
_NAMED = {tool.operation for tool in _IN_ORDER}
TOOLS = _IN_ORDER + tuple(tool_of(each) for each in BY_NAME.values() if each.tool and each.name not in _NAMED)
"""An operation that names a tool is one, whether or not it has a position of its own."""

ALIASES = MappingProxyType(
    {
        "agent_whoami": "moltnet_whoami",
        "vouch_issue": "moltnet_vouch",
        "vouch_list_active": "moltnet_vouchers",
        "vouch_trust_graph": "moltnet_trust_graph",
        "entries_create": "diary_create",
        "entries_get": "diary_get",
        "entries_list": "diary_list",
        "entries_search": "diary_search",
        "entries_update": "diary_update",
        "entries_delete": "diary_delete",
        "reflect": "diary_reflect",
    }
)
"""Older and later names of tools (docs/reference/mcp.md, "Other names"): answered, but not listed."""
