"""The page, and who may see it: whoever reaches a server of this machine alone, or who has the operator's token."""

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial

from aiohttp import web

from moltnet.domain.caller import Tier
from moltnet.domain.errors import MoltNetError, Unauthenticated, Unavailable
from moltnet.domain.ids import AgentId
from moltnet.domain.keys import Fingerprint
from moltnet.domain.services import Services
from moltnet.domain.services.statistics import NetworkState
from moltnet.entrypoints.rest.access_log import ACCESS_LOG
from moltnet.entrypoints.rest.options import SERVICES
from moltnet.entrypoints.rest.refusals import UnknownRoute
from moltnet.entrypoints.web.console.endpoint import ConsoleEndpoint, ConsoleRequest, ConsoleRoute, see_other
from moltnet.entrypoints.web.operator.measurements import Measurements
from moltnet.entrypoints.web.operator.plots import HEIGHT, WIDTH, Plot
from moltnet.entrypoints.web.routing import WEB_OPTIONS, Html

MEASUREMENTS = web.AppKey("measurements", Measurements)
OPERATOR, SIGN_IN, SIGN_OUT = "/operator", "/operator/sign-in", "/operator/sign-out"
LIFETIME = timedelta(hours=1)
_COOKIE = "moltnet-operator"
_SHOWN = 20
_FORWARDED = frozenset({"forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip"})


class WrongOperatorToken(Unauthenticated):
    """A text that is not the operator's token."""

    code = "WRONG_OPERATOR_TOKEN"
    sentence = "This is not the operator's token (MOLTNET_OPERATOR_TOKEN)"


def mount_operator(app: web.Application) -> None:
    """Serves the page, and begins to measure; to be called before the application starts.

    Where nobody could ever see the page, it is not there and nothing is measured.
    """
    options = app[WEB_OPTIONS]
    if not options.is_operators_machine and options.operator_token is None:
        return
    app[MEASUREMENTS] = measurements = Measurements()
    app[ACCESS_LOG].observers.append(measurements.record)
    for route in ROUTES:
        handle = ConsoleEndpoint(route, app[SERVICES]).handle
        for method in ("GET", "HEAD") if route.method == "GET" else (route.method,):
            app.router.add_route(method, route.path, handle)


async def _page(asked: ConsoleRequest) -> Html | web.Response:
    if not _is_operator(asked.request):
        return see_other(SIGN_IN)
    services, measurements = asked.services, asked.request.app[MEASUREMENTS]
    latest = sorted(measurements.agents.items(), key=lambda item: -item[1].at)[:_SHOWN]
    readiness = await services.readiness.fresh()
    state, names = await _stored(services, (agent_id for agent_id, _ in latest))
    values = {
        "readiness": readiness,
        "state": state,
        "serving": services.search.embedding_model,
        "started_at": datetime.fromtimestamp(measurements.started_at, UTC),
        "agents": [
            (names.get(agent), datetime.fromtimestamp(activity.at, UTC), activity.requests)
            for agent, activity in latest
        ],
        "limited": sorted(measurements.limited.items(), key=lambda item: -item[1])[:_SHOWN],
        "growth": _growth(state) if state else [],
        "load": _load(measurements),
        "plot_width": WIDTH,
        "plot_height": HEIGHT,
        "may_sign_out": not asked.request.app[WEB_OPTIONS].is_operators_machine,
    }
    return Html("operator/page.html", values)


async def _stored(
    services: Services, agent_ids: Iterable[AgentId]
) -> tuple[NetworkState | None, Mapping[AgentId, Fingerprint]]:
    """What the database says; nothing while it does not answer, which is when the page is looked at most."""
    if services.readiness.now().parts.get("database"):
        return None, {}
    try:
        return await services.statistics.state(), await services.directory.fingerprints(agent_ids)
    except Unavailable:
        return None, {}


def _growth(state: NetworkState) -> list[Plot]:
    a_day = partial(Plot.of, unit="today", since=f"{state.days[0]:%-d %B}", until="today")
    return [
        a_day("New entries", values=state.a_day(state.arrivals.entries)),
        a_day("New agents", values=state.a_day(state.arrivals.agents)),
    ]


def _load(measurements: Measurements) -> list[Plot]:
    minutes = list(measurements.minutes())
    a_minute = partial(Plot.of, unit="a minute now", since="6 h ago", until="now")
    return [
        a_minute("Requests", values=[minute.requests for minute in minutes]),
        a_minute("Latency, 95 of 100", unit="ms now", values=[minute.latency_ms(0.95) for minute in minutes]),
        a_minute("Writes", values=[minute.writes for minute in minutes]),
        a_minute("Searches", values=[minute.searches for minute in minutes]),
        a_minute("Refused by limits", values=[minute.limited for minute in minutes]),
        a_minute("Failed", values=[minute.failed for minute in minutes]),
    ]


async def _sign_in_page(asked: ConsoleRequest, refused: MoltNetError | None = None) -> Html:
    if asked.request.app[WEB_OPTIONS].operator_token is None:
        raise UnknownRoute
    return Html("operator/sign_in.html", {"refused": refused})


async def _sign_in(asked: ConsoleRequest) -> web.Response:
    token = asked.request.app[WEB_OPTIONS].operator_token
    typed = asked.fields.text("token").strip()
    if token is None or not hmac.compare_digest(_digest(token), _digest(typed)):
        raise WrongOperatorToken
    answer, expires = see_other(OPERATOR), int((datetime.now(UTC) + LIFETIME).timestamp())
    answer.set_cookie(
        _COOKIE,
        f"{expires}.{_mac(token, expires)}",
        max_age=int(LIFETIME.total_seconds()),
        path=OPERATOR,
        httponly=True,
        secure=asked.request.app[WEB_OPTIONS].urls.api_url.startswith("https:"),
        samesite="Strict",
    )
    return answer


async def _sign_out(_: ConsoleRequest) -> web.Response:
    answer = see_other(SIGN_IN)
    answer.del_cookie(_COOKIE, path=OPERATOR)
    return answer


def _is_operator(request: web.Request) -> bool:
    options = request.app[WEB_OPTIONS]
    # A proxy on this machine that nobody told the server of would let everybody in.
    if options.is_operators_machine and not _FORWARDED.intersection(map(str.lower, request.headers)):
        return True
    expires, _, mac = request.cookies.get(_COOKIE, "").partition(".")
    if options.operator_token is None or not (expires.isascii() and expires.isdigit() and len(expires) <= 12):  # noqa: PLR2004 - fits
        return False
    is_ours = hmac.compare_digest(_mac(options.operator_token, int(expires)).encode(), mac.encode("utf-8", "replace"))
    return is_ours and datetime.now(UTC).timestamp() < int(expires)


def _mac(token: str, expires: int) -> str:
    """What a cookie is recognised by: another token ends all of them."""
    return hmac.new(_digest(token), f"operator:{expires}".encode(), hashlib.sha256).hexdigest()


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


# The page itself is not counted: whoever may not see it is only sent on.
_route = partial(ConsoleRoute, is_open=True, has_session=False, act="operator")
ROUTES = (
    _route("GET", OPERATOR, _page, tier=None),
    _route("GET", SIGN_IN, _sign_in_page),
    _route("POST", SIGN_IN, _sign_in, again=_sign_in_page, tier=Tier.RECOVERY),
    _route("POST", SIGN_OUT, _sign_out),
)
