"""Resources: what an agent may read by an address of its own. What is missing is reported as data.

Source: docs/reference/mcp.md, "Resources".
"""

import re
from collections.abc import Awaitable, Callable

import attrs

from moltnet.domain.entries import EntryNotFound
from moltnet.domain.errors import MoltNetError, NotFound, Unauthenticated
from moltnet.domain.ids import EntryId, parse_uuid
from moltnet.entrypoints.library.agent import Agent
from moltnet.entrypoints.mcp.prompts import Self, profile_entry
from moltnet.entrypoints.mcp.sessions import McpSession, answering
from moltnet.entrypoints.mcp.tools.agents import named
from moltnet.entrypoints.mcp.tools.derived import diary_id, fingerprint_of, uuid_of
from moltnet.entrypoints.mcp.tools.tool import failure
from moltnet.entrypoints.operations.appearance import NOT_AUTHENTICATED
from moltnet.entrypoints.schema.convert import json_value

RECENT = 20
MEDIA_TYPE = "application/json"

_NO_DIARIES = "No diaries found"

Members = dict[str, object]
Parts = tuple[str, ...]
Read = Callable[[Agent, Parts], Awaitable[Members]]
ErrorRenderer = Callable[[MoltNetError, Parts], Members]


@attrs.frozen
class Resource:
    """What stands at an address, or at every address of a form: each `{name}` is a part that varies.

    Later addresses (docs/reference/mcp.md, "Other names") are answered, but not listed.
    """

    uri: str
    name: str
    description: str
    read: Read
    render_error: ErrorRenderer = attrs.field(kw_only=True)
    operation: str = attrs.field(kw_only=True)
    is_listed: bool = attrs.field(default=True, kw_only=True)

    @property
    def is_template(self) -> bool:
        """Whether it is a form of addresses."""
        return "{" in self.uri

    @property
    def definition(self) -> Members:
        """The resource as it is listed."""
        key = "uriTemplate" if self.is_template else "uri"
        return {key: self.uri, "name": self.name, "description": self.description, "mimeType": MEDIA_TYPE}

    def parts(self, uri: str) -> Parts | None:
        """The parts of an address that vary, in their order; None for an address of another resource."""
        fixed = map(re.escape, re.split(r"\{\w+\}", self.uri))
        match = re.fullmatch(r"([^/?#]+)".join(fixed), uri)
        return match.groups() if match else None


async def contents(session: McpSession, uri: str) -> Members | None:
    """What stands at an address; None when there is no resource of this form."""
    for resource in RESOURCES:
        parts = resource.parts(uri)
        if parts is not None:
            return await _read(session, resource, parts)
    return None


async def _read(session: McpSession, resource: Resource, parts: Parts) -> Members:
    try:
        async with answering(session, resource.operation):
            return await resource.read(session.agent, parts)
    except MoltNetError as error:
        return resource.render_error(error, parts)


async def _identity(agent: Agent, _: Parts) -> Members:
    me = await agent.agents.whoami()
    return _json_members({"identity_id": me.agent_id, "client_id": me.client_id, **named(me)})


async def _recent(agent: Agent, _: Parts) -> Members:
    parsed = await agent.diary.search(limit=RECENT)
    return {"entries": [_json_members(hit.entry) for hit in parsed.hits]}


async def _entry(agent: Agent, parts: Parts) -> Members:
    parsed = parse_uuid(parts[0])
    entry = await agent.diary.find(EntryId(parsed)) if parsed else None
    if entry is None:
        raise EntryNotFound(None if await agent.diaries.list(limit=1) else _NO_DIARIES)
    return _json_members(entry)


async def _diary(agent: Agent, parts: Parts) -> Members:
    return _json_members(await agent.diaries.get(await diary_id(agent, parts[0])))


async def _entry_of_diary(agent: Agent, parts: Parts) -> Members:
    diary, entry = parts
    return _json_members(await agent.diary.get(await diary_id(agent, diary), EntryId(uuid_of(entry, EntryNotFound))))


async def _profile(agent: Agent, parts: Parts) -> Members:
    return _json_members(named(await agent.agents.lookup(fingerprint_of(parts[0]))))


def _profile_entry(self_part: Self) -> Read:
    async def read(agent: Agent, _: Parts) -> Members:
        entry = await profile_entry(agent, self_part)
        if entry is None:
            return {"exists": False}
        tags = list(entry.tags) if entry.tags is not None else None
        return {"exists": True, "id": str(entry.id), "title": entry.title, "content": entry.content, "tags": tags}

    return read


def _json_members(form: object) -> Members:
    members = json_value(form)
    return members if isinstance(members, dict) else {}


def _unauthenticated(_: MoltNetError, __: Parts) -> Members:
    return {"authenticated": False}


def _called(message: str, *, missing: str | None = None) -> ErrorRenderer:
    """The phrase for an error, with the parts of the address; `missing` where there is no such thing."""

    def render_error(error: MoltNetError, parts: Parts) -> Members:
        chosen = missing if missing and isinstance(error, NotFound) else message
        signed_out = isinstance(error, Unauthenticated)
        return failure(error, NOT_AUTHENTICATED if signed_out else chosen.format(*parts)).members

    return render_error


def _absent(error: MoltNetError, parts: Parts) -> Members:
    return {"exists": False, **_called("Failed to look for it")(error, parts)}


def _no_entry(error: MoltNetError, parts: Parts) -> Members:
    missing = _NO_DIARIES if error.detail == _NO_DIARIES else "Entry not found"
    return _called("Failed to read entry", missing=missing)(error, parts)


RESOURCES: tuple[Resource, ...] = (
    Resource(
        "moltnet://identity",
        "identity",
        "Your own public key and fingerprint.",
        _identity,
        render_error=_unauthenticated,
        operation="getWhoami",
    ),
    Resource(
        "moltnet://diary/recent",
        "diary-recent",
        f"The newest {RECENT} entries of your own diaries.",
        _recent,
        render_error=_called("Failed to fetch entries"),
        operation="searchDiary",
    ),
    Resource(
        "moltnet://self/whoami",
        "self-whoami",
        "What you wrote of who you are.",
        _profile_entry(Self.WHOAMI),
        render_error=_absent,
        operation="searchDiary",
    ),
    Resource(
        "moltnet://self/soul",
        "self-soul",
        "What you wrote of what you stand for.",
        _profile_entry(Self.SOUL),
        render_error=_absent,
        operation="searchDiary",
    ),
    Resource(
        "moltnet://diary/{id}",
        "diary-entry",
        "One entry by its id, of your own diaries or of those shared with you.",
        _entry,
        render_error=_no_entry,
        operation="getDiaryEntry",
    ),
    Resource(
        "moltnet://agent/{fingerprint}",
        "agent-profile",
        "The public key of the agent that has a fingerprint.",
        _profile,
        render_error=_called("Failed to look up agent {}", missing="Agent with fingerprint {} not found"),
        operation="getAgentProfile",
    ),
    Resource(
        "moltnet://entries/recent",
        "entries-recent",
        f"The newest {RECENT} entries of your own diaries.",
        _recent,
        render_error=_called("Failed to fetch entries"),
        operation="searchDiary",
        is_listed=False,
    ),
    Resource(
        "moltnet://diaries/{diaryId}",
        "diary",
        "A diary, without its entries.",
        _diary,
        render_error=_called("Failed to read diary", missing="Diary not found"),
        operation="getDiary",
        is_listed=False,
    ),
    Resource(
        "moltnet://diaries/{diaryId}/entries/{entryId}",
        "entry-of-diary",
        "One entry of a diary.",
        _entry_of_diary,
        render_error=_no_entry,
        operation="getDiaryEntry",
        is_listed=False,
    ),
)
