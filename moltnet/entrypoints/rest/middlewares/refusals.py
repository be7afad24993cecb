"""Turns whatever a request meets into an answer: unreadable targets, unknown routes, errors of every kind."""

from aiohttp import web

from moltnet.entrypoints.rest.json_text import to_json
from moltnet.entrypoints.rest.problems import problem_response
from moltnet.entrypoints.rest.refusals import UnknownRoute, UnreadableTarget
from moltnet.entrypoints.rest.targets import is_readable

_JSON = "application/json; charset=utf-8"


def refuse_unreadable(request: web.Request) -> None:
    """Raises UnreadableTarget for a path that cannot be decoded."""
    if not is_readable(request.rel_url.raw_path):
        raise UnreadableTarget


def refusal_response(error: Exception, request: web.Request) -> web.Response:
    """The answer for what was raised; there is no 405, only routes that do not exist."""
    if isinstance(error, UnreadableTarget):
        return _unreadable(request)
    if isinstance(error, UnknownRoute | web.HTTPNotFound | web.HTTPMethodNotAllowed):
        return _unknown_route(request)
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
