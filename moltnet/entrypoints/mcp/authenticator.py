"""Who comes in over HTTP: by bearer token, by client credentials in two headers, or anonymously.

Source: docs/reference/mcp.md, "Authentication".
"""

import time
from collections.abc import Mapping
from http import HTTPStatus

from aiohttp import web

from moltnet.domain.caller import ANONYMOUS, Anonymous, Caller
from moltnet.domain.credentials import AccessToken, InvalidToken
from moltnet.domain.errors import MoltNetError, Unavailable
from moltnet.domain.limits import Tier
from moltnet.domain.services import Services
from moltnet.entrypoints.mcp.mcp_session import TooManyCalls
from moltnet.entrypoints.mcp.routes import MCP_PATH, RESOURCE_PATH
from moltnet.entrypoints.mcp.token_exchange import CoolingDown, Credentials, TokenExchange
from moltnet.entrypoints.rest.authentication import RequestCount
from moltnet.entrypoints.rest.json_text import to_json
from moltnet.entrypoints.rest.options import REQUEST_CONTEXT
from moltnet.entrypoints.rest.refusals import TooManyRequests
from moltnet.entrypoints.rest.request_parts import token_of

CLIENT_ID, CLIENT_SECRET = "X-Client-Id", "X-Client-Secret"
MESSAGE = "message"
TOKEN_OPERATION = "getOAuth2Token"  # noqa: S105  # the name of an operation
RETRY_UNAVAILABLE_S = 5
SIGN_IN = "Show a bearer token, or X-Client-Id and X-Client-Secret"


class AuthenticationRejected(Exception):
    """A request that does not come in; `answer` says why, in this endpoint's own forms."""

    def __init__(self, answer: web.Response) -> None:
        super().__init__(answer.status)
        self.answer = answer


class McpAuthenticator:
    """Finds out who sends a request. `resource` is where this network is, as it says about itself.

    `anonymous` says whether a client without credentials comes in.
    """

    def __init__(self, services: Services, resource: str, *, anonymous: bool = True) -> None:
        self._services = services
        self._anonymous = anonymous
        self._token_exchange = TokenExchange(self._issue, time.monotonic)
        self._challenge = f'Bearer realm="MCP Server", resource_metadata="{resource}{RESOURCE_PATH}{MCP_PATH}"'

    async def admit(self, request: web.Request) -> Caller | Anonymous:
        """The sender, counted.

        Raises AuthenticationRejected for credentials that do not hold, for none where there must be some, and for one
        message too many.
        """
        count = RequestCount(Tier.MCP, MESSAGE, request[REQUEST_CONTEXT], self._services.throttling)
        try:
            caller = await self._sender(request, count)
        except AuthenticationRejected as rejection:
            if rejection.answer.status != HTTPStatus.TOO_MANY_REQUESTS:
                await self._counted(count, ANONYMOUS)
            raise
        await self._counted(count, caller)
        if isinstance(caller, Anonymous) and not self._anonymous:
            raise self.authorization_required()
        return caller

    async def _sender(self, request: web.Request, count: RequestCount) -> Caller | Anonymous:
        if "Authorization" in request.headers:
            return await self._by_bearer(request.headers, count)
        credentials = _credentials(request.headers)
        if credentials is None:
            return Anonymous(request[REQUEST_CONTEXT].address)
        return await self._by_credentials(credentials, request, count)

    async def _counted(self, count: RequestCount, caller: Caller | Anonymous) -> None:
        try:
            await count(caller)
        except TooManyRequests as error:
            raise _limited(error) from error
        except Unavailable as error:
            raise _bad_gateway(error) from error

    def authorization_required(self) -> AuthenticationRejected:
        """For a client that asks for what needs credentials and shows none."""
        return self._unauthorized("authorization_required", SIGN_IN)

    @property
    def result_challenge(self) -> str:
        """The same for a client that reads it in a result, where it has to say its error itself."""
        return f'{self._challenge}, error="insufficient_scope", error_description="{SIGN_IN}"'

    async def _by_bearer(self, headers: Mapping[str, str], count: RequestCount) -> Caller:
        try:
            return await self._services.authentication.authenticate(token_of(headers) or "", count)
        except TooManyRequests as error:
            raise _limited(error) from error
        except Unavailable as error:
            raise _bad_gateway(error) from error
        except MoltNetError as error:
            raise self._unauthorized("invalid_token", error.detail) from error

    async def _by_credentials(self, credentials: Credentials, request: web.Request, count: RequestCount) -> Caller:
        try:
            # Cached tokens end early when the secret is replaced; one more look says whether these credentials did too.
            try:
                return await self._signed_in(credentials, request, count)
            except InvalidToken:
                self._token_exchange.forget(credentials)
                return await self._signed_in(credentials, request, count)
        except (CoolingDown, TooManyCalls, TooManyRequests) as error:
            raise _limited(error) from error
        except Unavailable as error:
            raise _bad_gateway(error) from error
        except MoltNetError as error:
            raise _rejected(error) from error

    async def _signed_in(self, credentials: Credentials, request: web.Request, count: RequestCount) -> Caller:
        token = await self._token_exchange.token(credentials, request[REQUEST_CONTEXT].address)
        return await self._services.authentication.authenticate(token, count)

    async def _issue(self, credentials: Credentials, address: str) -> AccessToken:
        # As the token endpoint counts it: by address, since nobody knows yet who it is.
        allowance = await self._services.throttling.count(Tier.GLOBAL, TOKEN_OPERATION, ANONYMOUS, address)
        if not allowance.allowed:
            raise TooManyCalls(allowance.reset_s)
        return await self._services.credentials.token(credentials.client_id, credentials.client_secret, None)

    def _unauthorized(self, error: str, description: str) -> AuthenticationRejected:
        return _rejection(
            HTTPStatus.UNAUTHORIZED,
            {"error": error, "error_description": description},
            {"WWW-Authenticate": self._challenge},
        )


def _credentials(headers: Mapping[str, str]) -> Credentials | None:
    client_id, client_secret = headers.get(CLIENT_ID), headers.get(CLIENT_SECRET)
    if not client_id or not client_secret:
        return None
    return Credentials(client_id=client_id, client_secret=client_secret)


def _rejected(_: MoltNetError) -> AuthenticationRejected:
    status = HTTPStatus.UNAUTHORIZED
    message = f"The token endpoint rejected credentials (HTTP {status})"
    return _rejection(status, {"error": "UNAUTHORIZED", "message": message})


def _limited(error: CoolingDown | TooManyCalls | TooManyRequests) -> AuthenticationRejected:
    members = {"error": "RATE_LIMITED", "message": error.detail}
    return _rejection(HTTPStatus.TOO_MANY_REQUESTS, members, {"Retry-After": str(error.retry_after_s)})


def _bad_gateway(_: Unavailable) -> AuthenticationRejected:
    members = {"error": "BAD_GATEWAY", "message": "The token endpoint is unreachable"}
    return _rejection(HTTPStatus.BAD_GATEWAY, members, {"Retry-After": str(RETRY_UNAVAILABLE_S)})


def _rejection(
    status: HTTPStatus, members: Mapping[str, str], headers: Mapping[str, str] | None = None
) -> AuthenticationRejected:
    fields = {"Content-Type": "application/json; charset=utf-8", **(headers or {})}
    return AuthenticationRejected(web.Response(status=status, body=to_json(members), headers=fields))
