"""Routes made to see the rules that all routes share, and a way to send a request byte by byte."""

import asyncio
from typing import Annotated, Any

import attrs

from moltnet.domain.caller import Anonymous
from moltnet.domain.constraints import Integer, Text
from moltnet.domain.credentials import Scope
from moltnet.domain.diaries import DiaryNotFound
from moltnet.domain.errors import StatementTimedOut, StorageUnavailable
from moltnet.domain.ids import DiaryId
from moltnet.entrypoints.operations.operation import Auth
from moltnet.entrypoints.rest.refusals import MalformedBody, TooManyRequests
from moltnet.entrypoints.rest.routing import Answer, Call, Route

ORIGIN = "https://themolt.net"
ID = "880e8400-e29b-41d4-a716-446655440004"


@attrs.frozen(kw_only=True)
class Path:
    diary_id: DiaryId


@attrs.frozen(kw_only=True)
class NamePath:
    name: str


@attrs.frozen(kw_only=True)
class Note:
    text: Annotated[str, Text(1, 10)]


@attrs.frozen(kw_only=True)
class Paging:
    limit: Annotated[int, Integer(1, 100)] = 20
    q: str | None = None


@attrs.frozen(kw_only=True)
class RenderedError:
    who: str | None
    text: str | None = None
    limit: int | None = None


@attrs.frozen(kw_only=True)
class Fields:
    grant_type: str | None = None


def who(call: Call[Any, Any, Any]) -> str | None:
    return None if isinstance(call.caller, Anonymous) else str(call.caller.agent_id)


async def read(call: Call[Any, None, Paging]) -> Answer:
    return Answer(RenderedError(who=who(call), text=call.query.q, limit=call.query.limit))


async def write(call: Call[Path, Note, Paging]) -> Answer:
    return Answer(RenderedError(who=str(call.agent.agent_id), text=call.body.text), status=201)


async def named(call: Call[NamePath, None, None]) -> Answer:
    return Answer({"name": call.params.name})


async def act(call: Call[None, None, None]) -> Answer:
    return Answer(RenderedError(who=who(call)))


async def note(call: Call[None, Note, None]) -> Answer:
    return Answer(RenderedError(who=None, text=call.body.text))


async def broken(_: Call[None, None, None]) -> Answer:
    raise KeyError("secret-in-the-message")


async def down(_: Call[None, None, None]) -> Answer:
    raise StorageUnavailable("secret-in-the-message")


async def slow(_: Call[None, None, None]) -> Answer:
    raise StatementTimedOut("secret-in-the-message")


async def missing(_: Call[None, None, Paging]) -> Answer:
    raise DiaryNotFound


async def throttled(_: Call[None, None, None]) -> Answer:
    raise TooManyRequests(7)


async def token(call: Call[None, Fields, None]) -> Answer:
    return Answer({"grant": call.body.grant_type}, headers={"Cache-Control": "no-store"})


def oauth_refusal(error: Exception) -> Answer | None:
    return Answer({"error": "invalid_request"}, status=400) if isinstance(error, MalformedBody) else None


def route(method: str, path: str, handler: Any, **more: Any) -> Route[Any, Any, Any]:
    return Route(method, path, handler.__name__ + path, "diary", handler, **({"answers": {200: RenderedError}} | more))


ROUTES = (
    route("GET", "/open", read, auth=Auth.NONE, query=Paging),
    route("GET", "/maybe", read, auth=Auth.OPTIONAL, query=Paging, scopes=(Scope.DIARY_READ,)),
    route("GET", "/closed", read, query=Paging),
    route("POST", "/diaries/{diaryId}/notes", write, params=Path, body=Note, query=Paging, scopes=(Scope.DIARY_WRITE,)),
    route("POST", "/quiet", note, auth=Auth.NONE, body=Note, lists_errors=False),
    route("POST", "/notes", note, auth=Auth.NONE, body=Note),
    route("POST", "/act", act, auth=Auth.NONE),
    route("DELETE", "/act", act, auth=Auth.NONE),
    route("GET", "/names/{name}", named, auth=Auth.NONE, params=NamePath),
    route("GET", "/names/static", act, auth=Auth.NONE),
    route("GET", "/broken", broken, auth=Auth.NONE),
    route("GET", "/down", down, auth=Auth.NONE),
    route("GET", "/slow", slow, auth=Auth.NONE),
    route("GET", "/missing", missing, query=Paging),
    route("GET", "/throttled", throttled, auth=Auth.NONE),
    route("POST", "/recovery/note", note, auth=Auth.NONE, body=Note),
    route("POST", "/token", token, auth=Auth.NONE, body=Fields, takes_forms=True, refusal_form=oauth_refusal),
)


async def raw(client, text: str | bytes) -> tuple[int, dict[str, str], bytes]:
    """One request, byte by byte, and the answer's status, headers and body."""
    reader, writer = await asyncio.open_connection(client.server.host, client.server.port)
    writer.write(text.encode() if isinstance(text, str) else text)
    await writer.drain()
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    writer.close()
    await writer.wait_closed()
    return int(head[0].split(" ")[1]), headers, body


def get(target: str, *headers: str) -> str:
    return "\r\n".join([f"GET {target} HTTP/1.1", "Host: x", *headers, "Connection: close", "", ""])
