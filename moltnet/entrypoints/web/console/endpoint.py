"""Runs one page of the console: 1. whose page asks, 2. who is signed in, 3. counted, 4. the form is this browser's own.

Answers are stored by nobody. A refusal that the person can do something about is shown above the same form, with all
that was typed still in it.
"""

from collections.abc import Awaitable, Callable
from typing import TypeAlias
from urllib.parse import urlencode

import attrs
from aiohttp import web

from moltnet.domain.caller import AllowanceUsedUp, Anonymous, Caller, Tier
from moltnet.domain.credentials import Scope
from moltnet.domain.errors import MoltNetError, Unauthenticated
from moltnet.domain.ids import ANY_VERSION, Expected
from moltnet.domain.services import Services
from moltnet.domain.services.requests import ThrottlingService
from moltnet.domain.services.web_sessions import Browser
from moltnet.entrypoints.library.agent import Agent
from moltnet.entrypoints.library.transport import CallerContext, InProcess, Input, Output
from moltnet.entrypoints.operations.operation import Operation
from moltnet.entrypoints.rest.authentication import RequestCount
from moltnet.entrypoints.rest.options import REQUEST_CONTEXT
from moltnet.entrypoints.rest.problems import problem_answer
from moltnet.entrypoints.rest.refusals import ForeignOrigin
from moltnet.entrypoints.web.console import cookies
from moltnet.entrypoints.web.console.fields import Fields, form_fields, query_fields
from moltnet.entrypoints.web.rendering import PAGE_HEADERS, render
from moltnet.entrypoints.web.routing import IS_PAGE, WEB_OPTIONS, Html


@attrs.frozen
class CountedTransport(InProcess):
    """The transport within this process, where each operation is counted for the agent as the same one over REST.

    What only reads and has no tier of its own is counted with the page that shows it.
    """

    _throttling: ThrottlingService
    _address: str

    async def call(
        self,
        operation: Operation[Input, Output],
        request: Input,
        *,
        key: str | None = None,
        expected: Expected = ANY_VERSION,
    ) -> Output:
        """What the use case answers; raises AllowanceUsedUp beside what `InProcess.call` raises."""
        only_reads = operation.http is None or operation.http.method == "GET"
        if operation.rate is not None and not (operation.rate is Tier.GLOBAL and only_reads):
            caller = self._context.caller
            allowance = await self._throttling.count(operation.rate, operation.name, caller, self._address)
            if not allowance.allowed:
                raise AllowanceUsedUp(allowance.reset_s)
        return await super().call(operation, request, key=key, expected=expected)


HOME, SIGN_IN = "/console", "/console/sign-in"
FORM = "form-token"


class SessionOver(Unauthenticated):
    """A form came in without a session; what was typed is still in the browser."""

    code = "SESSION_OVER"
    sentence = (
        "You are signed out. Sign in in another tab, come back here and send the form again: what you typed is still "
        "there"
    )


@attrs.frozen(kw_only=True)
class ConsoleRequest:
    """One request of the console. `token` is what the browser shows, or will show from this answer on."""

    services: Services
    request: web.Request
    token: str
    fields: Fields
    browser: Browser | None

    @property
    def signed_in(self) -> Browser:
        """The session; raises Unauthenticated where there is none."""
        if self.browser is None:
            raise Unauthenticated
        return self.browser

    @property
    def caller(self) -> Caller:
        """The agent that the browser acts for."""
        return attrs.evolve(self.signed_in.caller, address=self.request[REQUEST_CONTEXT].address)

    @property
    def agent(self) -> Agent:
        """What the agent can do, counted as over REST."""
        context = CallerContext(services=self.services, caller=self.caller)
        urls = self.request.app[WEB_OPTIONS].urls
        return Agent(CountedTransport(context, urls, self.services.throttling, self.request[REQUEST_CONTEXT].address))

    @property
    def device(self) -> str:
        """What the browser calls itself."""
        return self.request.headers.get("User-Agent", "")

    def part(self, name: str) -> str:
        """A part of the path."""
        return self.request.match_info[name]


Handler: TypeAlias = Callable[[ConsoleRequest], Awaitable[Html | web.StreamResponse]]
ErrorHandler: TypeAlias = Callable[[ConsoleRequest, MoltNetError], Awaitable[Html]]


@attrs.frozen
class ConsoleRoute:
    """A page of the console, or what a form of one is sent to.

    Attributes:
        again: shows the form once more, with what was refused.
        is_open: whether it is for browsers without a session, too.
        has_session: whether it is asked at all which agent a browser acts for.
        tier: what its requests are counted with, by `act`; None does not count them.
    """

    method: str
    path: str
    handler: Handler
    again: ErrorHandler | None = attrs.field(default=None, kw_only=True)
    is_open: bool = attrs.field(default=False, kw_only=True)
    has_session: bool = attrs.field(default=True, kw_only=True)
    tier: Tier | None = attrs.field(default=Tier.WEB, kw_only=True)
    act: str = attrs.field(default="console", kw_only=True)


class ConsoleEndpoint:
    """A page with its checks made; `handle` is what the router calls."""

    def __init__(self, route: ConsoleRoute, services: Services) -> None:
        self._route, self._services = route, services

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """The page; what it refuses is raised, and made a page by `error_page`, unless the form is shown again."""
        request[IS_PAGE] = True
        context, sessions = request[REQUEST_CONTEXT], self._services.web_sessions
        if not cookies.is_own_origin(request):
            raise ForeignOrigin
        shown = cookies.token_of(request)
        browser = await sessions.resolve(shown) if shown and self._route.has_session else None
        context.caller = browser.caller if browser else None
        count = RequestCount(self._route.tier, self._route.act, context, self._services.throttling)
        await count(browser.caller if browser else Anonymous(context.address))
        if browser is None and not self._route.is_open and request.method != "POST":
            return _to_sign_in(request)
        fields = await form_fields(request) if request.method == "POST" else query_fields(request)
        asked = ConsoleRequest(
            services=self._services,
            request=request,
            token=shown or sessions.anonymous_token(),
            fields=fields,
            browser=browser,
        )
        answer, status = await self._answer(asked)
        if isinstance(answer, Html):
            answer = await self._page(asked, attrs.evolve(answer, status=status or answer.status))
        answer.headers["Cache-Control"] = "no-store"
        if shown is None and not answer.cookies:
            cookies.set_token(request, answer, asked.token)
        return answer

    async def _answer(self, asked: ConsoleRequest) -> tuple[Html | web.StreamResponse, int | None]:
        try:
            if asked.request.method == "POST":
                if asked.browser is None and not self._route.is_open:
                    raise SessionOver
                self._services.web_sessions.check_form(asked.fields.text(FORM), asked.token)
            return await self._route.handler(asked), None
        except MoltNetError as error:
            if self._route.again is None or (asked.browser is None and not self._route.is_open):
                raise
            return await self._route.again(asked, error), problem_answer(error, "/").status

    async def _page(self, asked: ConsoleRequest, page: Html) -> web.Response:
        browser = asked.browser
        values = {
            "form_token": self._services.web_sessions.form_token(asked.token),
            "signed_in": browser,
            "can": {scope.name.lower(): bool(browser and scope in browser.caller.scopes) for scope in Scope},
            "done": asked.fields.text("done"),
            **page.values,
        }
        text = await self._services.workers.run(
            lambda: render(asked.request, attrs.evolve(page, values=values)), page.size
        )
        return web.Response(status=page.status, body=text, headers={**PAGE_HEADERS, **page.headers})


def see_other(path: str, done: str | None = None) -> web.Response:
    """Sends the browser on after a form was carried out (RFC 9110 §15.4.4); `done` names what to say there."""
    query = "?" + urlencode({"done": done}) if done else ""
    return web.Response(status=303, headers={"Location": path + query})


def safe_path(text: str) -> str:
    """A path of the console to go on to after signing in; anything else is its first page."""
    is_plain = text.startswith(HOME + "/") and text.isascii() and text.isprintable() and "\\" not in text
    return text if is_plain else HOME


def _to_sign_in(request: web.Request) -> web.Response:
    further = "" if request.path == HOME else "?" + urlencode({"next": request.path_qs})
    return web.Response(status=303, headers={"Location": SIGN_IN + further, "Cache-Control": "no-store"})
