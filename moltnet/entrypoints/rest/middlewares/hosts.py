"""By which names a server lets itself be called.

No other machine reaches a server on loopback, but a browser on the same machine does: a page of any site can have its
own name resolve to 127.0.0.1, and is then of the server's own origin (DNS rebinding). The name it uses is in Host.
"""

from collections.abc import Set as AbstractSet

from aiohttp import web

from moltnet.entrypoints.rest.refusals import MisdirectedRequest

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})


def refuse_unknown_host(request: web.Request, known: AbstractSet[str]) -> None:
    """Raises MisdirectedRequest for a Host that is not among the known; who sends none is not a browser."""
    if not all(host_name(host) in known for host in request.headers.getall("Host", ())):
        raise MisdirectedRequest


def host_name(authority: str) -> str:
    """The name in a Host field, without its port; an IPv6 address has its brackets (RFC 9110 §7.2)."""
    text = authority.strip().lower()
    name, bracket, _ = text.partition("]")
    return name + bracket if bracket else text.partition(":")[0].rstrip(".")
