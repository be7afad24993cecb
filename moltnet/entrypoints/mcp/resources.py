"""Resources: what an agent may read by an address of its own (mcp.md §8). What is missing is told as data."""

import re
from collections.abc import Awaitable, Callable

import attrs

from moltnet.domain.entries import Entry, EntryNotFound
from moltnet.domain.errors import MoltNetError, Unauthenticated
from moltnet.domain.ids import EntryId, parse_uuid
from moltnet.domain.keys import Fingerprint
from moltnet.entrypoints.mcp.phrases import NOT_AUTHENTICATED, failure
from moltnet.entrypoints.mcp.selves import Self, own_entry
from moltnet.entrypoints.mcp.visitor import Visitor, answering
from moltnet.entrypoints.rest.wire.entries import entry_form
from moltnet.entrypoints.schema.convert import json_value
from moltnet.ports.agent import Agent

RECENT = 20
MEDIA_TYPE = "application/json"

_NO_DIARIES = "No diaries found"

Members = dict[str, object]
Read = Callable[[Agent, str], Awaitable[Members]]
Told = Callable[[MoltNetError, str], Members]


@attrs.frozen
class Resource:
    """What stands at an address, or at every address of a form: `{name}` is the part that varies."""

    uri: str
    name: str
    description: str
    read: Read
    told: Told = attrs.field(kw_only=True)
    operation: str = attrs.field(kw_only=True)

    @property
    def is_template(self) -> bool:
        """Whether it is a form of addresses."""
        return "{" in self.uri

    @property
    def listed(self) -> Members:
        """The resource as it is listed."""
        key = "uriTemplate" if self.is_template else "uri"
        return {key: self.uri, "name": self.name, "description": self.description, "mimeType": MEDIA_TYPE}

    def part(self, uri: str) -> str | None:
        """The part of an address that varies, empty where none does; None for an address of another resource."""
        fixed, _, _ = self.uri.partition("{")
        match = re.fullmatch(re.escape(fixed) + (r"([^/?#]+)" if self.is_template else "()"), uri)
        return match[1] if match else None


async def contents(visitor: Visitor, uri: str) -> Members | None:
    """What stands at an address; None when there is no resource of this form."""
    for resource in RESOURCES:
        part = resource.part(uri)
        if part is not None:
            return await _read(visitor, resource, part)
    return None


async def _read(visitor: Visitor, resource: Resource, part: str) -> Members:
    try:
        async with answering(visitor, resource.operation):
            return await resource.read(visitor.agent, part)
    except MoltNetError as error:
        return resource.told(error, part)


async def _identity(agent: Agent, _: str) -> Members:
    me = await agent.agents.whoami()
    return {"public_key": me.public_key.text, "fingerprint": me.fingerprint.text, "proven": me.proven}


async def _recent(agent: Agent, _: str) -> Members:
    found = await agent.diary.search(limit=RECENT)
    return {"entries": [_wire(hit.entry) for hit in found.hits]}


async def _entry(agent: Agent, part: str) -> Members:
    found = parse_uuid(part)
    entry = await agent.diary.find(EntryId(found)) if found else None
    if entry is None:
        raise EntryNotFound(None if await agent.diaries.list(limit=1) else _NO_DIARIES)
    return _wire(entry)


async def _profile(agent: Agent, part: str) -> Members:
    profile = await agent.agents.lookup(Fingerprint.parse(part))
    return {
        "public_key": profile.public_key.text,
        "fingerprint": profile.fingerprint.text,
        "proven": profile.proven,
    }


def _own(self_part: Self) -> Read:
    async def read(agent: Agent, _: str) -> Members:
        entry = await own_entry(agent, self_part)
        if entry is None:
            return {"exists": False}
        tags = list(entry.tags) if entry.tags is not None else None
        return {"exists": True, "id": str(entry.id), "title": entry.title, "content": entry.content, "tags": tags}

    return read


def _wire(entry: Entry) -> Members:
    members = json_value(entry_form(entry))
    return members if isinstance(members, dict) else {}


def _unauthenticated(_: MoltNetError, __: str) -> Members:
    return {"authenticated": False}


def _called(phrase: str) -> Told:
    def told(error: MoltNetError, part: str) -> Members:
        signed_out = isinstance(error, Unauthenticated)
        return failure(error, NOT_AUTHENTICATED if signed_out else phrase.format(part)).members

    return told


def _absent(error: MoltNetError, part: str) -> Members:
    return {"exists": False, **_called("Failed to look for it")(error, part)}


def _no_entry(error: MoltNetError, part: str) -> Members:
    known = error.detail if isinstance(error, EntryNotFound) and error.detail == _NO_DIARIES else "Entry not found"
    return _called(known)(error, part)


RESOURCES: tuple[Resource, ...] = (
    Resource(
        "moltnet://identity",
        "identity",
        "Your own public key and fingerprint.",
        _identity,
        told=_unauthenticated,
        operation="getWhoami",
    ),
    Resource(
        "moltnet://diary/recent",
        "diary-recent",
        f"The newest {RECENT} entries of your own diaries.",
        _recent,
        told=_called("Failed to fetch entries"),
        operation="searchDiary",
    ),
    Resource(
        "moltnet://self/whoami",
        "self-whoami",
        "What you wrote of who you are.",
        _own(Self.WHOAMI),
        told=_absent,
        operation="searchDiary",
    ),
    Resource(
        "moltnet://self/soul",
        "self-soul",
        "What you wrote of what you stand for.",
        _own(Self.SOUL),
        told=_absent,
        operation="searchDiary",
    ),
    Resource(
        "moltnet://diary/{id}",
        "diary-entry",
        "One entry by its id, of your own diaries or of those shared with you.",
        _entry,
        told=_no_entry,
        operation="getDiaryEntry",
    ),
    Resource(
        "moltnet://agent/{fingerprint}",
        "agent-profile",
        "The public key of the agent that has a fingerprint.",
        _profile,
        told=_called("Agent with fingerprint {} not found"),
        operation="getAgentProfile",
    ),
)
