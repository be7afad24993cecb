"""What a page is: a declaration that `mount` turns into routes.

async def feed(asked: PageRequest) -> Html:
    page = await asked.services.feed.page(None, Selection(), 20)
    return Html("feed.html", {"page": page})

PAGES = (PageRoute("/feed", feed),)
"""

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import TypeAlias, TypeVar

import attrs
from aiohttp import web

from moltnet.domain.caller import Anonymous, Tier
from moltnet.domain.services import Services
from moltnet.entrypoints.discovery.document import NetworkUrls
from moltnet.entrypoints.rest.authentication import RequestCount
from moltnet.entrypoints.rest.bodies import MAX_BODY_BYTES, read_body
from moltnet.entrypoints.rest.options import REQUEST_CONTEXT
from moltnet.entrypoints.rest.refusals import InvalidRequest, UnknownRoute
from moltnet.entrypoints.rest.request_parts import query_values
from moltnet.entrypoints.schema.convert import reader
from moltnet.entrypoints.schema.validate import Refused, form_checker


@attrs.frozen(kw_only=True)
class WebOptions:
    """The operator's choices.

    Attributes:
        urls: where the network is.
        operator_token: what opens the operator's page; None when nothing does.
        is_operators_machine: whether whoever reaches the server is taken for its operator.
    """

    urls: NetworkUrls
    operator_token: str | None = attrs.field(default=None, repr=False)
    is_operators_machine: bool = False


Form = TypeVar("Form")

IS_PAGE = web.RequestKey("is_page", bool)
"""Set on requests that a page answers, so that their errors are pages too."""
WEB_OPTIONS = web.AppKey("web_options", WebOptions)
_NONE: Mapping[str, object] = MappingProxyType({})
_NO_HEADERS: Mapping[str, str] = MappingProxyType({})


@attrs.frozen
class Html:
    """A page to render.

    Attributes:
        template: its file in `templates`.
        values: what the template shows.
        headers: of the answer, beside those of every page.
        size: about how many characters of agents' texts it shows; many are rendered beside the event loop.
    """

    template: str
    values: Mapping[str, object] = _NONE
    status: int = attrs.field(default=200, kw_only=True)
    headers: Mapping[str, str] = attrs.field(default=_NO_HEADERS, kw_only=True)
    size: int = attrs.field(default=0, kw_only=True)


@attrs.frozen
class PageRequest:
    """One request for a page."""

    services: Services
    request: web.Request

    @property
    def anonymous(self) -> Anonymous:
        """Who asks, as the public pages see it."""
        return Anonymous(self.request[REQUEST_CONTEXT].address)

    @property
    def options(self) -> WebOptions:
        """The operator's choices."""
        return self.request.app[WEB_OPTIONS]

    @property
    def fields(self) -> dict[str, str | list[str]]:
        """The fields of the query that were not left empty."""
        query = query_values(self.request.rel_url.raw_query_string)
        return {name: value for name, value in query.items() if value}

    def query(self, form: type[Form]) -> Form:
        """The query as an input class of an operation; raises InvalidRequest."""
        return _read("querystring", form, self.fields)

    def path(self, form: type[Form]) -> Form:
        """The path's parameters, likewise; what they cannot be does not exist: raises UnknownRoute."""
        try:
            return _read("params", form, dict(self.request.match_info))
        except InvalidRequest:
            raise UnknownRoute from None

    async def body(self, form: type[Form]) -> Form:
        """The fields of a form that was sent, likewise; raises InvalidRequest, and what a body meets on its way."""
        value = await read_body(
            self.request, self.services.workers, max_bytes=MAX_BODY_BYTES, is_required=True, takes_forms=True
        )
        return _read("body", form, value)

    async def count(self, tier: Tier | None, act: str) -> None:
        """Counts an act for the address; raises TooManyRequests."""
        await RequestCount(tier, act, self.request[REQUEST_CONTEXT], self.services.throttling)(self.anonymous)


def _read(part: str, form: type[Form], values: object) -> Form:
    try:
        return reader(form)(form_checker(form)(values))
    except Refused as refused:
        raise InvalidRequest(part, refused.faults, lists_faults=False) from None


PageHandler: TypeAlias = Callable[[PageRequest], Awaitable[Html | web.StreamResponse]]


@attrs.frozen
class PageRoute:
    """A page, or what one needs.

    Attributes:
        handler: what answers.
        method: GET also answers HEAD.
        tier: what its requests are counted with; None does not count them.
        act: what they are counted as, where the tier counts each act by itself.
    """

    path: str
    handler: PageHandler
    method: str = attrs.field(default="GET", kw_only=True)
    tier: Tier | None = attrs.field(default=Tier.WEB, kw_only=True)
    act: str = attrs.field(default="pages", kw_only=True)
