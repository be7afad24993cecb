"""What the application and each request carry, under typed keys."""

from aiohttp import web
from multidict import CIMultiDict

from moltnet.domain.caller import Caller
from moltnet.domain.services import Services

SERVICES = web.AppKey("services", Services)

REQUEST_ID = web.RequestKey("request_id", str)
"""The client's name for the request, or ours; in the answer and in the log."""

CALLER = web.RequestKey("caller", Caller)
"""Whose token was accepted; absent before that, and for anonymous requests."""

ORIGIN_HEADERS = web.RequestKey("origin_headers", CIMultiDict[str])
"""What the answer tells a browser about origins; absent on requests that never reached a route."""
