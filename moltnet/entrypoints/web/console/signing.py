"""Signing requests: what the agent is asked to sign, and signing it with the key in the browser."""

from aiohttp import web

from moltnet.domain.errors import MoltNetError
from moltnet.domain.ids import SigningRequestId, parse_uuid
from moltnet.domain.signing import MESSAGE_MAX, SigningStatus
from moltnet.entrypoints.rest.refusals import UnknownRoute
from moltnet.entrypoints.web.console.endpoint import ConsoleRequest, ConsoleRoute, see_other
from moltnet.entrypoints.web.routing import Html

SIGNING = "/console/signing"
_ONE = SIGNING + "/{request}"
PER_PAGE = 20


async def _list(asked: ConsoleRequest, refused: MoltNetError | None = None) -> Html:
    page, status = max(1, asked.fields.number("page", 1)), asked.fields.choice("status", SigningStatus)
    requests, total = await asked.agent.crypto.signing_requests.list(
        statuses=[status] if status else (), limit=PER_PAGE, offset=(page - 1) * PER_PAGE
    )
    values = {
        "requests": requests,
        "total": total,
        "page": page,
        "pages": max(1, -(-total // PER_PAGE)),
        "status": status,
        "statuses": list(SigningStatus),
        "message": asked.fields.text("message"),
        "message_max": MESSAGE_MAX,
        "refused": refused,
    }
    return Html("console/signing.html", values, size=sum(len(each.message) for each in requests))


async def _create(asked: ConsoleRequest) -> web.Response:
    request = await asked.agent.crypto.signing_requests.create(asked.fields.text("message"))
    return see_other(f"{SIGNING}/{request.id}")


async def _get(asked: ConsoleRequest, refused: MoltNetError | None = None) -> Html:
    request = await asked.agent.crypto.signing_requests.get(_request_id(asked))
    values = {"request": request, "fingerprint": asked.caller.public_key.fingerprint, "refused": refused}
    return Html("console/signing_request.html", values, size=len(request.message))


async def _sign(asked: ConsoleRequest) -> web.Response:
    await asked.agent.crypto.signing_requests.submit(_request_id(asked), asked.fields.text("signature").strip())
    return see_other(f"{SIGNING}/{_request_id(asked)}")


def _request_id(asked: ConsoleRequest) -> SigningRequestId:
    parsed = parse_uuid(asked.part("request"))
    if parsed is None:
        raise UnknownRoute
    return SigningRequestId(parsed)


ROUTES = (
    ConsoleRoute("GET", SIGNING, _list),
    ConsoleRoute("POST", SIGNING, _create, again=_list),
    ConsoleRoute("GET", _ONE, _get),
    ConsoleRoute("POST", _ONE, _sign, again=_get),
)
