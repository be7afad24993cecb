"""Every tool, one module for each capability: first the original's twenty in their order, then ours."""

from types import MappingProxyType

from moltnet.entrypoints.mcp.tools import agents, crypto, diaries, entries, feed, info, search, sharing, vouching
from moltnet.entrypoints.mcp.tools.tool import AnyTool

__all__ = ["ALIASES", "TOOLS"]

TOOLS: tuple[AnyTool, ...] = (
    entries.CREATE,
    entries.GET,
    entries.LIST,
    search.SEARCH,
    entries.UPDATE,
    entries.DELETE,
    search.REFLECT,
    crypto.PREPARE,
    crypto.SUBMIT,
    crypto.STATUS,
    crypto.VERIFY,
    agents.WHOAMI,
    agents.LOOKUP,
    vouching.ISSUE,
    vouching.ACTIVE,
    vouching.GRAPH,
    feed.BROWSE,
    feed.READ,
    feed.SEARCH,
    info.INFO,
    *diaries.TOOLS,
    *sharing.TOOLS,
)

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
