"""What the application and each request carry, and what may differ between two servers of this endpoint."""

from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Network

import attrs
from aiohttp import web
from multidict import CIMultiDict

from moltnet.domain.caller import Allowance, Caller
from moltnet.domain.services import Services
from moltnet.entrypoints.discovery.document import NetworkUrls

DEFAULT_ORIGINS = frozenset(
    {"https://themolt.net", "https://api.themolt.net", "http://localhost:3000", "http://localhost:8000"}
)


@attrs.frozen(kw_only=True)
class StreamLimits:
    """What a stream may take.

    Attributes:
        per_address: how many are open at once for one address, in this process.
        lifetime_s: after this a stream ends, and its reader comes back with the id of the last event.
        heartbeat_s: how long a stream is silent at most.
        send_timeout_s: how long a reader may keep the next event from being sent before it is cut off.
    """

    per_address: int = 5
    lifetime_s: float = 30 * 60
    heartbeat_s: float = 30
    send_timeout_s: float = 10


@attrs.frozen(kw_only=True)
class BodyLimits:
    """What request bodies may take.

    Attributes:
        total_s: how long one may take to arrive.
        grace_s: how long it may take whatever its size; beyond that, each `least_rate` bytes buy another second.
        least_rate: bytes per second.
        buffered_bytes: how much of all unfinished bodies is stored, in this process.
        buffered_bytes_per_address: the same for one address.
    """

    total_s: float = 30
    grace_s: float = 5
    least_rate: int = 1024
    buffered_bytes: int = 64 * 1_048_576
    buffered_bytes_per_address: int = 16 * 1_048_576

    def time_for(self, received: int) -> float:
        """How long a body may have taken, in seconds, when so many bytes of it are there."""
        return min(self.total_s, self.grace_s + received / self.least_rate)


@attrs.frozen(kw_only=True)
class ConnectionLimits:
    """What connections may take. An idle connection is one without a request.

    Attributes:
        total: how many are open at once, in this process; the longest idle one makes room for a new one.
        per_address: the same for one address (of IPv6, one subscriber's network); trusted proxies are not held to it.
        head_s: how long the head of a request may take, and the first one to begin.
        keep_alive_s: how long a connection may be idle after an answer.
        answer_s: how long a client may take to read an answer.
        farewell_s: how long a connection whose body was not read stays open after the answer, so that it is seen.
        leave_s: how long connections stay open, at the end of the process, for a request that is under way to it.
        silence_s: how long sent bytes may stay unconfirmed.
    """

    total: int = 2000
    per_address: int = 256
    head_s: float = 20
    keep_alive_s: float = 72
    answer_s: float = 60
    farewell_s: float = 1
    leave_s: float = 0.5
    silence_s: float = 60


@attrs.frozen(kw_only=True)
class RestOptions:
    """The operator's choices.

    Attributes:
        cors_origins: the sites whose pages may speak to it, exactly.
        api_url: where clients reach it, without a slash at the end.
        source_url: where this server's source is to be had; None when nobody says.
        trusted_proxies: who is trusted when it says for whom it asks.
        webhook_key: what the identity and token services show; None turns their webhooks off.
        hosts: the host names it answers to, without ports; None for any.
        streams: what each follower of the live feed may take.
        bodies: what request bodies may take.
    """

    cors_origins: frozenset[str] = DEFAULT_ORIGINS
    api_url: str = "https://api.themolt.net"
    source_url: str | None = None
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    webhook_key: str | None = attrs.field(default=None, repr=False)
    hosts: frozenset[str] | None = None
    streams: StreamLimits = StreamLimits()
    bodies: BodyLimits = BodyLimits()

    @property
    def urls(self) -> NetworkUrls:
        """The network's addresses."""
        return NetworkUrls(api_url=self.api_url, source_url=self.source_url)


SERVICES = web.AppKey("services", Services)
OPTIONS = web.AppKey("options", RestOptions)


@attrs.define
class Lifecycle:
    """Whether the application still takes new work; once it is ending, each answer ends its connection."""

    is_ending: bool = False


LIFECYCLE = web.AppKey("lifecycle", Lifecycle)


@attrs.frozen
class ErrorPages:
    """What an error is answered with instead of a problem, where this server has pages for people."""

    answer: Callable[[web.Request, Exception, web.Response], web.Response]


ERROR_PAGES = web.AppKey("error_pages", ErrorPages)


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
