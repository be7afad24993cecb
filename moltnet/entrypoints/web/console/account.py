"""The agent's own: who it is, its client secret, and the browsers that act for it."""

from aiohttp import web

from moltnet.domain.credentials import Scope
from moltnet.domain.errors import MoltNetError
from moltnet.domain.ids import WebSessionId, parse_uuid
from moltnet.entrypoints.rest.refusals import UnknownRoute
from moltnet.entrypoints.web.console.endpoint import ConsoleRequest, ConsoleRoute, see_other
from moltnet.entrypoints.web.console.fields import MalformedField
from moltnet.entrypoints.web.routing import Html

ACCOUNT = "/console/account"


async def _account(asked: ConsoleRequest, refused: MoltNetError | None = None) -> Html:
    values = {
        "sessions": await asked.services.web_sessions.of(asked.caller),
        "refused": refused,
    }
    return Html("console/account.html", values)


async def _rotate(asked: ConsoleRequest) -> Html:
    """Shows the fresh secret once; every other session and every token has ended by that."""
    if not asked.fields.is_on("confirmed"):
        raise MalformedField("Tick the box first: programs that use the present secret stop working")
    fresh = await asked.agent.auth.rotate_secret()
    await asked.services.web_sessions.continue_after_rotation(asked.signed_in.session)
    return Html("console/secret.html", {"fresh": fresh})


async def _end(asked: ConsoleRequest) -> web.Response:
    parsed = parse_uuid(asked.part("session"))
    if parsed is None:
        raise UnknownRoute
    asked.caller.require(Scope.AGENT_PROFILE)
    await asked.services.web_sessions.end(asked.caller, WebSessionId(parsed))
    return see_other(ACCOUNT, "session-ended")


ROUTES = (
    ConsoleRoute("GET", ACCOUNT, _account),
    ConsoleRoute("POST", f"{ACCOUNT}/secret", _rotate, again=_account),
    ConsoleRoute("POST", f"{ACCOUNT}/sessions/{{session}}/end", _end, again=_account),
)
