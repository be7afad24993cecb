"""Turns whatever a request meets into an answer: unreadable targets, unknown routes, errors of every kind."""

from aiohttp import web
from aiohttp.typedefs import Handler

from moltnet.entrypoints.rest.json_text import to_json
from moltnet.entrypoints.rest.problems import problem_response
from moltnet.entrypoints.rest.refusals import UnknownRoute
from moltnet.entrypoints.rest.targets import is_readable

_JSON = "application/json; charset=utf-8"


@web.middleware
async def refusals(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The handler's answer, or the one for what it raised; there is no 405, only routes that do not exist."""
    if not is_readable(request.rel_url.raw_path):
        return _unreadable(request)
    try:
        return await handler(request)
    except (UnknownRoute, web.HTTPNotFound, web.HTTPMethodNotAllowed):
        return _unknown_route(request)
    except Exception as error:  # noqa: BLE001 - the last place that can still answer; it is logged there
        return problem_response(error, request)


def _unreadable(request: web.Request) -> web.Response:
    members = {
        "error": "Bad Request",
        "code": "FST_ERR_BAD_URL",
        "message": f"'{request.raw_path}' is not a valid url component",
        "statusCode": 400,
    }
    return web.Response(status=400, body=to_json(members), headers={"Content-Type": "application/json"})


def _unknown_route(request: web.Request) -> web.Response:
    message = f"Route {request.method}:{request.raw_path} not found"
    members = {"message": message, "error": "Not Found", "statusCode": 404}
    return web.Response(status=404, body=to_json(members), headers={"Content-Type": _JSON})
