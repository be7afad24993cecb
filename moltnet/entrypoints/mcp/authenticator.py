"""Who comes in over HTTP: by bearer token, by client credentials in two headers, or anonymously.

Source: docs/reference/mcp.md, "Authentication".
"""

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus

import attrs
from aiohttp import web
from cachetools import LRUCache, TLRUCache

from moltnet.domain.caller import ANONYMOUS, Anonymous, Caller, Tier
from moltnet.domain.credentials import AccessToken, InvalidToken
from moltnet.domain.errors import Limited, MoltNetError, Unavailable
from moltnet.domain.services import Services
from moltnet.entrypoints.mcp.routes import MCP_PATH, RESOURCE_PATH
from moltnet.entrypoints.mcp.sessions import TooManyCalls
from moltnet.entrypoints.rest.authentication import RequestCount
from moltnet.entrypoints.rest.json_text import to_json
from moltnet.entrypoints.rest.options import REQUEST_CONTEXT
from moltnet.entrypoints.rest.refusals import TooManyRequests
from moltnet.entrypoints.rest.request_parts import token_of

FAILURES_BEFORE_COOLDOWN = 5
COOLDOWN_S = 60.0
# A token is not handed out in the last moments of its life.
SAFETY_S = 30.0
CACHED = 10_000

Issue = Callable[["Credentials", str], Awaitable[AccessToken]]


class CoolingDown(Limited):
    """These credentials were refused too often; for a while they are not looked at."""

    code = "CREDENTIALS_COOLING_DOWN"

    def __init__(self, retry_after_s: int) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(f"These credentials were refused too often. Try again in {retry_after_s} seconds")


@attrs.frozen(kw_only=True)
class Credentials:
    """What a client shows instead of a token."""

    client_id: str
    client_secret: str = attrs.field(repr=False)

    @property
    def key(self) -> str:
        """What is stored of them: a wrong secret never meets what belongs to the right one."""
        digest = hashlib.sha256(self.client_secret.encode("utf-8", "surrogatepass")).hexdigest()
        return f"{self.client_id}:{digest}"


class TokenExchange:
    """Trades credentials for tokens, and keeps these as long as they are good.

    The same credentials at the same time are traded once. Refusals are counted for each id and secret together, and
    only where no token is at hand, so that nobody's wrong guesses lock the rightful holder out.
    """

    def __init__(self, issue: Issue, now: Callable[[], float], most: int = CACHED) -> None:
        self._issue = issue
        self._now = now
        # Bounded, since any client chooses the keys.
        self._tokens: TLRUCache[str, tuple[str, float]] = TLRUCache(most, lambda _, entry, __: entry[1], now)
        self._failures: LRUCache[str, tuple[int, float]] = LRUCache(most)
        self._under_way: dict[str, asyncio.Task[str]] = {}

    async def token(self, credentials: Credentials, address: str) -> str:
        """A token for credentials that came from an address; raises CoolingDown, and what issuing one raises."""
        key = credentials.key
        cached = self._tokens.get(key)
        if cached is not None:
            return cached[0]
        self._refuse_while_cooling(key)
        task = self._under_way.get(key)
        if task is None:
            task = self._under_way[key] = asyncio.create_task(self._trade(credentials, address, key))
            task.add_done_callback(lambda done: self._finish(key, done))
        # Anyone who came first may go away: the others still want it.
        return await asyncio.shield(task)

    def forget(self, credentials: Credentials) -> None:
        """Drops the token that is stored for these credentials: it is not good any more."""
        self._tokens.pop(credentials.key, None)

    async def _trade(self, credentials: Credentials, address: str, key: str) -> str:
        try:
            token = await self._issue(credentials, address)
        except Limited:
            raise  # nobody looked at them
        except MoltNetError:
            self._record_failure(key)
            raise
        self._failures.pop(key, None)
        self._tokens[key] = token.text, self._now() + token.lifetime.total_seconds() - SAFETY_S
        return token.text

    def _finish(self, key: str, done: "asyncio.Task[str]") -> None:
        del self._under_way[key]
        if not done.cancelled():
            done.exception()  # looked at, in case nobody waits any more

    def _refuse_while_cooling(self, key: str) -> None:
        _, until = self._failures.get(key) or (0, 0.0)
        remaining_s = until - self._now()
        if remaining_s > 0:
            raise CoolingDown(int(remaining_s) + 1)

    def _record_failure(self, key: str) -> None:
        count = (self._failures.get(key) or (0, 0.0))[0] + 1
        until = self._now() + COOLDOWN_S if count >= FAILURES_BEFORE_COOLDOWN else 0.0
        self._failures[key] = count, until


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
        address = request[REQUEST_CONTEXT].address
        return attrs.evolve(caller, address=address) if isinstance(caller, Caller) else caller

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
