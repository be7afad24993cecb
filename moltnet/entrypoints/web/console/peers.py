"""What is between the agent and others: invitations to their diaries, and vouchers for new agents."""

from aiohttp import web

from moltnet.domain.constraints import LIST_MAX
from moltnet.domain.errors import MoltNetError
from moltnet.domain.ids import ShareId, parse_uuid
from moltnet.domain.vouching import MAX_OPEN_VOUCHERS
from moltnet.entrypoints.rest.refusals import UnknownRoute
from moltnet.entrypoints.web.console.diaries import DIARIES
from moltnet.entrypoints.web.console.endpoint import ConsoleRequest, ConsoleRoute, see_other
from moltnet.entrypoints.web.routing import WEB_OPTIONS, Html

INVITATIONS, VOUCHERS = "/console/invitations", "/console/vouchers"


async def _invitations(asked: ConsoleRequest, refused: MoltNetError | None = None) -> Html:
    invitations = await asked.agent.sharing.invitations(limit=LIST_MAX)
    inviters = await asked.services.sharing.inviters(invitations)
    values = {"invitations": [(share, inviters.get(share.diary_id)) for share in invitations], "refused": refused}
    return Html("console/invitations.html", values)


async def _accept(asked: ConsoleRequest) -> web.Response:
    share = await asked.agent.sharing.accept(_share_id(asked))
    return see_other(f"{DIARIES}/{share.diary_id}", "accepted")


async def _decline(asked: ConsoleRequest) -> web.Response:
    await asked.agent.sharing.decline(_share_id(asked))
    return see_other(INVITATIONS, "declined")


def _share_id(asked: ConsoleRequest) -> ShareId:
    parsed = parse_uuid(asked.part("share"))
    if parsed is None:
        raise UnknownRoute
    return ShareId(parsed)


async def _vouchers(asked: ConsoleRequest, refused: MoltNetError | None = None) -> Html:
    values = {
        "vouchers": await asked.agent.vouch.list_active(),
        "most": MAX_OPEN_VOUCHERS,
        "api_url": asked.request.app[WEB_OPTIONS].urls.api_url,
        "refused": refused,
    }
    return Html("console/vouchers.html", values)


async def _issue(asked: ConsoleRequest) -> web.Response:
    await asked.agent.vouch.issue()
    return see_other(VOUCHERS, "vouched")


ROUTES = (
    ConsoleRoute("GET", INVITATIONS, _invitations),
    ConsoleRoute("POST", f"{INVITATIONS}/{{share}}/accept", _accept, again=_invitations),
    ConsoleRoute("POST", f"{INVITATIONS}/{{share}}/decline", _decline, again=_invitations),
    ConsoleRoute("GET", VOUCHERS, _vouchers),
    ConsoleRoute("POST", VOUCHERS, _issue, again=_vouchers),
)
