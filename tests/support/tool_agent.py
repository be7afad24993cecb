"""An agent whose requests go through MCP tools: the agent's port over MCP, for the suite of that port.

It is the agent over REST with another door. Where a tool does what a request asks, the tool is called; its answer is
given back as REST would have told it. What tools leave out of a thing (its exact version, when a request was made) or
of a list (what says nothing) is read by REST, and what they do tell is held against that. What no tool has an argument
for goes by REST: keys, conditions, searches without a query, and texts that the MCP door would cut or clean.
"""

import json
import re
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import attrs

from moltnet.adapters.http.agent import AgentTokens, HttpConnection
from moltnet.adapters.http.rest_client import RestClient, TryOutcome
from moltnet.domain.credentials import ClientSecret
from moltnet.domain.ids import parse_uuid
from moltnet.entrypoints.library.agent import RemoteAgent
from moltnet.entrypoints.mcp.tools.tool import TEXT_MAX, UnsanitizableInput, cleaned
from moltnet.ports.keys import KeyPair
from moltnet.ports.remote import RemoteReply, RemoteRequest

Json = dict[str, Any]
ErrorRenderer = Callable[[Json], object]


@attrs.frozen
class Way:
    """How a request goes through a tool: what of the tool's answer is REST's, and where the whole thing is read."""

    method: str
    path: str
    tool: str
    told: ErrorRenderer
    whole: str | None = None
    names: Mapping[str, str] = {}
    is_part: bool = False

    def match(self, method: str, path: str) -> dict[str, str] | None:
        """The arguments that a path holds; None for another request."""
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>(?!whoami)[^/]+)", self.path)
        found = re.fullmatch(pattern, path) if method == self.method else None
        return {name: unquote(value) for name, value in found.groupdict().items()} if found else None


def member(name: str) -> ErrorRenderer:
    """One member of a tool's answer."""
    return lambda answer: answer[name]


def whole(answer: Json) -> object:
    """All of a tool's answer."""
    return answer


def done(_: Json) -> object:
    """That it is done."""
    return {"success": True}


DIARY, ENTRIES = "/diaries/{diary_ref}", "/diaries/{diary_ref}/entries"
REQUESTS, FEED = "/crypto/signing-requests", "/public/feed"
WAYS = (
    Way("GET", "/diaries", "diaries_list", lambda answer: {"items": answer["diaries"]}),
    Way("POST", "/diaries", "diaries_create", member("diary"), "/diaries/{id}"),
    Way("GET", "/diaries/invitations", "invitations_list", whole),
    Way("POST", "/diaries/invitations/{invitation_id}/accept", "invitations_accept", member("invitation")),
    Way("POST", "/diaries/invitations/{invitation_id}/decline", "invitations_decline", member("invitation")),
    Way(
        "POST",
        "/diaries/search",
        "diary_search",
        lambda answer: {**answer, "searchType": answer["search_type"], "leftOut": answer.get("left_out") or []},
        names={"diaryId": "diary_ref"},
        is_part=True,
    ),
    Way("GET", "/diaries/reflect", "diary_reflect", member("digest"), names={"diaryId": "diary_ref"}, is_part=True),
    Way("GET", DIARY, "diaries_get", member("diary"), "/diaries/{id}"),
    Way("PATCH", DIARY, "diaries_update", member("diary"), "/diaries/{id}"),
    Way("DELETE", DIARY, "diaries_delete", done),
    Way("POST", f"{DIARY}/share", "diary_share", member("share")),
    Way("GET", f"{DIARY}/share", "diary_list_shares", whole),
    Way("DELETE", f"{DIARY}/share/{{fingerprint}}", "diary_unshare", done),
    Way(
        "POST",
        ENTRIES,
        "diary_create",
        lambda answer: answer["entry"] | {"duplicateOf": answer.get("duplicate_of"), "similar": answer.get("similar")},
        "/diaries/{diaryId}/entries/{id}",
    ),
    Way("GET", ENTRIES, "diary_list", whole, is_part=True),
    Way("GET", f"{ENTRIES}/{{entry_id}}", "diary_get", member("entry"), "/diaries/{diaryId}/entries/{id}"),
    Way("PATCH", f"{ENTRIES}/{{entry_id}}", "diary_update", member("entry"), "/diaries/{diaryId}/entries/{id}"),
    Way("DELETE", f"{ENTRIES}/{{entry_id}}", "diary_delete", done),
    Way("POST", f"{DIARY}/records/prepare", "record_prepare", lambda answer: _camel(answer["record"])),
    Way(
        "POST",
        f"{DIARY}/records/prepare-removal",
        "record_prepare_removal",
        lambda answer: _camel(answer["record"]),
    ),
    Way("POST", "/records/{id}/sign", "record_submit", member("appended")),
    Way("POST", REQUESTS, "crypto_prepare_signature", whole, f"{REQUESTS}/{{request_id}}"),
    Way("GET", f"{REQUESTS}/{{request_id}}", "crypto_signing_status", whole, f"{REQUESTS}/{{request_id}}"),
    Way("POST", f"{REQUESTS}/{{request_id}}/sign", "crypto_submit_signature", whole, f"{REQUESTS}/{{request_id}}"),
    Way("POST", "/crypto/verify", "crypto_verify", whole),
    Way("GET", "/agents/{fingerprint}", "agent_lookup", lambda answer: _camel(answer["agent"])),
    Way("POST", "/vouch", "moltnet_vouch", member("voucher")),
    Way("GET", "/vouch/active", "moltnet_vouchers", whole),
    Way("GET", FEED, "public_feed_browse", whole, is_part=True),
    Way("GET", f"{FEED}/search", "public_feed_search", whole, names={"q": "query"}, is_part=True),
    Way("GET", "/public/entry/{entry_id}", "public_feed_read", whole),
    Way("GET", "/.well-known/moltnet.json", "moltnet_info", whole),
)


class ToolDoor(RestClient):
    """The door that an `HttpConnection` has, with tools behind it; `used` has the names of those that were called."""

    def __init__(self, api_url: str) -> None:
        super().__init__(api_url)
        self.used: set[str] = set()
        self._arguments: Mapping[str, frozenset[str]] | None = None
        self._session_id = ""

    async def _try(self, call: RemoteRequest, token: str | None) -> TryOutcome:
        parts = urlsplit(call.path)
        way, placed = next(
            ((way, placed) for way in WAYS if (placed := way.match(call.method, parts.path)) is not None), (None, None)
        )
        if way is None or placed is None:
            return await super()._try(call, token)
        arguments = {**placed, **_named(way, call.json), **_named(way, dict(parse_qsl(parts.query)))}
        if not await self._covers(way.tool, arguments, call, token):
            return await super()._try(call, token)
        self.used.add(way.tool)
        result = await self._asked("tools/call", token, name=way.tool, arguments=arguments)
        reply = await self._reply(way, result, token)
        return await self._compared(call, token, reply) if way.is_part and reply.status == HTTPStatus.OK else reply

    async def _compared(self, call: RemoteRequest, token: str | None, told: RemoteReply) -> TryOutcome:
        """The whole of what a tool told a part of."""
        reply = await super()._try(call, token)
        assert isinstance(reply, RemoteReply), reply
        assert _is_part(told.value(), reply.value()), (told.value(), reply.value())
        return reply

    async def _covers(self, tool: str, arguments: Json, call: RemoteRequest, token: str | None) -> bool:
        if self._arguments is None:
            told = await self._asked("tools/list", token)
            self._arguments = {each["name"]: frozenset(each["inputSchema"]["properties"]) for each in told["tools"]}
        takes = self._arguments.get(tool)  # a stranger is shown the public ones
        query_is_missing = tool == "diary_search" and "query" not in arguments
        is_name = "diary_ref" in arguments and parse_uuid(arguments["diary_ref"]) is None  # means something to tools
        if takes is None or not set(arguments) <= takes or call.headers or query_is_missing or is_name:
            return False
        return _is_clean(arguments)

    async def _reply(self, way: Way, result: Json, token: str | None) -> RemoteReply:
        (content,) = result["content"]
        if result.get("isError"):
            return _refusal(content["text"])
        answer = json.loads(content["text"])
        told = way.told(answer)
        if way.whole is None:
            return RemoteReply(status=200, headers={}, raw=json.dumps(told).encode())
        assert isinstance(told, dict)
        return await self._completed(way.whole.format_map(told), told, token)

    async def _completed(self, path: str, told: Json, token: str | None) -> RemoteReply:
        reply = await super()._try(RemoteRequest(method="GET", path=path, repeatable=True), token)
        assert isinstance(reply, RemoteReply), reply
        if reply.status == HTTPStatus.FORBIDDEN:  # the token may not read: it is told what the tool told it
            return RemoteReply(status=HTTPStatus.OK, headers={}, raw=json.dumps(told).encode())
        by_rest: Any = reply.value()
        shared = {name: value for name, value in _camel(told).items() if name in by_rest and name not in _COUNTED}
        assert shared == {name: by_rest[name] for name in shared} or "message" in told, (told, by_rest)
        beyond = {name: told[name] for name in ("duplicateOf", "similar") if told.get(name)}
        return attrs.evolve(reply, raw=json.dumps(by_rest | beyond).encode()) if beyond else reply

    async def _asked(self, method: str, token: str | None, **params: object) -> Json:
        if token is None and not self._session_id:
            opening = {"capabilities": {}, "clientInfo": {"name": "a test", "version": "1"}}
            await self._posted(None, "initialize", {"protocolVersion": "2025-06-18", **opening})
        return await self._posted(token, method, params)

    async def _posted(self, token: str | None, method: str, params: Mapping[str, object]) -> Json:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if self._session_id:
            headers["Mcp-Session-Id"] = self._session_id
        message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        async with self.session().post(f"{self.api_url}/mcp", json=message, headers=headers) as answer:
            if answer.status == 401:
                return _dead_token(await answer.text())
            self._session_id = answer.headers["Mcp-Session-Id"]
            return dict((await answer.json())["result"])


class McpAgent(RemoteAgent):
    """An agent whose requests go through tools."""

    def __init__(self, api_url: str, credentials: ClientSecret | None = None, *, keys: KeyPair | None = None) -> None:
        super().__init__(_ToolConnection(api_url, credentials), keys=keys)


class _ToolConnection(HttpConnection):
    def __init__(self, api_url: str, credentials: ClientSecret | None) -> None:
        super().__init__(api_url)
        self._client = ToolDoor(api_url)
        if credentials is not None:
            self._tokens = AgentTokens(self._client, credentials)
            self._client.tokens = self._tokens


_COUNTED = {"accessCount", "lastAccessedAt", "score", "message"}


def _named(way: Way, values: object) -> Json:
    given = values if isinstance(values, dict) else {}
    named = {way.names.get(name, _snake(name)): value for name, value in given.items()}
    if isinstance(named.get("tags"), str):
        named["tags"] = named["tags"].split(",")
    if isinstance(named.get("entry_types"), str):
        named["entry_types"] = named["entry_types"].split(",")
    if named.get("include_flagged") == "false":
        del named["include_flagged"]
    if named.get("offset") == 0 and way.tool == "diary_search":
        del named["offset"]
    return named


def _is_part(told: Any, whole: Any) -> bool:
    """Whether all that is told is in the whole too, but for counters, rounding and hits of score 0."""
    if isinstance(told, dict) and isinstance(whole, dict):
        known = told.keys() & whole.keys() - _COUNTED - {"total", "generatedAt"}
        return all(_is_part(told[name], whole[name]) for name in known)
    if isinstance(told, list) and isinstance(whole, list):
        whole = [each for each in whole if not isinstance(each, dict) or round(each.get("score", 1), 3)]
        return len(told) == len(whole) and all(map(_is_part, told, whole))
    return bool(told == (round(whole, 3) if isinstance(whole, float) else whole))


def _is_clean(arguments: Json) -> bool:
    try:
        return cleaned(arguments) == arguments and "\\ud" not in json.dumps(arguments)
    except UnsanitizableInput:
        return len(str(arguments)) <= TEXT_MAX


def _refusal(text: str) -> RemoteReply:
    if text.startswith("Invalid tool arguments"):
        told: Json = {"code": "VALIDATION_FAILED", "detail": text, "status": 400}
    else:
        told = json.loads(text)
    return RemoteReply(status=told["status"], headers={}, raw=json.dumps(told).encode())


def _dead_token(text: str) -> Json:
    told = {"code": "UNAUTHORIZED", "status": 401, "detail": json.loads(text)["error_description"]}
    return {"isError": True, "content": [{"type": "text", "text": json.dumps(told)}], "tools": []}


def _snake(name: str) -> str:
    return re.sub(r"[A-Z]", lambda match: f"_{match[0].lower()}", name)


def _camel(members: Json) -> Json:
    return {re.sub(r"_(\w)", lambda match: match[1].upper(), name): value for name, value in members.items()}
