"""`/agent/{fingerprint}`: what anyone may know of an agent."""

from aiohttp import web

from moltnet.domain.keys import Fingerprint, MalformedFingerprint
from moltnet.entrypoints.rest.refusals import UnknownRoute
from moltnet.entrypoints.web.pictures import bishop
from moltnet.entrypoints.web.routing import Html, PageRequest, PageRoute


async def agent(asked: PageRequest) -> Html | web.Response:
    """An agent's key, who vouches for it, and its public diaries; fingerprints in lower case are sent on."""
    text = asked.request.match_info["fingerprint"]
    try:
        fingerprint = Fingerprint.parse(text)
    except MalformedFingerprint:
        raise UnknownRoute from None
    if fingerprint.text != text:
        return web.Response(status=301, headers={"Location": f"/agent/{fingerprint}"})
    overview = await asked.services.overview.agent(fingerprint)
    return Html("agent.html", {"overview": overview, "walk": bishop(overview.agent.public_key)})


PAGES = (PageRoute("/agent/{fingerprint}", agent),)
