"""`/mcp` over HTTP: Streamable HTTP whose every answer is one JSON text, and that keeps nothing.

Source: docs/reference/mcp.md, "Transport" and "Authentication".
"""

import asyncio
from collections.abc import Sequence
from http import HTTPStatus
from importlib import import_module
from typing import TYPE_CHECKING, Never

import attrs
from aiohttp import web

from moltnet.domain.caller import Anonymous, Caller
from moltnet.domain.feed import PublicEntry
from moltnet.domain.services import Services
from moltnet.entrypoints.discovery.document import NetworkUrls
from moltnet.entrypoints.library.agent import LocalAgent
from moltnet.entrypoints.mcp.authenticator import AuthenticationRejected, McpAuthenticator
from moltnet.entrypoints.mcp.sessions import LocalMcpSession, Sessions, reads_challenges_in_results
from moltnet.entrypoints.rest.bodies import MAX_BODY_BYTES, read_body
from moltnet.entrypoints.rest.json_text import to_json
from moltnet.entrypoints.rest.options import REQUEST_CONTEXT, StreamLimits
from moltnet.entrypoints.rest.refusals import MalformedBody
from moltnet.entrypoints.rest.stream import HEARTBEAT, OpenStreams

if TYPE_CHECKING:
    from moltnet.entrypoints.mcp.json_rpc import JsonRpcHandler, Reply
from moltnet.entrypoints.mcp.routes import MCP_PATH, ROUTES
from moltnet.entrypoints.rest.app import add_route
from moltnet.entrypoints.rest.options import SERVICES

STREAMS_PER_ADDRESS = 100


@attrs.frozen(kw_only=True)
class McpOptions:
    """The operator's choices.

    Attributes:
        place: where the network is.
        session_secret: what session ids are made by; all processes of a server share it.
        anonymous: whether clients without credentials are served what needs none; else they are refused from the start.
        streams: what each listening client may take; many agents may live at one address.
    """

    urls: NetworkUrls
    session_secret: bytes = attrs.field(repr=False)
    anonymous: bool = True
    streams: StreamLimits = attrs.field(factory=lambda: StreamLimits(per_address=STREAMS_PER_ADDRESS))


SESSION_ID = "Mcp-Session-Id"
VERSION = "MCP-Protocol-Version"
EVENT_STREAM = "text/event-stream"
METHODS = "GET, POST, DELETE"
_JSON = "application/json"
# JSON-RPC 2.0 §5.1 leaves it to the server: what is not a fault of the message itself.
_REFUSED = -32000


class McpEndpoint:
    """Answers what comes to `/mcp`."""

    def __init__(self, services: Services, options: McpOptions) -> None:
        self._services = services
        self._urls = options.urls
        self._authenticator = McpAuthenticator(services, options.urls.api_url, anonymous=options.anonymous)
        self._sessions = Sessions(options.session_secret)
        self._listening: set[str] = set()
        self._loading: asyncio.Task[JsonRpcHandler] | None = None
        self.streams = OpenStreams(options.streams)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """The answer to a request of any method."""
        answer = {"POST": self._post, "GET": self._get, "DELETE": self._delete}.get(request.method)
        if answer is None:
            return _refused(HTTPStatus.METHOD_NOT_ALLOWED, "Method not allowed", Allow=METHODS)
        try:
            caller = await self._authenticator.admit(request)
            if isinstance(caller, Caller):
                request[REQUEST_CONTEXT].caller = caller
            return await answer(request, caller)
        except AuthenticationRejected as rejection:
            return rejection.answer

    async def _post(self, request: web.Request, caller: Caller | Anonymous) -> web.Response:
        handler = await self._handler()
        try:
            message = await read_body(
                request, self._services.workers, max_bytes=MAX_BODY_BYTES, is_required=True, takes_forms=False
            )
        except MalformedBody:
            return _answer(handler.not_json())
        session = self._session(request, caller, self._challenge(handler, request, message, caller))
        if handler.is_modern(request.headers):
            return _answer(await handler.answer(message, request.headers, session))
        session_id = self._session_id(handler, request, message, caller)
        reply = await handler.answer(message, request.headers, session)
        answer = _answer(reply)
        if reply.status < HTTPStatus.BAD_REQUEST:
            answer.headers[SESSION_ID] = session_id
        return answer

    async def _get(self, request: web.Request, _: Caller | Anonymous) -> web.StreamResponse:
        """A stream that stays silent: nothing is ever said unasked, but clients like to listen."""
        if EVENT_STREAM not in request.headers.get("Accept", ""):
            return _refused(HTTPStatus.METHOD_NOT_ALLOWED, f"Accept must name {EVENT_STREAM}", Allow=METHODS)
        session_id = request.headers.get(SESSION_ID, "")
        refusal = self._refuse_session(session_id)
        if refusal is not None:
            return refusal
        if session_id in self._listening:
            return _refused(HTTPStatus.CONFLICT, "This session has a stream already")
        self._listening.add(session_id)
        try:
            async with self.streams.open_stream(request) as stream:
                await stream.open()
                await stream.answer.write(HEARTBEAT)
                await stream.send(_Silence())
            return stream.answer
        finally:
            self._listening.discard(session_id)

    async def _delete(self, request: web.Request, _: Caller | Anonymous) -> web.Response:
        session_id = request.headers.get(SESSION_ID, "")
        refusal = self._refuse_session(session_id)
        if refusal is not None:
            return refusal
        self._sessions.end(session_id)
        return web.Response(status=HTTPStatus.NO_CONTENT)

    def _challenge(
        self, handler: "JsonRpcHandler", request: web.Request, message: object, caller: Caller | Anonymous
    ) -> str | None:
        """The challenge for the result of a message, if it needs credentials that are not there.

        Raises AuthenticationRejected for clients that take the challenge from the answer's status and head.
        """
        if isinstance(caller, Caller) or not handler.needs_credentials(message):
            return None
        in_session = self._sessions.reads_results(request.headers.get(SESSION_ID, ""))
        if in_session or reads_challenges_in_results(request.headers, message):
            return self._authenticator.result_challenge
        raise self._authenticator.authorization_required()

    def _session_id(
        self, handler: "JsonRpcHandler", request: web.Request, message: object, caller: Caller | Anonymous
    ) -> str:
        """The session's id, a new one where none is known; without credentials a client begins at the beginning."""
        session_id = request.headers.get(SESSION_ID, "")
        if session_id and self._sessions.knows(session_id):
            return session_id
        if isinstance(caller, Anonymous) and not handler.opens_session(message):
            raise self._authenticator.authorization_required()
        return self._sessions.new(reads_results=reads_challenges_in_results(request.headers, message))

    def _refuse_session(self, session_id: str) -> web.Response | None:
        if not session_id:
            return _refused(HTTPStatus.BAD_REQUEST, f"{SESSION_ID} is missing")
        if not self._sessions.knows(session_id):
            return _refused(HTTPStatus.NOT_FOUND, "Session not found")
        return None

    def _session(self, request: web.Request, caller: Caller | Anonymous, sign_in: str | None) -> LocalMcpSession:
        agent, address = LocalAgent(self._services, caller, self._urls), request[REQUEST_CONTEXT].address
        return LocalMcpSession(services=self._services, caller=caller, address=address, agent=agent, sign_in=sign_in)

    async def _handler(self) -> "JsonRpcHandler":
        """The server, made at the first message: a server that nobody speaks MCP to is half a second sooner there."""
        if self._loading is None:
            self._loading = asyncio.create_task(asyncio.to_thread(_load))
        return await asyncio.shield(self._loading)


class _Silence:
    """What is sent unasked."""

    def __aiter__(self) -> "_Silence":
        return self

    async def __anext__(self) -> Sequence[PublicEntry]:
        never: asyncio.Future[Never] = asyncio.get_running_loop().create_future()
        return await never


def _load() -> "JsonRpcHandler":
    handler: JsonRpcHandler = import_module("moltnet.entrypoints.mcp.json_rpc").JsonRpcHandler()
    return handler


def _answer(reply: "Reply") -> web.Response:
    if reply.body is None:
        return web.Response(status=reply.status)
    return web.Response(status=reply.status, body=reply.body, headers={"Content-Type": _JSON})


def _refused(status: HTTPStatus, message: str, **headers: str) -> web.Response:
    body = to_json({"jsonrpc": "2.0", "id": None, "error": {"code": _REFUSED, "message": message}})
    return web.Response(status=status, body=body, headers={"Content-Type": _JSON, **headers})


def mount_mcp(app: web.Application, options: McpOptions) -> None:
    """Serves `/mcp` and what stands beside it; to be called before the application starts."""
    endpoint = McpEndpoint(app[SERVICES], options)
    app.on_shutdown.append(endpoint.streams.end_all)
    # Both forms of the address: some clients, and some people, end it with a slash.
    for path in (MCP_PATH, f"{MCP_PATH}/"):
        app.router.add_route("*", path, endpoint.handle)
    for route in ROUTES:
        add_route(app, route)
