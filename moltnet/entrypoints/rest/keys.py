"""What the application and each request carry, under typed keys."""

import attrs
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


@attrs.define
class RequestContext:
    """What is known of one request; what is None was not found out, or not yet.

    Attributes:
        request_id: the client's name for the request, or ours; in the answer and in the log.
        address: who asks: the address of the connection, or the one that trusted proxies name.
        origin_headers: what the answer tells a browser about origins; None for targets nobody can read.
        allowance: what the asker may still do in this minute; None where nothing is counted.
        caller: whose token was accepted; None before that, and for anonymous requests.
    """

    request_id: str
    address: str
    origin_headers: CIMultiDict[str] | None = None
    allowance: Allowance | None = None
    caller: Caller | None = None


REQUEST_CONTEXT = web.RequestKey("visit", RequestContext)
