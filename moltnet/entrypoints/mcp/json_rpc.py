"""One message over HTTP: from a JSON-RPC body to the body of its answer, in either of the protocol's eras.

Nothing is stored between two messages, of a session as little as of a request from 2026-07-28 on: each is handed to the
official package's kernel by itself (`serve_one`), so that any process of a server answers any message. The package's
own HTTP transport keeps a task and two streams for each session, which no other process can reach.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import anyio
import attrs
from mcp.server.connection import Connection
from mcp.server.runner import modern_error_data, serve_one
from mcp.shared.dispatcher import CallOptions
from mcp.shared.exceptions import NoBackChannelError
from mcp.shared.inbound import (
    ERROR_CODE_HTTP_STATUS,
    MCP_PROTOCOL_VERSION_HEADER,
    InboundLadderRejection,
    classify_inbound_request,
    find_duplicated_routing_header,
    unsupported_protocol_version_rejection,
)
from mcp.shared.message import MessageMetadata, ServerMessageMetadata
from mcp.shared.transport_context import TransportContext
from mcp_types import (
    DEFAULT_NEGOTIATED_VERSION,
    HEADER_MISMATCH,
    INVALID_REQUEST,
    PARSE_ERROR,
    ErrorData,
    JSONRPCNotification,
    JSONRPCRequest,
    RequestId,
)
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS
from pydantic import ValidationError

from moltnet.entrypoints.mcp.calls import needs_credentials, with_schemes
from moltnet.entrypoints.mcp.server import mcp_server
from moltnet.entrypoints.mcp.sessions import McpSession
from moltnet.entrypoints.rest.bodies import value_text
from moltnet.entrypoints.rest.json_text import to_json

_TRANSPORT = TransportContext(kind="streamable-http", can_send_request=False)


@attrs.frozen
class Reply:
    """The answer to one message; a notification has none but a status."""

    status: int
    body: bytes | None = None


NOT_ONE_MESSAGE = (INVALID_REQUEST, "The body must be one JSON-RPC request or notification")


class JsonRpcHandler:
    """The server, and its way from bodies to bodies."""

    def __init__(self) -> None:
        self._server = mcp_server()

    @staticmethod
    def is_modern(headers: Mapping[str, str]) -> bool:
        """Whether a request is of the era without sessions; one that names no version is not."""
        version = headers.get(MCP_PROTOCOL_VERSION_HEADER)
        return version is not None and version not in HANDSHAKE_PROTOCOL_VERSIONS

    @staticmethod
    def opens_session(message: object) -> bool:
        """Whether a message of the other era is the one a session begins with."""
        return isinstance(message, dict) and message.get("method") == "initialize"

    @staticmethod
    def needs_credentials(message: object) -> bool:
        """Whether a message asks for what only an agent is given."""
        return needs_credentials(message)

    @staticmethod
    def not_json() -> Reply:
        """The answer to a body that is not JSON."""
        return _refusal(PARSE_ERROR, "Parse error")

    async def answer(self, message: object, headers: Mapping[str, str], session: McpSession) -> Reply:
        """The answer to the message of a request with these headers; nothing is raised."""
        if not isinstance(message, dict):
            return _refusal(*NOT_ONE_MESSAGE)
        try:
            if "id" not in message or _is_response(message):
                return _acknowledged(message, headers)
            request = JSONRPCRequest.model_validate(message)
        except ValidationError:
            return _refusal(*NOT_ONE_MESSAGE)
        connection = _connection(message, headers)
        if isinstance(connection, InboundLadderRejection):
            error = ErrorData(code=connection.code, message=connection.message, data=connection.data)
            return _failed(request.id, error, is_modern=True)
        return await self._answered(request, connection, session, is_modern=JsonRpcHandler.is_modern(headers))

    async def _answered(
        self, request: JSONRPCRequest, connection: Connection, session: McpSession, *, is_modern: bool
    ) -> Reply:
        context = _DispatchContext(request.id, ServerMessageMetadata(request_context=session))
        try:
            result = await serve_one(
                self._server, context, request.method, request.params, connection=connection, lifespan_state={}
            )
        except Exception as error:  # noqa: BLE001  # the package's own ladder: it logs what is no client's fault
            return _failed(request.id, modern_error_data(error), is_modern=is_modern)
        if request.method == "tools/list":
            result = with_schemes(result)
        answer = {"jsonrpc": "2.0", "id": request.id, "result": result}
        return Reply(HTTPStatus.OK, await value_text(session.workers, answer))


def _refusal(code: int, message: str) -> Reply:
    body = {"jsonrpc": "2.0", "id": None, "error": {"code": code, "message": message}}
    return Reply(HTTPStatus.BAD_REQUEST, to_json(body))


def _is_response(message: Mapping[str, object]) -> bool:
    return "method" not in message and ("result" in message or "error" in message)


def _acknowledged(message: dict[str, object], headers: Mapping[str, str]) -> Reply:
    # Nothing is ever asked of a client, and nothing continues that a notification could end.
    if JsonRpcHandler.is_modern(headers):
        JSONRPCNotification.model_validate(message)
        version = headers.get(MCP_PROTOCOL_VERSION_HEADER, "")
        unsupported = unsupported_protocol_version_rejection(version)
        if unsupported is not None:
            error = ErrorData(code=unsupported.code, message=unsupported.message, data=unsupported.data)
            return _failed(None, error, is_modern=True)
    elif not _is_response(message):
        JSONRPCNotification.model_validate(message)
    return Reply(HTTPStatus.ACCEPTED)


def _connection(message: dict[str, Any], headers: Mapping[str, str]) -> Connection | InboundLadderRejection:
    if not JsonRpcHandler.is_modern(headers):
        version = headers.get(MCP_PROTOCOL_VERSION_HEADER, DEFAULT_NEGOTIATED_VERSION)
        return Connection.from_envelope(version, None, None)
    duplicated = find_duplicated_routing_header(headers.items())
    if duplicated is not None:
        return InboundLadderRejection(HEADER_MISMATCH, f"{duplicated} header appears more than once")
    route = classify_inbound_request(message, headers={name.lower(): value for name, value in headers.items()})
    if isinstance(route, InboundLadderRejection):
        return route
    return Connection.from_envelope(route.protocol_version, route.client_info, route.client_capabilities)


def _failed(request_id: RequestId | None, error: ErrorData, *, is_modern: bool) -> Reply:
    # Up to 2025-11-25 an error is an answer like another; from 2026-07-28 on it has a status too.
    status = ERROR_CODE_HTTP_STATUS.get(error.code, HTTPStatus.OK) if is_modern else HTTPStatus.OK
    members = error.model_dump(mode="json", by_alias=True, exclude_none=True)
    return Reply(int(status), to_json({"jsonrpc": "2.0", "id": request_id, "error": members}))


class _DispatchContext:
    """The kernel's view of one request: a way in and a way out, and no way to ask the client anything."""

    transport = _TRANSPORT
    can_send_request = False

    def __init__(self, request_id: RequestId, metadata: MessageMetadata) -> None:
        self.request_id: RequestId | None = request_id
        self.message_metadata = metadata
        self.cancel_requested = anyio.Event()

    async def send_raw_request(
        self,
        method: str,
        params: Mapping[str, Any] | None,  # noqa: ARG002  # named by the package
        opts: CallOptions | None = None,  # noqa: ARG002  # named by the package
    ) -> dict[str, Any]:
        """There is no way back to the client."""
        raise NoBackChannelError(method)

    async def notify(self, method: str, params: Mapping[str, Any] | None, opts: CallOptions | None = None) -> None:
        """Drops it: the answer is one JSON text."""

    async def progress(self, progress: float, total: float | None = None, message: str | None = None) -> None:
        """Drops it, for the same reason."""
