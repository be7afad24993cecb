"""What the application and each request carry, under typed keys."""

from aiohttp import web
from multidict import CIMultiDict

from moltnet.domain.caller import Caller
from moltnet.domain.limits import Allowance
from moltnet.domain.services import Services
from moltnet.entrypoints.rest.options import RestOptions
from moltnet.entrypoints.rest.reference import Reference

SERVICES = web.AppKey("services", Services)
OPTIONS = web.AppKey("options", RestOptions)
REFERENCE = web.AppKey("reference", Reference)

REQUEST_ID = web.RequestKey("request_id", str)
"""The client's name for the request, or ours; in the answer and in the log."""

CLIENT_ADDRESS = web.RequestKey("client_address", str)
"""The address that asks: of the connection, or the one that trusted proxies name."""

ALLOWANCE = web.RequestKey("allowance", Allowance)
"""What the asker may still do in this minute; absent where nothing is counted."""

CALLER = web.RequestKey("caller", Caller)
"""Whose token was accepted; absent before that, and for anonymous requests."""

ORIGIN_HEADERS = web.RequestKey("origin_headers", CIMultiDict[str])
"""What the answer tells a browser about origins; absent on requests that never reached a route."""
